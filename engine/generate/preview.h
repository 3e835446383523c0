/* preview.h: a small picture of latents at every step, by a matrix instead of the autoencoder.
 *
 *   rgb = bias + sum over channels of latent[c] matrix[c]      in -1..1, one pixel a latent
 *
 * The matrix is the model's: "preview" of its svdiff.json ({"matrix": [[r, g, b], ...], "bias":
 * [r, g, b]}), Stable Diffusion's own for its autoencoder, else one that is fitted to what the
 * decoder makes of random latents. */
#pragma once

#include "engine/generate/decode.h"
#include "engine/session/session.h"

#define PREVIEW_CHANNELS 64

struct preview {
    int c;
    char *pattern;
    bool writes;                            // a dry session's does not
    double matrix[PREVIEW_CHANNELS + 1][3]; // [c + 1, 3]; the last used row is the bias
};

/* Of `pattern` (a .png; with %d a file for each step, else one that is written again and again).
 * The decoder is used for fitting only where there is no matrix. Owned by the caller; NULL with an
 * error. */
struct preview *preview_create(svdiff *s, struct decoder *d, int h, int w, const char *pattern,
                               GError **error);
void preview_free(struct preview *p); // accepts NULL

/* Writes the picture of scaled latents [h, w, c]; its file name, owned by the caller, or NULL with
 * an error. */
char *preview_write(const struct preview *p, const float *latents, int h, int w, int step,
                    GError **error);
