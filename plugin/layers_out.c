/* Result pictures as new layers; see layers_out.h.
 *
 * A layer gets its pixels before it becomes part of the image: nothing then goes through the
 * selection, and undo holds one step for all of them. */
#include "plugin/layers_out.h"

#include "plugin/kept_layer.h"
#include "plugin/layers_in.h"
#include "plugin/settings.h"

void layers_out_begin(void)
{
    g_autofree char *path = g_strdup(g_getenv("GEGL_PATH"));

    // for gegl_init alone: what this process starts later finds it as it was
    g_setenv("GEGL_PATH", "", TRUE);
    gegl_init(NULL, NULL);
    if (path != NULL) {
        g_setenv("GEGL_PATH", path, TRUE);
    } else {
        g_unsetenv("GEGL_PATH");
    }
}

// in the image's colours, as host_buffer's formats take them
static GeglBuffer *picture_buffer(const picture *p, host_image image)
{
    const GeglRectangle extent = {0, 0, p->width, p->height};
    const Babl *given = babl_format(p->channels == 4 ? "R'G'B'A float" : "R'G'B' float");
    const Babl *format = babl_format("R'G'B'A float");
    const size_t n = (size_t)p->width * p->height;
    g_autofree float *pixels = g_new(float, 4 * n);
    GeglBuffer *buffer = gegl_buffer_new(&extent, format);

    babl_process(babl_fish(given, format), p->pixels, pixels, (long)n);
    host_from_srgb(image, pixels, n);
    gegl_buffer_set(buffer, &extent, 0, format, pixels, GEGL_AUTO_ROWSTRIDE);
    return buffer;
}

/* Writes the picture into the layer, scaled to its size: cubic, which averages when it makes
 * smaller; the edges repeat, so that they stay opaque. It is what gegl:scale-size does, whose
 * module is not loaded (layers_out_begin). */
static void fill_scaled(GeglBuffer *from, GeglBuffer *to)
{
    const int width = gegl_buffer_get_width(to), height = gegl_buffer_get_height(to);
    const double x_step = (double)gegl_buffer_get_width(from) / width;
    const double y_step = (double)gegl_buffer_get_height(from) / height;
    GeglBufferMatrix2 scale = {{{x_step, 0}, {0, y_step}}};
    const Babl *format = babl_format("RaGaBaA float");
    GeglSampler *sampler = gegl_buffer_sampler_new(from, format, GEGL_SAMPLER_CUBIC);
    g_autofree float *row = g_new(float, 4 * (size_t)width);

    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            gegl_sampler_get(sampler, (x + 0.5) * x_step, (y + 0.5) * y_step, &scale, row + 4 * x,
                             GEGL_ABYSS_CLAMP);
        }
        gegl_buffer_set(to, GEGL_RECTANGLE(0, y, width, 1), 0, format, row, GEGL_AUTO_ROWSTRIDE);
    }
    g_object_unref(sampler);
}

static void fill_layer(host_item layer, const picture *p)
{
    g_autoptr(GeglBuffer) from = picture_buffer(p, host_image_of(layer));
    g_autoptr(GeglBuffer) to = host_buffer(layer);

    if (gegl_buffer_get_width(to) == p->width && gegl_buffer_get_height(to) == p->height) {
        gegl_buffer_copy(from, NULL, GEGL_ABYSS_NONE, to, NULL);
    } else {
        fill_scaled(from, to);
    }
    // GIMP's tiles get it here, and not with the last reference
    gegl_buffer_flush(to);
}

// the values go in as they are, in the mask's own encoding
static host_item make_mask(host_item layer, const struct layers_out *out)
{
    const GeglRectangle extent = {0, 0, out->area.width, out->area.height};
    const host_item mask = host_mask_new(layer);
    g_autoptr(GeglBuffer) buffer = host_buffer(mask);

    gegl_buffer_set(buffer, &extent, 0, layers_in_mask_format(mask), out->mask,
                    GEGL_AUTO_ROWSTRIDE);
    gegl_buffer_flush(buffer);
    return mask;
}

// mask: receives its mask, HOST_NONE: none
static host_item make_layer(const struct layers_out *out, const struct layers_out_picture *p,
                            host_item *mask)
{
    const host_item layer = host_layer_new(out->image, p->name, &out->area);

    fill_layer(layer, p->pixels);
    *mask = out->mask != NULL ? make_mask(layer, out) : HOST_NONE;
    // before it is inserted: undo has nothing of it to take back
    host_attach(layer, SETTINGS_NAME, p->settings);
    if (p->kept != NULL) {
        kept_layer_mark(layer, *mask, p->kept);
    }
    return layer;
}

static void insert(const struct layers_out *out, host_item *layers)
{
    g_autofree host_item *masks = g_new(host_item, out->n);
    host_item group = HOST_NONE;

    for (int i = 0; i < out->n; i++) {
        layers[i] = make_layer(out, &out->pictures[i], &masks[i]);
    }
    // one step for group, layers and masks
    host_undo_begin(out->image);
    if (out->n > 1) {
        group = host_group_new(out->image, out->group);
        host_insert(out->image, group, HOST_NONE, out->below);
    }
    for (int i = out->n - 1; i >= 0; i--) { // the first ends on top
        host_insert(out->image, layers[i], group, out->below);
        if (masks[i] != HOST_NONE) {
            host_mask_add(layers[i], masks[i]);
        }
    }
    host_undo_end(out->image);
    host_flush();
}

void layers_out_insert(const struct layers_out *out, host_item *layers)
{
    const bool fresh = out->image == HOST_NONE;
    struct layers_out all = *out;

    all.image = fresh ? host_image_new(out->area.width, out->area.height) : out->image;
    insert(&all, layers);
    if (fresh) {
        host_image_show(all.image);
    }
}
