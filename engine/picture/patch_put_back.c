/* Putting a painting back into its picture; see patch.h.
 *
 * The autoencoder and the model move colours a little everywhere. Where nothing was painted the
 * difference to the picture is known; smoothed, and carried on below the mask from the places
 * around it, it is added to the painting:
 *
 *   painting' = painting + fill(smooth(context - painting))
 *   result    = picture + composite (painting' - picture)
 *
 * A picture with a space of its own (picture_origin.h) is put together in that space, too: there
 * what was not painted keeps its samples, and what sRGB does not have stays below a soft border. */
#include "engine/picture/patch.h"

#include "engine/picture/picture_fill.h"
#include "engine/picture/picture_origin.h"
#include "engine/picture/picture_scale.h"

#include <string.h>

#define SMOOTH 4 // details of less than 16 pixels are no shift of colours
// a sum of two values that only nearly make 1
#define ALMOST_1 (1 - 1e-6f)

static bool match_colours(const struct patch *p, picture *painting, GError **error)
{
    const size_t n = 3 * (size_t)painting->width * painting->height;
    g_autoptr(picture) shift = picture_create(painting->width, painting->height, 3, error);

    for (size_t i = 0; shift != NULL && i < n; i++) {
        // right where the picture is known; what lies below the mask is filled from there
        shift->pixels[i] = p->context->pixels[i] - painting->pixels[i];
    }
    if (shift == NULL || !picture_fill(shift, p->known, SMOOTH, 0, error)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        painting->pixels[i] = CLAMP(painting->pixels[i] + shift->pixels[i], 0.0f, 1.0f);
    }
    return true;
}

/* One pixel of the result from `from` of the context (colours also where the picture is clear).
 * cover: what alpha gets, with which a mask of what is clear makes 1. */
static void put_pixel(float *to, int channels, const float *from, const float *painted, float share,
                      float cover)
{
    for (int c = 0; c < 3; c++) {
        // a share of 0 leaves the very bits
        to[c] = from[c] + share * (painted[c] - from[c]);
    }
    if (channels == 4 && cover > 0) {
        to[3] = to[3] + cover < ALMOST_1 ? to[3] + cover : 1;
    }
}

// whether there is no clear pixel left that would need an alpha
static bool all_opaque(const picture *p)
{
    bool opaque = p->channels == 4;

    for (size_t i = 0, n = (size_t)p->width * p->height; i < n && opaque; i++) {
        opaque = p->pixels[4 * i + 3] >= 1;
    }
    return opaque;
}

/* The painting over `out`, a picture of the init picture's size: below it `under` and above it
 * `painted`, of the context's size and 3 channels, all in one space. */
static void put_all(const struct patch *p, picture *out, const picture *under,
                    const picture *painted, bool outpaint)
{
    const struct mask_box *box = &p->area.context;

    for (int y = 0; y < box->height; y++) {
        for (int x = 0; x < box->width; x++) {
            const size_t at = (size_t)y * box->width + x;
            const size_t to = (size_t)(box->y + y) * out->width + box->x + x;
            // elsewhere the copy stays untouched
            if (p->selection->pixels[at] > 0 || p->composite->pixels[at] > 0) {
                put_pixel(out->pixels + to * out->channels, out->channels, under->pixels + 3 * at,
                          painted->pixels + 3 * at, p->composite->pixels[at],
                          outpaint ? p->selection->pixels[at] : 0);
            }
        }
    }
}

// the samples in the picture's own space with the painting in them; painted is changed
static picture *put_own(const struct patch *p, const struct picture_origin *o, picture *painted,
                        GError **error)
{
    g_autoptr(picture) part = mask_crop(o->own, &p->area.context, error);
    g_autoptr(picture) under = part != NULL ? picture_opaque(part, error) : NULL;
    picture *own = under != NULL ? picture_copy(o->own, error) : NULL;

    // into the picture's own space, where it is blended once more
    if (own != NULL && !picture_profile_from_srgb(o->icc, o->space, painted, error)) {
        g_clear_pointer(&own, picture_free);
    }
    if (own != NULL) {
        // alpha was settled in the working picture; the own samples carry colours alone
        put_all(p, own, under, painted, false);
    }
    return own;
}

// out is of the init picture's kind, with what was painted in its own space
static bool set_origin(const struct patch *p, const picture *init, picture *painted, picture *out,
                       GError **error)
{
    if (init->origin == NULL || init->origin->own == NULL) {
        out->origin = picture_origin_ref(init->origin);
        return true;
    }
    picture *samples = put_own(p, init->origin, painted, error);
    out->origin = samples != NULL ? picture_origin_with(init->origin, samples) : NULL;
    return samples != NULL;
}

picture *patch_put_back(const struct patch *p, const struct svdiff_generate_options *o,
                        const picture *painting, GError **error)
{
    const struct mask_box *box = &p->area.context;
    g_autoptr(picture) painted = picture_resize(painting, box->width, box->height, error);
    g_autoptr(picture) out = painted != NULL ? picture_copy(o->init, error) : NULL;

    if (out == NULL || !match_colours(p, painted, error)) {
        return NULL;
    }
    put_all(p, out, p->context, painted, o->outpaint);
    if (!set_origin(p, o->init, painted, out, error)) {
        return NULL;
    }
    // a picture whose last clear pixel was painted needs no alpha any more
    if (!o->outpaint || !all_opaque(out)) {
        return g_steal_pointer(&out);
    }
    picture *opaque = picture_opaque(out, error);
    if (opaque != NULL) {
        opaque->origin = g_steal_pointer(&out->origin);
    }
    return opaque;
}
