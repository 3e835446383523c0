/* pickle_call.h: what a pickle's calls become, by rules in place of functions; for pickle.c alone. */
#pragma once

#include "engine/base/pickle.h"

/* Whether "MODULE NAME" is one that has a rule. */
bool pickle_call_knows(const char *name);

/* The result of a call, into *result. False when the arguments are not what PyTorch writes. */
bool pickle_call(const struct pickle_value *name, const struct pickle_value *arguments,
                 struct pickle_value *result);

/* What a persistent id stands for: ('storage', type, key, where, values[, None]). */
bool pickle_call_storage(const struct pickle_value *id, struct pickle_value *result);
