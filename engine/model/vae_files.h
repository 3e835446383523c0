/* vae_files.h: an autoencoder that is used in place of a model's own. */
#pragma once

#include "engine/model/weight_files.h"
#include "engine/network/model_config.h"

/* The weights at a path: a file that holds the autoencoder alone or among other networks, or a diffusers
 * folder of it or of a whole model, whose config replaces *config; a file has the one that is there.
 * NULL with a sentence. */
struct weight_files *vae_files_open(const char *path, struct vae_config *config, GError **error);
