/* Images, layers and progress of GIMP 3; see host.h. Objects of images and items belong to GIMP's
 * library and are never released here. */
#include "plugin/host.h"

#include "plugin/profile.h"

#include <libgimp/gimp.h>
#include <string.h>

static GimpImage *image_of(host_image image)
{
    return gimp_image_get_by_id(image);
}

static GimpItem *item_of(host_item item)
{
    return gimp_item_get_by_id(item);
}

static GimpLayer *layer_of(host_item layer)
{
    return gimp_layer_get_by_id(layer);
}

static GimpDrawable *drawable_of(host_item item)
{
    return gimp_drawable_get_by_id(item);
}

/* ---- reading ---- */

bool host_image_exists(host_image image)
{
    return image > 0 && gimp_image_id_is_valid(image);
}

static bool belongs(host_item item, host_image image)
{
    return item > 0 && gimp_item_id_is_valid(item) && host_image_exists(image) &&
           gimp_item_get_image(item_of(item)) == image_of(image);
}

bool host_is_layer_of(host_item item, host_image image)
{
    return belongs(item, image) && gimp_item_id_is_layer(item);
}

bool host_is_channel_of(host_item item, host_image image)
{
    return belongs(item, image) && gimp_item_id_is_channel(item) &&
           !gimp_item_id_is_layer_mask(item);
}

bool host_layer_exists(host_item item)
{
    return item > 0 && gimp_item_id_is_valid(item) && gimp_item_id_is_layer(item);
}

host_image host_image_of(host_item item)
{
    return gimp_image_get_id(gimp_item_get_image(item_of(item)));
}

GArray *host_chosen_layers(host_image image, bool several)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));
    g_autofree GimpLayer **chosen = gimp_image_get_selected_layers(image_of(image));

    for (int i = 0; chosen != NULL && chosen[i] != NULL; i++) {
        const host_item item = gimp_item_get_id(GIMP_ITEM(chosen[i]));
        g_array_append_val(all, item);
    }
    return all;
}

host_item host_layer_before(host_image image)
{
    g_autofree GimpChannel **channels = gimp_image_get_selected_channels(image_of(image));

    gimp_image_unset_active_channel(image_of(image));
    g_autofree GimpLayer **layers = gimp_image_get_selected_layers(image_of(image));
    if (channels != NULL && channels[0] != NULL) {
        gimp_image_set_selected_channels(image_of(image), (const GimpChannel **)channels);
    }
    return layers != NULL && layers[0] != NULL ? gimp_item_get_id(GIMP_ITEM(layers[0])) : HOST_NONE;
}

host_item host_layer_of(host_item item)
{
    const bool mask = item > 0 && gimp_item_id_is_layer_mask(item);

    return mask ? gimp_item_get_id(GIMP_ITEM(gimp_layer_from_mask(gimp_layer_mask_get_by_id(item))))
                : item;
}

bool host_is_shown(host_item layer)
{
    bool shown = true;

    for (GimpItem *item = item_of(layer); item != NULL && shown;
         item = gimp_item_get_parent(item)) {
        shown = gimp_item_get_visible(item);
    }
    return shown;
}

static void add_all(GArray *to, GimpItem **items)
{
    for (int i = 0; items != NULL && items[i] != NULL; i++) {
        const host_item item = gimp_item_get_id(items[i]);
        g_array_append_val(to, item);
        if (gimp_item_is_group(items[i])) {
            g_autofree GimpItem **children = gimp_item_get_children(items[i]);
            add_all(to, children);
        }
    }
}

GArray *host_all_layers(void)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));
    g_autofree GimpImage **images = gimp_get_images();

    for (int i = 0; images != NULL && images[i] != NULL; i++) {
        g_autofree GimpLayer **layers = gimp_image_get_layers(images[i]);
        add_all(all, (GimpItem **)layers);
    }
    return all;
}

host_item host_channel_named(host_image image, const char *name)
{
    GimpChannel *channel = gimp_image_get_channel_by_name(image_of(image), name);

    return channel != NULL ? gimp_item_get_id(GIMP_ITEM(channel)) : HOST_NONE;
}

host_item host_layer_named(host_image image, const char *name)
{
    GimpLayer *layer = gimp_image_get_layer_by_name(image_of(image), name);

    return layer != NULL ? gimp_item_get_id(GIMP_ITEM(layer)) : HOST_NONE;
}

static void add_items(GArray *to, GimpItem **items)
{
    for (; items != NULL && *items != NULL; items++) {
        const host_item id = gimp_item_get_id(*items);
        g_array_append_val(to, id);
        if (gimp_item_is_group(*items)) {
            g_autofree GimpItem **children = gimp_item_get_children(*items);
            add_items(to, children);
        }
    }
}

