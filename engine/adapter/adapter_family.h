/* adapter_family.h: adapters of models that are none of the engine's, by what only these have. */
#pragma once

#include "engine/base/safetensors.h"

/* False with a sentence that names the family, for Stable Diffusion XL, 3, Flux and others. */
bool adapter_family_check(const struct safetensors *file, GError **error);

/* The sentence for a file of which nothing fits the model: what it is instead. False. */
bool adapter_family_refuse_all(const struct safetensors *file, GError **error);
