/* What GIMP 2.10 alone does so; see host.h and host_ids.h. */
#include "plugin/host_linked.h"

#include "plugin/host_ids.h"
#include "plugin/profile.h"

GArray *host_list(enum host_list list, int of)
{
    int n = 0;
    g_autofree gint32 *ids = list == HOST_IMAGES     ? gimp_image_list(&n)
                             : list == HOST_LAYERS   ? gimp_image_get_layers(of, &n)
                             : list == HOST_CHANNELS ? gimp_image_get_channels(of, &n)
                                                     : gimp_item_get_children(of, &n);
    GArray *all = g_array_new(FALSE, FALSE, sizeof(gint32));

    return n > 0 ? g_array_append_vals(all, ids, (guint)n) : all;
}

/* ---- the layers that are chosen: the current one, and those with the chain ---- */

// appends the linked layers of a list and of the groups in it; the first is there already
static void add_linked(GArray *to, enum host_list list, int of)
{
    g_autoptr(GArray) layers = host_list(list, of);

    for (guint i = 0; i < layers->len; i++) {
        const host_item layer = g_array_index(layers, host_item, i);
        const bool known = to->len > 0 && layer == g_array_index(to, host_item, 0);
        if (gimp_item_get_linked(layer) && !known) {
            g_array_append_val(to, layer);
        } else if (gimp_item_is_group(layer) && !known) {
            add_linked(to, HOST_CHILDREN, layer);
        }
    }
}

// the linked layers, or where there are not two of them all that are shown and lie in no group
static void choose_several(host_image image, GArray *all)
{
    add_linked(all, HOST_LAYERS, image);
    if (all->len >= 2) {
        return;
    }
    g_autoptr(GArray) layers = host_list(HOST_LAYERS, image);
    g_array_set_size(all, 0);
    for (guint i = 0; i < layers->len; i++) {
        const host_item layer = g_array_index(layers, host_item, i);
        if (gimp_item_get_visible(layer)) {
            g_array_append_val(all, layer);
        }
    }
}

// a drawable that is not linked stands for itself, whatever else is linked
void host_add_linked(host_image image, host_item drawable, GArray *all)
{
    if (drawable > 0) {
        g_array_append_val(all, drawable);
    }
    if (all->len > 0 && host_is_layer_of(drawable, image) && gimp_item_get_linked(drawable)) {
        add_linked(all, HOST_LAYERS, image);
    }
}

GArray *host_chosen_layers(host_image image, bool several)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));

    if (several) {
        choose_several(image, all);
    } else {
        host_add_linked(image, gimp_image_get_active_layer(image), all);
    }
    return all;
}

host_item host_layer_before(host_image image)
{
    const gint32 channel = gimp_image_get_active_channel(image);

    gimp_image_unset_active_channel(image);
    const gint32 layer = gimp_image_get_active_layer(image);
    if (channel > 0) {
        gimp_image_set_active_channel(image, channel);
    }
    return id_of(layer);
}

/* ---- pixels ---- */

// the library tells the number only with the colours
int host_palette_size(host_image image)
{
    int n = 0;

    if (gimp_image_base_type(image) == GIMP_INDEXED) {
        g_free(gimp_image_get_colormap(image, &n));
    }
    return n;
}

// an indexed layer's numbers, with the colours of the image's palette in this space
static const Babl *palette_format(gint32 layer, const Babl *space)
{
    int n;
    const gint32 image = gimp_item_get_image(layer);
    g_autofree char *name = g_strdup_printf("svdiff-palette-%d", image);
    g_autofree guchar *colours = gimp_image_get_colormap(image, &n);
    const Babl *plain, *with_alpha;

    babl_new_palette_with_space(name, space, &plain, &with_alpha);
    babl_palette_set_palette(plain, babl_format_with_space("R'G'B' u8", space), colours, n);
    return gimp_drawable_has_alpha(layer) ? with_alpha : plain;
}

// GIMP's library says how numbers are encoded, and takes all colours for those of sRGB
GeglBuffer *host_buffer(host_item item)
{
    GeglBuffer *buffer = gimp_drawable_get_buffer(item);
    g_autoptr(GObject) profile = (GObject *)gimp_image_get_color_profile(gimp_item_get_image(item));
    const Babl *format = gegl_buffer_get_format(buffer);
    const Babl *space = profile_space((GimpColorProfile *)profile);

    if (gimp_item_is_layer(item) && space != NULL) {
        gegl_buffer_set_format(buffer, gimp_drawable_is_indexed(item)
                                           ? palette_format(item, space)
                                           : babl_format_with_space(babl_get_name(format), space));
    }
    return buffer;
}
