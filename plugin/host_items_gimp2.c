/* Images, layers and progress of GIMP 2.10; see host.h. */
#include "plugin/host_linked.h"

#include "plugin/profile.h"

#include <libgimp/gimp.h>
#include <string.h>

/* ---- reading ---- */

bool host_image_exists(host_image image)
{
    return image > 0 && gimp_image_is_valid(image);
}

static bool belongs(host_item item, host_image image)
{
    return item > 0 && gimp_item_is_valid(item) && gimp_item_get_image(item) == image;
}

bool host_is_layer_of(host_item item, host_image image)
{
    return belongs(item, image) && gimp_item_is_layer(item);
}

bool host_is_channel_of(host_item item, host_image image)
{
    return belongs(item, image) && gimp_item_is_channel(item) && !gimp_item_is_layer_mask(item);
}

bool host_layer_exists(host_item item)
{
    return item > 0 && gimp_item_is_valid(item) && gimp_item_is_layer(item);
}

host_image host_image_of(host_item item)
{
    return gimp_item_get_image(item);
}

// appends the linked layers of these and of the groups among them
static void add_linked(GArray *to, const gint32 *layers, int n)
{
    for (int i = 0; i < n; i++) {
        const bool known = to->len > 0 && layers[i] == g_array_index(to, host_item, 0);
        if (gimp_item_get_linked(layers[i]) && !known) {
            g_array_append_val(to, layers[i]);
        } else if (gimp_item_is_group(layers[i]) && !known) {
            int n_children;
            g_autofree gint32 *children = gimp_item_get_children(layers[i], &n_children);
            add_linked(to, children, n_children);
        }
    }
}

// the linked layers, or where there are not two of them all that are shown and lie in no group
static void choose_several(host_image image, GArray *all)
{
    int n;
    g_autofree gint32 *layers = gimp_image_get_layers(image, &n);

    add_linked(all, layers, n);
    if (all->len >= 2) {
        return;
    }
    g_array_set_size(all, 0);
    for (int i = 0; i < n; i++) {
        if (gimp_item_get_visible(layers[i])) {
            g_array_append_val(all, layers[i]);
        }
    }
}

void host_add_linked(host_image image, host_item drawable, GArray *all)
{
    if (drawable > 0) {
        g_array_append_val(all, drawable);
    }
    if (all->len > 0 && host_is_layer_of(drawable, image) && gimp_item_get_linked(drawable)) {
        int n;
        g_autofree gint32 *layers = gimp_image_get_layers(image, &n);
        add_linked(all, layers, n);
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
    return layer > 0 ? layer : HOST_NONE;
}

host_item host_layer_of(host_item item)
{
    const bool mask = item > 0 && gimp_item_is_valid(item) && gimp_item_is_layer_mask(item);

    return mask ? gimp_layer_from_mask(item) : item;
}

bool host_is_shown(host_item layer)
{
    bool shown = true;

    for (gint32 item = layer; item > 0 && shown; item = gimp_item_get_parent(item)) {
        shown = gimp_item_get_visible(item);
    }
    return shown;
}

static void add_all(GArray *to, const gint32 *layers, int n)
{
    for (int i = 0; i < n; i++) {
        g_array_append_val(to, layers[i]);
        if (gimp_item_is_group(layers[i])) {
            int n_children;
            g_autofree gint32 *children = gimp_item_get_children(layers[i], &n_children);
            add_all(to, children, n_children);
        }
    }
}

GArray *host_all_layers(void)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));
    int n_images, n;
    g_autofree gint32 *images = gimp_image_list(&n_images);

    for (int i = 0; i < n_images; i++) {
        g_autofree gint32 *layers = gimp_image_get_layers(images[i], &n);
        add_all(all, layers, n);
    }
    return all;
}

host_item host_channel_named(host_image image, const char *name)
{
    const host_item channel = gimp_image_get_channel_by_name(image, name);

    return channel > 0 ? channel : HOST_NONE;
}

host_item host_layer_named(host_image image, const char *name)
{
    const host_item layer = gimp_image_get_layer_by_name(image, name);

    return layer > 0 ? layer : HOST_NONE;
}

host_item *host_channels(host_image image, int *n)
{
    return gimp_image_get_channels(image, n);
}

static void add_layers(GArray *to, const gint32 *layers, int n)
{
    for (int i = 0; i < n; i++) {
        g_array_append_val(to, layers[i]);
        if (gimp_item_is_group(layers[i])) {
            int inner = 0;
            g_autofree gint32 *children = gimp_item_get_children(layers[i], &inner);
            add_layers(to, children, inner);
        }
    }
}

host_item *host_layers(host_image image, int *n)
{
    g_autofree gint32 *layers = gimp_image_get_layers(image, n);
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));

    add_layers(all, layers, *n);
    *n = (int)all->len;
    return (host_item *)(void *)g_array_free(all, FALSE);
}

host_image host_copy_in_rgb(host_image image)
{
    const host_image copy = gimp_image_duplicate(image);

    gimp_image_convert_rgb(copy);
    gimp_image_clean_all(copy);
    gimp_display_new(copy);
    return copy;
}

int host_palette_size(host_image image)
{
    int n = 0;

    if (gimp_image_base_type(image) == GIMP_INDEXED) {
        g_free(gimp_image_get_colormap(image, &n));
    }
    return n;
}

struct host_area host_item_area(host_item item)
{
    struct host_area area = {.width = gimp_drawable_width(item),
                             .height = gimp_drawable_height(item)};

    gimp_drawable_offsets(item, &area.x, &area.y);
    return area;
}

