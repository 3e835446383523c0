/* patch.h: the part of a picture that is painted anew: cut out, prepared, put back.
 *
 *   patch_create      context around the mask, filled, at the working size; masks for the sampler
 *                     and for putting back
 *   (the model paints patch->working where patch->mask allows it)
 *   patch_put_back    the painting scaled to the context, its colours matched to those around the
 *                     mask, over the picture; pixels where the mask is 0 keep every bit
 *
 * What the sampler may change is wider than what is put back: it is grown and feathered by
 * paint_area.h's numbers, so that the painting goes on across the border. Put back is the mask's
 * own value, times its distance from the mask's edge over `blend` (at most 1), times what an edge
 * `blend` wide leaves of it: half of the mask changes half as much. Its veil (mask.h) changes
 * nothing.
 */
#pragma once

#include "engine/picture/paint_area.h"
#include "engine/svdiff.h"

struct patch {
    struct paint_area area;
    picture *working;   // 3 channels, working size: what is to be encoded
    picture *masked;    // the same with what is painted over in the middle of grey: what inpainting
                        // models are told
    float *mask;        // [h, w] latents: how much the sampler may change
    float *hard;        // [h, w] 0 or 1: what inpainting models are told to paint
    picture *context;   // the cut-out, with colours also below clear pixels
    picture *selection; // the mask itself, without its veil; of the context's size
    picture *composite; // how much of the painting is put back; of the context's size
    picture *known;     // 1 where the sampler changes nothing; of the context's size
};

/* For the picture options->init and the mask options->mask of its size; factor: pixels a latent,
 * unit: what working sides must be divisible by. NULL with an error: a mask of another size or an
 * empty one, no memory. Owned by the caller. */
struct patch *patch_create(const struct svdiff_generate_options *options, int factor, int unit,
                           GError **error);
void patch_free(struct patch *p); // accepts NULL

/* The whole picture with the painting in it, of the init picture's size and channels; with
 * options->outpaint what is painted is opaque. Owned by the caller. */
picture *patch_put_back(const struct patch *p, const struct svdiff_generate_options *options,
                        const picture *painting, GError **error);
