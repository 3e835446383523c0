/* spectrum_provider.h: where the spectrum of a weight comes from. */
#pragma once

#include "engine/tape/weight.h"

/* get writes the thin SVD of w: u [out, r], s [r] descending, vt [r, columns] in the engine's order
 * of columns. */
struct spectrum_provider {
    bool (*get)(void *user, const struct weight *w, float *u, float *s, float *vt, GError **error);
    void *user;
};
