/* Layers and masks as pictures; see layers_in.h. */
#include "plugin/layers_in.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

#define SIDE_MIN 8                  // pixels: one value of the latents
#define LEAST    (0.5f / 255)       // of a mask: 8 bits would round less to 0
#define STEPS    65535.0f           // of 16 bits, among which are those of 8
#define OPAQUE   (1 - 0.5f / STEPS) // of alpha: babl does not make 1 of all kinds of white

/* babl measures which of its conversions is the fastest when it first needs one, so the last digits
 * of a value depend on the moment (by up to 1e-6), and with them what is learned of a picture. A
 * step of an integer becomes exactly what a file of it is read as; other values stay. */
static void to_exact_steps(float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float step = rintf(values[i] * STEPS) / STEPS;
        values[i] = fabsf(values[i] - step) < 0.125f / STEPS ? step : values[i];
    }
}

void layers_in_pixels(host_item item, const struct host_area *at, const struct host_area *view,
                      int width, int height, const Babl *format, float *to)
{
    g_autoptr(GeglBuffer) buffer = host_buffer(item);
    // below 1 for what is read small; GEGL averages
    const double scale = (double)width / view->width;
    const GeglRectangle part = {(int)((view->x - at->x) * scale), (int)((view->y - at->y) * scale),
                                width, height};

    // what lies outside of the item is clear, or not selected
    gegl_buffer_get(buffer, &part, scale, format, to, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    to_exact_steps(to,
                   (size_t)width * (size_t)height * (size_t)babl_format_get_n_components(format));
}

/* Of the three encodings of grey only one is as the mask is stored: another would bend the values
 * of a feathered edge. */
const Babl *layers_in_mask_format(host_item item)
{
    g_autoptr(GeglBuffer) buffer = host_buffer(item);
    const Babl *format = gegl_buffer_get_format(buffer);
    const BablModelFlag flags = babl_get_model_flags(babl_format_get_model(format));

    return babl_format_with_space((flags & BABL_MODEL_FLAG_LINEAR) != 0       ? "Y float"
                                  : (flags & BABL_MODEL_FLAG_PERCEPTUAL) != 0 ? "Y~ float"
                                                                              : "Y' float",
                                  format);
}

float *layers_in_mask(host_item item, const struct host_area *item_area,
                      const struct host_area *area)
{
    float *mask = g_try_new(float, (size_t)area->width * area->height);

    if (mask != NULL) {
        layers_in_pixels(item, item_area, area, area->width, area->height,
                         layers_in_mask_format(item), mask);
    }
    return mask;
}

bool layers_in_intersect(const struct host_area *a, const struct host_area *b,
                         struct host_area *shared)
{
    const int x = MAX(a->x, b->x), y = MAX(a->y, b->y);
    const int right = MIN(a->x + a->width, b->x + b->width);
    const int bottom = MIN(a->y + a->height, b->y + b->height);

    *shared = (struct host_area){.x = x, .y = y, .width = right - x, .height = bottom - y};
    return shared->width > 0 && shared->height > 0;
}

// in the image's coordinates; a mask that marks nothing has none, as one that does not fit into
// memory
bool layers_in_bounds(host_item item, const struct host_area *item_area, struct host_area *bounds)
{
    const struct host_area all = *item_area;
    g_autofree float *mask = layers_in_mask(item, &all, &all);
    int left = all.width, right = -1, top = all.height, bottom = -1;

    for (int y = 0; mask != NULL && y < all.height; y++) {
        for (int x = 0; x < all.width; x++) {
            if (mask[(size_t)y * all.width + x] > LEAST) {
                left = MIN(left, x);
                right = MAX(right, x);
                top = MIN(top, y);
                bottom = MAX(bottom, y);
            }
        }
    }
    *bounds = (struct host_area){all.x + left, all.y + top, right - left + 1, bottom - top + 1};
    return right >= 0;
}

bool layers_in_selection(host_image image, struct host_area *area)
{
    const host_item quick = host_quick_mask(image);

    if (quick == HOST_NONE) {
        return host_selection_area(image, area);
    }
    const struct host_area all = host_item_area(quick);
    return layers_in_bounds(quick, &all, area);
}

/* ---- pictures ---- */

// alpha times the layer's mask
static bool apply_mask(picture *p, host_item mask, const struct host_area *layer,
                       const struct host_area *area)
{
    g_autofree float *values = layers_in_mask(mask, layer, area);
    const size_t n = (size_t)p->width * p->height;

    for (size_t i = 0; values != NULL && i < n; i++) {
        // as GIMP shows it: [height, width] on the alpha of [height, width, 4]
        p->pixels[4 * i + 3] *= values[i];
    }
    return values != NULL;
}

// values beyond 0..1, which float layers may hold, are cut; whether anything is to be seen
static bool settle(picture *p)
{
    const size_t n = (size_t)p->width * p->height;
    bool seen = false;

    for (size_t i = 0; i < 4 * n; i++) {
        const float value = p->pixels[i];
        p->pixels[i] = value > 0 ? MIN(value, 1.0f) : 0.0f; // what is no number becomes 0
        seen = seen || (i % 4 == 3 && p->pixels[i] > 0);
    }
    return seen;
}

// in place, [n, 4] to [n, 3]: with alpha the worker would look for what is transparent
static void drop_alpha_if_opaque(picture *p)
{
    const size_t n = (size_t)p->width * p->height;

    for (size_t i = 0; i < n; i++) {
        if (p->pixels[4 * i + 3] < OPAQUE) {
            return;
        }
    }
    for (size_t i = 0; i < n; i++) {
        memmove(p->pixels + 3 * i, p->pixels + 4 * i, 3 * sizeof(float));
    }
    p->channels = 3;
}

// white may change, or is the subject; what lies between is a soft edge
picture *layers_in_one_channel(float *values, const struct host_area *area, GError **error)
{
    g_autofree float *taken = values;
    picture *p = values != NULL ? picture_create(area->width, area->height, 1, error) : NULL;

    if (values == NULL) {
        error_failed(error, _("There is no memory for a mask of %dx%d pixels."), area->width,
                     area->height);
    }
    for (size_t i = 0; p != NULL && i < (size_t)p->width * p->height; i++) {
        p->pixels[i] = values[i] > 0 ? MIN(values[i], 1.0f) : 0.0f; // what is no number becomes 0
    }
    return p;
}

picture *layers_in_mask_picture(host_item item, const struct host_area *item_area,
                                const struct host_area *area, GError **error)
{
    return layers_in_one_channel(layers_in_mask(item, item_area, area), area, error);
}

picture *layers_in_read(host_item layer, const struct host_area *area, bool masked, GError **error)
{
    const struct host_area whole = host_item_area(layer);
    // not for those that have a mask of their own for it
    const host_item mask = masked ? host_layer_mask(layer) : HOST_NONE;
    g_autofree char *name = host_item_name(layer);
    g_autoptr(picture) p = NULL;

    if (area->width < SIDE_MIN || area->height < SIDE_MIN) {
        error_failed(
            error,
            _("What is to be read of the layer “%s” is %dx%d pixels; it must have at least "
              "%dx%d."),
            name, area->width, area->height, SIDE_MIN, SIDE_MIN);
        return NULL;
    }
    p = picture_create(area->width, area->height, 4, error);
    if (p == NULL) {
        return NULL;
    }
    // babl converts from whatever the layer is, as far as it knows its profile
    layers_in_pixels(layer, &whole, area, area->width, area->height, babl_format("R'G'B'A float"),
                     p->pixels);
    host_to_srgb(host_image_of(layer), p->pixels, (size_t)p->width * p->height);
    if (mask != HOST_NONE && !apply_mask(p, mask, &whole, area)) {
        error_failed(error, _("There is no memory for the mask of the layer “%s”."), name);
        return NULL;
    }
    if (!settle(p)) {
        error_failed(
            error,
            _("The layer “%s” is empty there; paint something first, or choose another layer."),
            name);
        return NULL;
    }
    drop_alpha_if_opaque(p);
    return g_steal_pointer(&p);
}
