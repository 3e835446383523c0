/* Images, layers and progress, of both GIMPs; see host.h. It is compiled once for each, with the
 * names of host_ids.h. */
#include "plugin/host_ids.h"

#include "plugin/profile.h"

#include "engine/svdiff.h"

#include <string.h>

/* ---- reading ---- */

bool host_image_exists(host_image image)
{
    return image > 0 && gimp_image_id_is_valid(image);
}

/* Ids come from scripts, from other processes and from what a dialog kept: the image may have been
 * closed meanwhile, and GIMP's library complains on the terminal of an id that is none. */
static bool item_exists(host_item item)
{
    return item > 0 && gimp_item_id_is_valid(item);
}

static bool belongs(host_item item, host_image image)
{
    return item_exists(item) && host_image_of(item) == image;
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
    return item_exists(item) && gimp_item_id_is_layer(item);
}

host_image host_image_of(host_item item)
{
    return id_of(gimp_item_get_image(ITEM(item)));
}

// GIMP gives the mask as the drawable while it is painted in
host_item host_layer_of(host_item item)
{
    const bool mask = item_exists(item) && gimp_item_id_is_layer_mask(item);

    return mask ? id_of(gimp_layer_from_mask(MASK(item))) : item;
}

// the group that an item lies in, or HOST_NONE
static host_item parent_of(host_item item)
{
    return id_of(gimp_item_get_parent(ITEM(item)));
}

bool host_is_shown(host_item layer)
{
    bool shown = true;

    for (host_item item = layer; item != HOST_NONE && shown; item = parent_of(item)) {
        shown = gimp_item_get_visible(ITEM(item));
    }
    return shown;
}

// the layers of a list, each group followed by what is in it
static void add_layers(GArray *to, enum host_list list, int of)
{
    g_autoptr(GArray) layers = host_list(list, of);

    for (guint i = 0; i < layers->len; i++) {
        const host_item layer = g_array_index(layers, host_item, i);
        g_array_append_val(to, layer);
        if (gimp_item_is_group(ITEM(layer))) {
            add_layers(to, HOST_CHILDREN, layer);
        }
    }
}

GArray *host_all_layers(void)
{
    g_autoptr(GArray) images = host_list(HOST_IMAGES, HOST_NONE);
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));

    for (guint i = 0; i < images->len; i++) {
        add_layers(all, HOST_LAYERS, g_array_index(images, host_image, i));
    }
    return all;
}

GArray *host_layers(host_image image)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));

    add_layers(all, HOST_LAYERS, image);
    return all;
}

GArray *host_channels(host_image image)
{
    return host_list(HOST_CHANNELS, image);
}

host_item host_channel_named(host_image image, const char *name)
{
    return id_of(gimp_image_get_channel_by_name(IMAGE(image), name));
}

host_item host_layer_named(host_image image, const char *name)
{
    return id_of(gimp_image_get_layer_by_name(IMAGE(image), name));
}

// the colours stay as they are: each of the palette has its place in RGB
host_image host_copy_in_rgb(host_image image)
{
    const host_image copy = id_of(gimp_image_duplicate(IMAGE(image)));

    gimp_image_convert_rgb(IMAGE(copy));
    host_image_show(copy);
    return copy;
}

// a channel, the selection too, is as large as the image and lies at its corner
struct host_area host_item_area(host_item item)
{
    struct host_area area = {.width = gimp_drawable_get_width(DRAWABLE(item)),
                             .height = gimp_drawable_get_height(DRAWABLE(item))};

    gimp_drawable_get_offsets(DRAWABLE(item), &area.x, &area.y);
    return area;
}

// among those of its group or image, 0 on top
static int position_of(host_item item)
{
    return gimp_image_get_item_position(IMAGE(host_image_of(item)), ITEM(item));
}

host_item host_highest(const host_item *layers, int n)
{
    host_item highest = layers[0];

    for (int i = 1; i < n; i++) {
        if (parent_of(layers[i]) == parent_of(highest) &&
            position_of(layers[i]) < position_of(highest)) {
            highest = layers[i];
        }
    }
    return highest;
}

char *host_item_name(host_item item)
{
    return gimp_item_get_name(ITEM(item));
}

// the profile of an image, which is to be released, or NULL
static GimpColorProfile *profile_of(host_image image)
{
    return gimp_image_get_color_profile(IMAGE(image));
}

void host_to_srgb(host_image image, float *pixels, size_t n)
{
    g_autoptr(GObject) profile = (GObject *)profile_of(image); // 2.10 has no autoptr of its own

    profile_to_srgb((GimpColorProfile *)profile, pixels, n);
}

void host_from_srgb(host_image image, float *pixels, size_t n)
{
    g_autoptr(GObject) profile = (GObject *)profile_of(image);

    profile_from_srgb((GimpColorProfile *)profile, pixels, n);
}