// the ids of a list of objects that ends with NULL, each followed by what is in it
static host_item *ids_of(void *items, int *n)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));

    add_items(all, items);
    g_free(items);
    *n = (int)all->len;
    return (host_item *)(void *)g_array_free(all, FALSE);
}

host_item *host_channels(host_image image, int *n)
{
    return ids_of(gimp_image_get_channels(image_of(image)), n);
}

host_item *host_layers(host_image image, int *n)
{
    return ids_of(gimp_image_get_layers(image_of(image)), n);
}

host_image host_copy_in_rgb(host_image image)
{
    GimpImage *copy = gimp_image_duplicate(gimp_image_get_by_id(image));

    gimp_image_convert_rgb(copy);
    gimp_image_clean_all(copy);
    gimp_display_new(copy);
    return gimp_image_get_id(copy);
}

int host_palette_size(host_image image)
{
    GimpPalette *palette = gimp_image_get_base_type(image_of(image)) == GIMP_INDEXED
                               ? gimp_image_get_palette(image_of(image))
                               : NULL;

    return palette != NULL ? gimp_palette_get_color_count(palette) : 0;
}

struct host_area host_item_area(host_item item)
{
    GimpDrawable *drawable = drawable_of(item);
    struct host_area area = {.width = gimp_drawable_get_width(drawable),
                             .height = gimp_drawable_get_height(drawable)};

    gimp_drawable_get_offsets(drawable, &area.x, &area.y);
    return area;
}

host_item host_highest(const host_item *layers, int n)
{
    GimpItem *highest = item_of(layers[0]), *parent = gimp_item_get_parent(highest);
    GimpImage *image = gimp_item_get_image(highest);

    for (int i = 1; i < n; i++) {
        GimpItem *layer = item_of(layers[i]);
        if (gimp_item_get_parent(layer) == parent &&
            gimp_image_get_item_position(image, layer) <
                gimp_image_get_item_position(image, highest)) {
            highest = layer;
        }
    }
    return gimp_item_get_id(highest);
}

char *host_item_name(host_item item)
{
    return gimp_item_get_name(item_of(item));
}

// the part of a layer's pixels that lies where another, of the same image or a copy, lies
static GeglBuffer *part_of(GimpLayer *from, GimpLayer *where)
{
    g_autoptr(GeglBuffer) pixels = gimp_drawable_get_buffer(GIMP_DRAWABLE(from));
    GeglRectangle whole = {0, 0, gimp_drawable_get_width(GIMP_DRAWABLE(where)),
                           gimp_drawable_get_height(GIMP_DRAWABLE(where))};
    GeglRectangle part = whole;
    GeglBuffer *buffer = gegl_buffer_new(&whole, gegl_buffer_get_format(pixels));
    int x, y, from_x, from_y;

    gimp_drawable_get_offsets(GIMP_DRAWABLE(where), &x, &y);
    gimp_drawable_get_offsets(GIMP_DRAWABLE(from), &from_x, &from_y);
    part.x = x - from_x;
    part.y = y - from_y;
    gegl_buffer_copy(pixels, &part, GEGL_ABYSS_NONE, buffer, &whole);
    return buffer;
}

/* What a layer shows with its filters, within its own rectangle. They are merged in a copy of the
 * image, which shares its memory: merging changes the image that it happens in, even where the
 * layer is not part of it. Names of layers are unique. */
static GeglBuffer *filtered_buffer(GimpLayer *layer)
{
    GimpImage *image = gimp_image_duplicate(gimp_item_get_image(GIMP_ITEM(layer)));
    g_autofree char *name = gimp_item_get_name(GIMP_ITEM(layer));
    GimpLayer *copy = gimp_image_get_layer_by_name(image, name);

    gimp_drawable_merge_filters(GIMP_DRAWABLE(copy));
    GeglBuffer *buffer = part_of(copy, layer);
    gimp_image_delete(image);
    return buffer;
}

GeglBuffer *host_buffer(host_item item)
{
    GimpDrawable *drawable = drawable_of(item);
    g_autofree GimpDrawableFilter **filters = gimp_drawable_get_filters(drawable);
    const bool filtered = gimp_item_id_is_layer(item) && !gimp_item_id_is_group_layer(item) &&
                          filters != NULL && filters[0] != NULL;

    return filtered ? filtered_buffer(layer_of(item)) : gimp_drawable_get_buffer(drawable);
}

void host_to_srgb(host_image image, float *pixels, size_t n)
{
    g_autoptr(GimpColorProfile) profile = gimp_image_get_color_profile(image_of(image));

    profile_to_srgb(profile, pixels, n);
}

