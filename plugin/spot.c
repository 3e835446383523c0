/* Places of a picture; see spot.h. */
#include "plugin/spot.h"

#include "plugin/layers_in.h"
#include "plugin/words.h"

#include <string.h>

#define SELECTION "selection"
#define LAYER     "layer "

// as scripts call them, and as people read them
static const struct part {
    const char *name, *label;
    double left, top, right, bottom;
} parts[] = {
    {"left half", N_("Left half"), 0, 0, 1.0 / 2, 1},
    {"right half", N_("Right half"), 1.0 / 2, 0, 1, 1},
    {"top half", N_("Top half"), 0, 0, 1, 1.0 / 2},
    {"bottom half", N_("Bottom half"), 0, 1.0 / 2, 1, 1},
    {"left third", N_("Left third"), 0, 0, 1.0 / 3, 1},
    {"middle third", N_("Middle third"), 1.0 / 3, 0, 2.0 / 3, 1},
    {"right third", N_("Right third"), 2.0 / 3, 0, 1, 1},
};

/* ---- names ---- */

static const struct part *find_part(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (strcmp(parts[i].name, name) == 0) {
            return &parts[i];
        }
    }
    return NULL;
}

// a channel, the selection or a layer
static bool find_item(host_image image, const char *name, struct spot *p)
{
    p->item = name[0] != '\0' ? host_channel_named(image, name) : HOST_NONE; // GIMP wants one
    if (p->item == HOST_NONE && strcmp(name, SELECTION) == 0) {
        p->item = host_selection(image);
    } else if (p->item == HOST_NONE && g_str_has_prefix(name, LAYER) &&
               name[strlen(LAYER)] != '\0') {
        p->item = host_layer_named(image, name + strlen(LAYER));
        p->is_layer = p->item != HOST_NONE;
    }
    return p->item != HOST_NONE;
}

// what the image has of the name comes first: people may call a channel as they like
bool spot_find(host_image image, const char *name, struct spot *p)
{
    const struct part *part = find_part(name);

    *p = (struct spot){.item = HOST_NONE};
    if (host_image_exists(image) && find_item(image, name, p)) {
        return true;
    }
    if (part != NULL) {
        *p = (struct spot){HOST_NONE, false, part->left, part->top, part->right, part->bottom};
    }
    return part != NULL;
}

static void add_name(GPtrArray *names, char *name)
{
    if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL)) {
        g_free(name);
    } else {
        g_ptr_array_add(names, name);
    }
}

// takes the items
static void add_items(GPtrArray *names, const char *before, GArray *items)
{
    for (guint i = 0; i < items->len; i++) {
        g_autofree char *name = host_item_name(g_array_index(items, host_item, i));
        add_name(names, g_strconcat(before, name, NULL));
    }
    g_array_unref(items);
}

// each once: where a channel and a layer, or two layers, have one name, the first one is found
char **spot_names(host_image image)
{
    GPtrArray *names = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_ptr_array_add(names, g_strdup(parts[i].name));
    }
    if (host_image_exists(image)) {
        g_ptr_array_add(names, g_strdup(SELECTION));
        add_items(names, "", host_channels(image));
        add_items(names, LAYER, host_layers(image));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

// in the order in which spot_find looks: a channel that is called so hides the part
char *spot_label(host_image image, const char *name)
{
    const bool channel = host_image_exists(image) && host_channel_named(image, name) != HOST_NONE;
    const struct part *part = find_part(name);

    return channel                        ? g_strdup_printf(_("Channel “%s”"), name)
           : part != NULL                 ? g_strdup(_(part->label))
           : strcmp(name, SELECTION) == 0 ? g_strdup(_("Selection"))
           : g_str_has_prefix(name, LAYER) ? g_strdup_printf(_("Layer “%s”"), name + strlen(LAYER))
                                           : g_strdup(name);
}

/* ---- what is there ---- */

// what of a line from `low` to `high` (shares) a point is in; beyond the ends it goes on
static bool is_within(double at, double low, double high)
{
    return (at >= low || low <= 0) && (at < high || high >= 1);
}

// a value is 1 where its pixel's middle is in the part
static void fill_part(const struct spot *p, const struct host_area *frame,
                      const struct host_area *view, int width, int height, float *to)
{
    for (int y = 0; y < height; y++) {
        const double down = view->y + (y + 0.5) * view->height / height - frame->y;
        const bool in = is_within(down / frame->height, p->top, p->bottom);
        for (int x = 0; x < width; x++) {
            const double along = view->x + (x + 0.5) * view->width / width - frame->x;
            to[(size_t)y * width + x] =
                in && is_within(along / frame->width, p->left, p->right) ? 1 : 0;
        }
    }
}

// alpha times the layer's mask
static bool fill_layer(host_item layer, const struct host_area *view, int width, int height,
                       float *to)
{
    const struct host_area at = host_item_area(layer);
    const host_item mask = host_layer_mask(layer);
    const size_t n = (size_t)width * height;
    g_autofree float *pixels = g_try_new(float, 4 * n);

    if (pixels == NULL) {
        return false;
    }
    layers_in_pixels(layer, &at, view, width, height, babl_format("R'G'B'A float"), pixels);
    for (size_t i = 0; i < n; i++) {
        to[i] = pixels[4 * i + 3];
    }
    if (mask != HOST_NONE) {
        layers_in_pixels(mask, &at, view, width, height, layers_in_mask_format(mask), pixels);
        for (size_t i = 0; i < n; i++) {
            to[i] *= pixels[i];
        }
    }
    return true;
}

// small for the map of a dialog, in full size for the worker
float *spot_mask(const struct spot *p, const struct host_area *frame, const struct host_area *view,
                 int width, int height)
{
    g_autofree float *mask = g_try_new(float, (size_t)width *height);

    if (mask == NULL) {
        return NULL;
    }
    if (p->item == HOST_NONE) {
        fill_part(p, frame, view, width, height, mask);
    } else if (!p->is_layer) {
        const struct host_area at = host_item_area(p->item);
        layers_in_pixels(p->item, &at, view, width, height, layers_in_mask_format(p->item), mask);
    } else if (!fill_layer(p->item, view, width, height, mask)) {
        return NULL;
    }
    for (size_t i = 0; i < (size_t)width * height; i++) {
        mask[i] = mask[i] > 0 ? MIN(mask[i], 1.0f) : 0.0f; // what is no number becomes 0
    }
    return g_steal_pointer(&mask);
}