// one that is switched off in the dialog of layers does not count: it is not to be seen
host_item host_layer_mask(host_item layer)
{
    const host_item mask = id_of(gimp_layer_get_mask(LAYER(layer)));

    return mask != HOST_NONE && gimp_layer_get_apply_mask(LAYER(layer)) ? mask : HOST_NONE;
}

host_item host_quick_mask(host_image image)
{
    return host_channel_named(image, "Qmask"); // as GIMP itself finds it
}

host_item host_selection(host_image image)
{
    const host_item quick = host_quick_mask(image);

    return quick != HOST_NONE ? quick : id_of(gimp_image_get_selection(IMAGE(image)));
}

// GIMP gives the whole image where nothing is selected, and says so
bool host_selection_area(host_image image, struct host_area *area)
{
    gboolean some = FALSE;
    int x0, y0, x1, y1;

    if (!gimp_selection_bounds(IMAGE(image), &some, &x0, &y0, &x1, &y1) || !some) {
        return false;
    }
    *area = (struct host_area){.x = x0, .y = y0, .width = x1 - x0, .height = y1 - y0};
    return true;
}

char *host_attached(host_item layer, const char *name)
{
    GimpParasite *parasite = gimp_item_get_parasite(ITEM(layer), name);
    char *text = NULL;

    if (parasite != NULL) {
        text = g_strndup(parasite->data, parasite->size); // a stranger's need not end with a 0
        gimp_parasite_free(parasite);
    }
    return text;
}

/* ---- making ---- */

host_image host_image_new(int width, int height)
{
    return id_of(gimp_image_new(width, height, GIMP_RGB));
}

void host_image_show(host_image image)
{
    gimp_image_clean_all(IMAGE(image));
    gimp_display_new(IMAGE(image)); // without a screen this does nothing
}

// a layer has its image's mode; with alpha, as results are masked
static GimpImageType layer_type(host_image image)
{
    switch (gimp_image_get_base_type(IMAGE(image))) {
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
        id_of(gimp_layer_new(IMAGE(image), name, area->width, area->height, layer_type(image), 100,
                             gimp_image_get_default_new_layer_mode(IMAGE(image))));

    gimp_layer_set_offsets(LAYER(layer), area->x, area->y);
    return layer;
}

host_item host_group_new(host_image image, const char *name)
{
    const host_item group = id_of(gimp_group_layer_new(IMAGE(image), name));

    gimp_item_set_name(ITEM(group), name); // 2.10 makes it without one
    return group;
}

// position 0 is on top; one above `below` takes its position and moves it down
void host_insert(host_image image, host_item layer, host_item parent, host_item below)
{
    const bool beside = parent == HOST_NONE && below != HOST_NONE;
    const host_item group = beside ? parent_of(below) : parent;

    gimp_image_insert_layer(IMAGE(image), LAYER(layer), GROUP(group),
                            beside ? position_of(below) : 0);
}

// the group was made for the pictures of one run (layers_out.c)
void host_remove(host_item layer)
{
    const host_image image = host_image_of(layer);
    const host_item parent = parent_of(layer);

    gimp_image_remove_layer(IMAGE(image), LAYER(layer));
    if (parent != HOST_NONE) {
        g_autoptr(GArray) left = host_list(HOST_CHILDREN, parent);
        if (left->len == 0) {
            gimp_image_remove_layer(IMAGE(image), LAYER(parent));
        }
    }
}

host_item host_mask_new(host_item layer)
{
    return id_of(gimp_layer_create_mask(LAYER(layer), GIMP_ADD_MASK_WHITE));
}

// GIMP paints into a mask from when it is there, without a word: a person who goes on would
// paint holes into the result
void host_mask_add(host_item layer, host_item mask)
{
    gimp_layer_add_mask(LAYER(layer), MASK(mask));
    gimp_layer_set_edit_mask(LAYER(layer), FALSE);
}

// persistent: saved with the image; the 0 at its end is for programs that read it as a text
void host_attach(host_item layer, const char *name, const char *text)
{
    GimpParasite *parasite =
        gimp_parasite_new(name, GIMP_PARASITE_PERSISTENT, (guint32)strlen(text) + 1, text);

    gimp_item_attach_parasite(ITEM(layer), parasite);
    gimp_parasite_free(parasite);
}

void host_undo_begin(host_image image)
{
    gimp_image_undo_group_start(IMAGE(image));
}

void host_undo_end(host_image image)
{
    gimp_image_undo_group_end(IMAGE(image));
}

void host_flush(void)
{
    gimp_displays_flush();
}

/* ---- telling ---- */

GimpPDBStatusType host_status(const GError *error)
{
    return g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED) ? GIMP_PDB_CANCEL
           : g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE)   ? GIMP_PDB_CALLING_ERROR
                                                                        : GIMP_PDB_EXECUTION_ERROR;
}

void host_progress_begin(const char *text)
{
    gimp_progress_init(text);
}

/* Asking GIMP for anything is how a plug-in learns that GIMP is gone: the library then ends the
 * process. */
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
