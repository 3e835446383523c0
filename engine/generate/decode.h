/* decode.h: latents to pictures and pictures to latents, of any size.
 *
 * Large pictures, and smaller ones where that is asked for, are decoded in tiles that overlap and are blended
 * linearly, so that memory stays bounded; large ones are encoded so. */
#pragma once

#include "engine/network/autoencoder.h"
#include "engine/picture/picture.h"
#include "engine/base/trace.h"

struct decoder;

/* Tiled: in tiles wherever these are smaller. Wraps: the picture's edges fit together, and so tiles go over them. */
enum decoder_way { DECODER_TILED = 1, DECODER_WRAPS = 2 };

/* For latents [h, w, c], in these ways. Borrows the autoencoder. Its memory is taken with the first picture, and
 * asked for now: freed are the bytes that are in use and will not be by then. Owned by the caller. */
struct decoder *decoder_create(const kernels *k, struct autoencoder *a, int h, int w, unsigned ways,
                               size_t freed, GError **error);
void decoder_free(struct decoder *d); // accepts NULL

/* The picture of scaled latents [h, w, c]; trace gets "image" [1, 3, H, W], clamped to -1..1.
 * Owned by the caller. */
picture *decoder_run(struct decoder *d, const float *latents, struct trace *trace, GError **error);

/* What the encoder says of the latents of pixels [height, width, 3] in -1..1: [height / factor,
 * width / factor, 2 c], their means and the logarithms of their variances, not scaled. wraps: the edges
 * of the picture fit together. Owned by the caller, NULL with an error. */
float *encode_moments(const kernels *k, const struct autoencoder *a, const float *pixels, int width,
                      int height, bool wraps, GError **error);

/* The standard deviation; as diffusers, which clamps the logarithm to -30..20. */
float encode_deviation(float log_variance);

/* Scaled latents [height / factor, width / factor, c] of a picture (alpha is put on white), scaled
 * to width x height pixels: mean + deviation * noise. wraps: its edges fit together, in scaling, too.
 * noise [h, w, c], or NULL for the mean. Owned by the caller. */
float *encode_picture(const kernels *k, const struct autoencoder *a, const picture *p, int width,
                      int height, bool wraps, const float *noise, GError **error);
