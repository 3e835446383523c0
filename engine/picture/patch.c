/* Cutting out and preparing; see patch.h. Putting back is in patch_put_back.c. */
#include "engine/picture/patch.h"

#include "engine/picture/picture_fill.h"
#include "engine/picture/picture_scale.h"

#include <float.h>

/* ---- masks ---- */

// the sampler's mask, of the context's size
static picture *soften(const picture *selection, const struct paint_area *a, GError **error)
{
    picture *m = picture_copy(selection, error);

    if (m != NULL) {
        // first grown, so that the blur, which eats into it from both sides, leaves the mask white
        mask_dilate(m, a->grow);
        mask_blur(m, a->feather);
    }
    return m;
}

// how far from the edge of what may change its middle lies, at most
static float deepest(const picture *depth)
{
    float most = 0;

    for (size_t i = 0, n = (size_t)depth->width * depth->height; i < n; i++) {
        most = MAX(most, depth->pixels[i]);
    }
    return most;
}

/* What is put back: what is allowed, times the outer edge of the sampler's feather, moved inwards
 * by half of blend and blurred by it, times a slope (3 t^2 - 2 t^3) of at most that length that
 * ends at the edge of the mask: no step is left there. */
static picture *composite_of(const picture *soft, const picture *allowed, const picture *depth,
                             int blend, GError **error)
{
    picture *m = picture_copy(soft, error);

    if (m == NULL) {
        return NULL;
    }
    // all that the sampler may change at all, then half of the blend further in
    mask_threshold(m, FLT_MIN);
    mask_erode(m, blend / 2);
    mask_blur(m, blend);
    // a small mask has a shorter slope, or its middle would never be reached
    const float length = MIN((float)blend, deepest(depth)) + 1;
    for (size_t i = 0, n = (size_t)m->width * m->height; i < n; i++) {
        const float t = MIN(depth->pixels[i] / length, 1.0f);
        m->pixels[i] *= allowed->pixels[i] * t * t * (3 - 2 * t);
    }
    return m;
}

/* Where colours must stay: outside of what the sampler may change. Around a spot of a few pixels,
 * which has no room to blend in, the painting's surroundings count, too. */
static picture *known_of(const picture *soft, const picture *depth, int blend, GError **error)
{
    // 1 for a spot, 0 from a quarter of the blend on
    const float near = MAX(0.0f, 1 - 4 * deepest(depth) / (float)blend);
    picture *m = picture_create(soft->width, soft->height, 1, error);

    for (size_t i = 0, n = (size_t)soft->width * soft->height; m != NULL && i < n; i++) {
        m->pixels[i] = soft->pixels[i] <= 0 ? 1 : depth->pixels[i] > 0 ? 0 : near;
    }
    return m;
}

static bool make_masks(struct patch *p, const struct svdiff_generate_options *o, int factor,
                       GError **error)
{
    // of latents: the sampler works on these
    const int h = p->area.height / factor, w = p->area.width / factor;
    g_autoptr(picture) soft = soften(p->selection, &p->area, error);
    g_autoptr(picture) allowed = picture_copy(p->selection, error);

    if (soft == NULL || allowed == NULL) {
        return false;
    }
    // --grow: pixels around the mask that may change, too
    mask_dilate(allowed, o->grow);
    g_autoptr(picture) depth = mask_depth(allowed, error);
    if (depth == NULL) {
        return false;
    }
    p->composite = composite_of(soft, allowed, depth, p->area.blend, error);
    p->known = known_of(soft, depth, p->area.blend, error);
    // masks are made at the picture's scale, where a pixel is a pixel, and then follow the picture
    g_autoptr(picture) scaled = picture_resize(soft, p->area.width, p->area.height, error);
    if (p->composite == NULL || p->known == NULL || scaled == NULL) {
        return false;
    }
    p->mask = g_new(float, (size_t)h *w);
    p->hard = g_new(float, (size_t)h *w);
    mask_cells(scaled, h, w, p->mask);
    for (int i = 0; i < h * w; i++) {
        // inpainting models were trained with masks of 0 and 1
        p->hard[i] = p->mask[i] >= 0.5f ? 1 : 0;
    }
    return true;
}

/* ---- pictures ---- */

// (1 - mask) the picture + mask what its surroundings make of the place
static bool fill_blurred(picture *working, const picture *soft, GError **error)
{
    g_autoptr(picture) outside = picture_copy(soft, error);

    if (outside == NULL) {
        return false;
    }
    mask_invert(outside);
    return picture_fill(working, outside, 0, 0.5f, error);
}

// pixels of latents that are to be painted become grey, 0 for the autoencoder
static picture *masked_of(const struct patch *p, int factor, GError **error)
{
    picture *m = picture_copy(p->working, error);
    const int w = p->area.width / factor;

    for (int y = 0; m != NULL && y < m->height; y++) {
        for (int x = 0; x < m->width; x++) {
            float *pixel = m->pixels + 3 * ((size_t)y * m->width + x);
            // whole cells: the autoencoder must not see half of a place that is to be new
            if (p->hard[(y / factor) * w + x / factor] > 0) {
                pixel[0] = pixel[1] = pixel[2] = 0.5f;
            }
        }
    }
    return m;
}

static bool make_pictures(struct patch *p, const struct svdiff_generate_options *o, int factor,
                          GError **error)
{
    g_autoptr(picture) part = mask_crop(o->init, &p->area.context, error);

    // colours go on into what is clear, because the model has no alpha
    p->context = part != NULL ? picture_opaque(part, error) : NULL;
    p->working = p->context != NULL
                     ? picture_resize(p->context, p->area.width, p->area.height, error)
                     : NULL;
    p->masked = p->working != NULL ? masked_of(p, factor, error) : NULL;
    if (p->masked == NULL || o->fill != SVDIFF_FILL_BLURRED) {
        return p->masked != NULL;
    }
    g_autoptr(picture) scaled = picture_resize(p->selection, p->area.width, p->area.height, error);
    return scaled != NULL && fill_blurred(p->working, scaled, error);
}

struct patch *patch_create(const struct svdiff_generate_options *o, int factor, int unit,
                           GError **error)
{
    const struct paint_wish wish = {.strength = o->strength,
                                    .feather = o->feather,
                                    .width = o->width,
                                    .height = o->height,
                                    .unit = unit};

    if (!mask_check(o->init, o->mask, error)) {
        return NULL;
    }
    struct patch *p = g_new0(struct patch, 1);
    p->area = paint_area_plan(o->mask, &wish);
    p->selection = mask_crop(o->mask, &p->area.context, error);
    // the person's mask as it is put back; a veil was taken from files already, not from callers
    if (p->selection != NULL) {
        mask_clear_veil(p->selection);
    }
    if (p->selection == NULL || !make_masks(p, o, factor, error) ||
        !make_pictures(p, o, factor, error)) {
        g_clear_pointer(&p, patch_free);
    }
    return p;
}

void patch_free(struct patch *p)
{
    if (p == NULL) {
        return;
    }
    picture_free(p->working);
    picture_free(p->masked);
    picture_free(p->context);
    picture_free(p->selection);
    picture_free(p->composite);
    picture_free(p->known);
    g_free(p->mask);
    g_free(p->hard);
    g_free(p);
}
