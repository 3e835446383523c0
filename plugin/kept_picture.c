/* Pictures of the history in images; see kept_picture.h. */
#include "plugin/kept_picture.h"

#include "plugin/kept_layer.h"
#include "plugin/layers_in.h"
#include "plugin/layers_out.h"
#include "plugin/results.h"
#include "plugin/settings.h"

char *kept_picture_title(const struct history_entry *entry)
{
    int64_t seed;

    return settings_seed(entry->settings, &seed) ? results_name(entry->prompt, seed)
                                                 : g_strdup(entry->prompt);
}

// where it goes in this image
static struct host_area place(const struct host_area *area, host_image image)
{
    struct host_area shared, here = *area;

    if (image != HOST_NONE) {
        const struct host_area whole = host_item_area(host_selection(image));
        if (layers_in_intersect(&whole, &here, &shared)) {
            return here;
        }
    }
    here.x = here.y = 0;
    return here;
}

// as a run inserts its own, marked so that it can be taken out again
static host_item insert(const struct history_entry *entry, const char *name, picture *p,
                        const float *mask, host_image image, host_item below)
{
    g_autofree char *title = kept_picture_title(entry);
    // prompt NULL: it is in the history already
    const struct layers_out_picture shown = {
        .pixels = p, .name = title, .settings = entry->settings, .kept = (char *)name};
    const struct layers_out out = {.image = image,
                                   .below = below,
                                   .area = place(&entry->area, image),
                                   .mask = mask,
                                   .pictures = &shown,
                                   .n = 1};
    host_item layer;

    layers_out_insert(&out, &layer);
    return layer;
}

host_item kept_picture_apply(const char *folder, const char *name, host_image image,
                             host_item below, GError **error)
{
    struct history_entry entry;
    g_autofree float *mask = NULL;
    host_item layer = HOST_NONE;

    if (!history_read(folder, name, &entry, error)) {
        return HOST_NONE;
    }
    g_autoptr(picture) p = history_picture(folder, name, &entry, &mask, error);
    if (p != NULL) {
        layer = insert(&entry, name, p, mask, image,
                       host_is_layer_of(below, image) ? below : HOST_NONE);
    }
    history_entry_clear(&entry);
    return layer;
}

/* ---- out again ---- */

static int compare_images(const void *a, const void *b)
{
    return host_image_of(*(const host_item *)a) - host_image_of(*(const host_item *)b);
}

// undo brings back what was taken out of one image at once
int kept_picture_take_out(char *const *names)
{
    g_autoptr(GArray) layers = kept_layer_find(names);
    host_image image = HOST_NONE;

    g_array_sort(layers, compare_images); // those of an image one after another
    for (guint i = 0; i < layers->len; i++) {
        const host_item layer = g_array_index(layers, host_item, i);
        const host_image its = host_image_of(layer);
        // one step of undo for each image
        if (its != image) {
            if (image != HOST_NONE) {
                host_undo_end(image);
            }
            host_undo_begin(its);
            image = its;
        }
        host_remove(layer);
    }
    if (image != HOST_NONE) {
        host_undo_end(image);
        host_flush();
    }
    return (int)layers->len;
}
