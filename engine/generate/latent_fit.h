/* latent_fit.h: latents of a picture, corrected so that the decoder gives it back as well as it
 * can.
 *
 *   z* = argmin over z of the mean of (clamp(D(z / scaling)) - x)^2
 *
 * from the encoder's mean, by Adam (Kingma and Ba 2015) with gradients through the decoder. An
 * autoencoder loses what its encoder overlooks; what the decoder could have shown comes back. */
#pragma once

#include "engine/base/progress.h"
#include "engine/network/autoencoder.h"
#include "engine/picture/picture.h"

struct latent_fit {
    const kernels *k;
    const struct autoencoder *a; // with its decoder
    int steps;
    progress_function progress; // phase "fit"; NULL: nobody is told
    void *user;
};

/* Corrects scaled latents [height / factor, width / factor, c] of a picture (alpha is put on
 * white), scaled to width x height pixels; they become the best that were seen, never worse than
 * they were. False without memory or when cancelled. */
bool latent_fit(const struct latent_fit *f, const picture *p, int width, int height, float *latents,
                GError **error);
