/* autoencoder.h: pictures to latents and back (the KL autoencoder of Rombach et al. 2022), as
 * diffusers' AutoencoderKL computes it. */
#pragma once

#include "engine/network/model_config.h"
#include "engine/network/reader.h"

struct autoencoder;

/* Which halves to read: learning needs the encoder, plain generation only the decoder. */
enum autoencoder_half { AUTOENCODER_ENCODER = 1, AUTOENCODER_DECODER = 2 };

/* Owned by the caller. NULL with SVDIFF_ERROR_FAILED. */
struct autoencoder *autoencoder_create(const kernels *k, const struct vae_config *config,
                                       unsigned halves, struct weight_source source,
                                       GError **error);
void autoencoder_free(struct autoencoder *a); // accepts NULL

const struct vae_config *autoencoder_config(const struct autoencoder *a);

/* Pixels per latent, 2^(levels - 1): 8 for Stable Diffusion. */
int autoencoder_factor(const struct vae_config *config);

/* Moments [n, h, w, 2 latent channels] = [mean | log variance] of pictures [n, H, W, 3] in -1..1;
 * h = H / factor. Not scaled yet. */
struct tensor *autoencoder_encode(struct tape *t, const struct autoencoder *a, struct tensor *x);

/* Pictures [n, H, W, 3] of latents [n, h, w, c] that were divided by the scaling factor. */
struct tensor *autoencoder_decode(struct tape *t, const struct autoencoder *a, struct tensor *z);