void host_from_srgb(host_image image, float *pixels, size_t n)
{
    g_autoptr(GimpColorProfile) profile = gimp_image_get_color_profile(image_of(image));

    profile_from_srgb(profile, pixels, n);
}

host_item host_layer_mask(host_item layer)
{
    GimpLayerMask *mask = gimp_layer_get_mask(layer_of(layer));

    return mask != NULL && gimp_layer_get_apply_mask(layer_of(layer))
               ? gimp_item_get_id(GIMP_ITEM(mask))
               : HOST_NONE;
}

host_item host_quick_mask(host_image image)
{
    return host_channel_named(image, "Qmask"); // as GIMP itself finds it
}

host_item host_selection(host_image image)
{
    const host_item quick = host_quick_mask(image);

    return quick != HOST_NONE
               ? quick
               : gimp_item_get_id(GIMP_ITEM(gimp_image_get_selection(image_of(image))));
}

bool host_selection_area(host_image image, struct host_area *area)
{
    gboolean some = FALSE;
    int x0, y0, x1, y1;

    if (!gimp_selection_bounds(image_of(image), &some, &x0, &y0, &x1, &y1) || !some) {
        return false;
    }
    *area = (struct host_area){.x = x0, .y = y0, .width = x1 - x0, .height = y1 - y0};
    return true;
}

char *host_attached(host_item layer, const char *name)
{
    GimpParasite *parasite = gimp_item_get_parasite(item_of(layer), name);
    char *text = NULL;

    if (parasite != NULL) {
        guint32 size;
        const char *data = gimp_parasite_get_data(parasite, &size);
        text = g_strndup(data, size);
        gimp_parasite_free(parasite);
    }
    return text;
}

/* ---- making ---- */

host_image host_image_new(int width, int height)
{
    return gimp_image_get_id(gimp_image_new(width, height, GIMP_RGB));
}

void host_image_show(host_image image)
{
    gimp_image_clean_all(image_of(image));
    gimp_display_new(image_of(image)); // without a screen this does nothing
}

static GimpImageType layer_type(GimpImage *image)
{
    switch (gimp_image_get_base_type(image)) {
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
    GimpImage *parent = image_of(image);
    GimpLayer *layer = gimp_layer_new(parent, name, area->width, area->height, layer_type(parent),
                                      100, gimp_image_get_default_new_layer_mode(parent));

    gimp_layer_set_offsets(layer, area->x, area->y);
    return gimp_item_get_id(GIMP_ITEM(layer));
}

host_item host_group_new(host_image image, const char *name)
{
    return gimp_item_get_id(GIMP_ITEM(gimp_group_layer_new(image_of(image), name)));
}

void host_insert(host_image image, host_item layer, host_item parent, host_item below)
{
    GimpItem *above = below != HOST_NONE ? gimp_item_get_parent(item_of(below)) : NULL;
    GimpLayer *group = above != NULL ? GIMP_LAYER(above) : NULL;
    int position = 0;

    if (parent != HOST_NONE) {
        group = layer_of(parent);
    } else if (below != HOST_NONE) {
        position = gimp_image_get_item_position(image_of(image), item_of(below));
    }
    gimp_image_insert_layer(image_of(image), layer_of(layer), group, position);
}

void host_remove(host_item layer)
{
    GimpImage *image = gimp_item_get_image(item_of(layer));
    GimpItem *parent = gimp_item_get_parent(item_of(layer));

    gimp_image_remove_layer(image, layer_of(layer));
    g_autofree GimpItem **left = parent != NULL ? gimp_item_get_children(parent) : NULL;
    if (parent != NULL && (left == NULL || left[0] == NULL)) {
        gimp_image_remove_layer(image, GIMP_LAYER(parent));
    }
}

host_item host_mask_new(host_item layer)
{
    return gimp_item_get_id(
        GIMP_ITEM(gimp_layer_create_mask(layer_of(layer), GIMP_ADD_MASK_WHITE)));
}

void host_mask_add(host_item layer, host_item mask)
{
    gimp_layer_add_mask(layer_of(layer), GIMP_LAYER_MASK(item_of(mask)));
}

void host_attach(host_item layer, const char *name, const char *text)
{
    GimpParasite *parasite =
        gimp_parasite_new(name, GIMP_PARASITE_PERSISTENT, (guint32)strlen(text) + 1, text);

    gimp_item_attach_parasite(item_of(layer), parasite);
    gimp_parasite_free(parasite);
}

void host_undo_begin(host_image image)
{
    gimp_image_undo_group_start(image_of(image));
}

void host_undo_end(host_image image)
{
    gimp_image_undo_group_end(image_of(image));
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
