/* Putting a painting back into its picture; see patch.h.
 *
 * The autoencoder and the model move colours a little everywhere. Where nothing was painted the
 * difference to the picture is known; smoothed, and carried on below the mask from the places
 * around it, it is added to the painting:
 *
 *   painting' = painting + fill(smooth(context - painting))
 *   result    = picture + composite (painting' - picture) */
#include "engine/picture/patch.h"

#include "engine/picture/picture_fill.h"
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

picture *patch_put_back(const struct patch *p, const struct svdiff_generate_options *o,
                        const picture *painting, GError **error)
{
    const struct mask_box *box = &p->area.context;
    const struct mask_box all = {0, 0, o->init->width, o->init->height};
    g_autoptr(picture) painted = picture_resize(painting, box->width, box->height, error);
    g_autoptr(picture) out = painted != NULL ? mask_crop(o->init, &all, error) : NULL;

    if (out == NULL || !match_colours(p, painted, error)) {
        return NULL;
    }
    for (int y = 0; y < box->height; y++) {
        for (int x = 0; x < box->width; x++) {
            const size_t at = (size_t)y * box->width + x;
            const size_t to = (size_t)(box->y + y) * out->width + box->x + x;
            if (p->selection->pixels[at] > 0 || p->composite->pixels[at] > 0) {
                put_pixel(out->pixels + to * out->channels, out->channels,
                          p->context->pixels + 3 * at, painted->pixels + 3 * at,
                          p->composite->pixels[at], o->outpaint ? p->selection->pixels[at] : 0);
            }
        }
    }
    return o->outpaint && all_opaque(out) ? picture_opaque(out, error) : g_steal_pointer(&out);
}
