/* What of a layer is the subject; see marks.h. */
#include "plugin/marks.h"

#include "plugin/layers_in.h"

#include "engine/svdiff.h"

static bool check_channel(const struct call *c, host_item mask, GError **error)
{
    if (host_is_channel_of(mask, c->image)) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                "mask-channel is no channel of this image; choose one of its channels, or none.");
    return false;
}

// the rectangle that marks the subject: of the mask, else of the selection; false with a sentence
static bool find_mark(const struct call *c, host_item layer, host_item mask, struct host_area *mark,
                      GError **error)
{
    *mark = host_item_area(layer);
    if (mask == HOST_NONE) {
        host_selection_area(c->image, mark);
        return true;
    }
    if (!check_channel(c, mask, error)) {
        return false;
    }
    if (!layers_in_bounds(mask, mark)) {
        g_autofree char *name = host_item_name(mask);
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The channel “%s” marks nothing; paint the subject white in it.", name);
        return false;
    }
    return true;
}

// the part of the layer that is learned from; false with a sentence
static bool find_area(const struct call *c, host_item layer, host_item mask, struct host_area *area,
                      GError **error)
{
    const struct host_area whole = host_item_area(layer);
    struct host_area mark;

    if (!find_mark(c, layer, mask, &mark, error)) {
        return false;
    }
    if (!layers_in_intersect(&whole, &mark, area)) {
        g_autofree char *name = host_item_name(layer);
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "What is marked lies beside the layer “%s”; select something on the layer.",
                    name);
        return false;
    }
    return true;
}

bool marks_add(const struct call *c, host_item layer, host_item mask, int number,
               const scratch *folder, GPtrArray *arguments, GError **error)
{
    g_autofree char *name = g_strdup_printf("layer-%d.tif", number);
    g_autofree char *file = scratch_file(folder, name);
    struct host_area area;

    if (!find_area(c, layer, mask, &area, error)) {
        return false;
    }
    g_autoptr(picture) p = layers_in_read(layer, &area, error);
    if (p == NULL || !picture_write(file, p, NULL, 0, error)) {
        return false;
    }
    call_add_text(arguments, "--image", file);
    return true;
}
