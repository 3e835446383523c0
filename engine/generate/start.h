/* start.h: what drawing starts from, and what becomes of a picture that was drawn.
 *
 *   without a picture   noise
 *   with what one was   slerp(alpha; that, noise)
 *     inverted to
 *   with one            its latents, with as much noise as the strength says; the result has its
 *                       size and its alpha
 *   with a mask, too    those of the patch around the mask (patch.h), which is put back
 *
 * Models with further input channels (inpainting: the mask and the latents of the picture without
 * what is below it) get them from here as well. */
#pragma once

#include "engine/generate/draws.h"
#include "engine/generate/painter.h"
#include "engine/sampler/sampler.h"
#include "engine/picture/patch.h"
#include "engine/base/trace.h"

struct start {
    svdiff *session;
    const struct svdiff_generate_options *options;
    const picture *like;   // has the size, the alpha and the depth of what is handed over; or NULL
    bool opaque_like;      // all but its alpha
    const float *inverted; // [h, w, c]: noise that is a picture; NULL: none
    double alpha;          // from it (0) to fresh noise (1)
    bool encodes;          // pictures, too
    struct patch *patch;   // NULL without a mask
    picture *opaque;       // the init picture without alpha; NULL without one or with a mask
    int width, height;     // of what the model draws
    int h, w, c;           // its latents
    int more_c;            // 0 or 1 + c for inpainting models
    float *init, *noise;   // [h, w, c] of the picture begun last; init NULL without one
    float *more;           // [h, w, more_c] of it
    const float *mask;     // [h, w] for the sampler; NULL: everything may change
};

/* Sizes and pictures, before any weight is read. */
bool start_prepare(struct start *s, svdiff *session, const struct svdiff_generate_options *options,
                   GError **error);

/* The halves of the autoencoder that will be needed. */
unsigned start_halves(const struct start *s);

/* Begins a picture: latents [h, w, c] for the sampler's first step. The trace gets what they are
 * made of. */
bool start_picture(struct start *s, const struct autoencoder *a, const struct sampler *steps,
                   struct draws *draws, struct trace *trace, float *latents, GError **error);

/* What is handed over of a picture that was drawn (freed here). Owned by the caller. */
picture *start_finish(const struct start *s, picture *drawn, GError **error);

void start_close(struct start *s);