host_item host_highest(const host_item *layers, int n)
{
    const gint32 image = gimp_item_get_image(layers[0]), parent = gimp_item_get_parent(layers[0]);
    host_item highest = layers[0];

    for (int i = 1; i < n; i++) {
        if (gimp_item_get_parent(layers[i]) == parent &&
            gimp_image_get_item_position(image, layers[i]) <
                gimp_image_get_item_position(image, highest)) {
            highest = layers[i];
        }
    }
    return highest;
}

char *host_item_name(host_item item)
{
    return gimp_item_get_name(item);
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

void host_to_srgb(host_image image, float *pixels, size_t n)
{
    g_autoptr(GObject) profile = (GObject *)gimp_image_get_color_profile(image);

    profile_to_srgb((GimpColorProfile *)profile, pixels, n);
}

void host_from_srgb(host_image image, float *pixels, size_t n)
{
    g_autoptr(GObject) profile = (GObject *)gimp_image_get_color_profile(image);

    profile_from_srgb((GimpColorProfile *)profile, pixels, n);
}

host_item host_layer_mask(host_item layer)
{
    const host_item mask = gimp_layer_get_mask(layer);

    return mask > 0 && gimp_layer_get_apply_mask(layer) ? mask : HOST_NONE;
}

host_item host_quick_mask(host_image image)
{
    return host_channel_named(image, "Qmask"); // as GIMP itself finds it
}

host_item host_selection(host_image image)
{
    const host_item quick = host_quick_mask(image);

    return quick != HOST_NONE ? quick : gimp_image_get_selection(image);
}

bool host_selection_area(host_image image, struct host_area *area)
{
    gboolean some = FALSE;
    int x0, y0, x1, y1;

    if (!gimp_selection_bounds(image, &some, &x0, &y0, &x1, &y1) || !some) {
        return false;
    }
    *area = (struct host_area){.x = x0, .y = y0, .width = x1 - x0, .height = y1 - y0};
    return true;
}

char *host_attached(host_item layer, const char *name)
{
    GimpParasite *parasite = gimp_item_get_parasite(layer, name);
    char *text = NULL;

    if (parasite != NULL) {
        text = g_strndup(gimp_parasite_data(parasite), (gsize)gimp_parasite_data_size(parasite));
        gimp_parasite_free(parasite);
    }
    return text;
}

/* ---- making ---- */

host_image host_image_new(int width, int height)
{
    return gimp_image_new(width, height, GIMP_RGB);
}

void host_image_show(host_image image)
{
    gimp_image_clean_all(image);
    gimp_display_new(image); // without a screen this does nothing
}

static GimpImageType layer_type(host_image image)
{
    switch (gimp_image_base_type(image)) {
    case GIMP_GRAY:
        return GIMP_GRAYA_IMAGE;
    case GIMP_INDEXED:
        return GIMP_INDEXEDA_IMAGE;
    default:
        return GIMP_RGBA_IMAGE;
    }
}

host_item host_layer_new(host_image image, const char *name, const struct host_area *area)
{
    const host_item layer =
        gimp_layer_new(image, name, area->width, area->height, layer_type(image), 100,
                       gimp_image_get_default_new_layer_mode(image));

    gimp_layer_set_offsets(layer, area->x, area->y);
    return layer;
}

host_item host_group_new(host_image image, const char *name)
{
    const host_item group = gimp_layer_group_new(image);

    gimp_item_set_name(group, name);
    return group;
}

void host_insert(host_image image, host_item layer, host_item parent, host_item below)
{
    const host_item above = below != HOST_NONE ? gimp_item_get_parent(below) : HOST_NONE;

    if (parent != HOST_NONE) {
        gimp_image_insert_layer(image, layer, parent, 0);
    } else if (below != HOST_NONE) {
        gimp_image_insert_layer(image, layer, above > 0 ? above : 0,
                                gimp_image_get_item_position(image, below));
    } else {
        gimp_image_insert_layer(image, layer, 0, 0);
    }
}

void host_remove(host_item layer)
{
    const host_image image = gimp_item_get_image(layer);
    const host_item parent = gimp_item_get_parent(layer);
    int n = 1;

    gimp_image_remove_layer(image, layer);
    if (parent > 0) {
        g_free(gimp_item_get_children(parent, &n));
    }
    if (n == 0) {
        gimp_image_remove_layer(image, parent);
    }
}

host_item host_mask_new(host_item layer)
{
    return gimp_layer_create_mask(layer, GIMP_ADD_MASK_WHITE);
}

void host_mask_add(host_item layer, host_item mask)
{
    gimp_layer_add_mask(layer, mask);
}

void host_attach(host_item layer, const char *name, const char *text)
{
    GimpParasite *parasite =
        gimp_parasite_new(name, GIMP_PARASITE_PERSISTENT, (guint32)strlen(text) + 1, text);

    gimp_item_attach_parasite(layer, parasite);
    gimp_parasite_free(parasite);
}

void host_undo_begin(host_image image)
{
    gimp_image_undo_group_start(image);
}

void host_undo_end(host_image image)
{
    gimp_image_undo_group_end(image);
}

void host_flush(void)
{
    gimp_displays_flush();
}

/* ---- telling ---- */

void host_progress_begin(const char *text)
{
    gimp_progress_init(text);
}

void host_progress(double fraction)
{
    if (fraction < 0) {
        gimp_progress_pulse();
    } else {
        gimp_progress_update(fraction);
    }
}

void host_progress_end(void)
{
    gimp_progress_end();
}

char *host_values_file(void)
{
    return g_build_filename(gimp_directory(), "svdiff.rc", NULL);
}
