/* What of a layer is the subject; see marks.h. */
#include "plugin/marks.h"

#include "plugin/layers_in.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#define SIDE_MIN 8 // pixels

struct mark {
    enum call_mark kind;
    host_item item;        // HOST_NONE: nothing does, all of the layer is the subject
    struct host_area area; // of the item, in the image
};

static bool check_channel(const struct call *c, host_item mask, GError **error)
{
    return host_is_channel_of(mask, c->image) ||
           error_usage(
               error,
               _("mask-channel is no channel of this image; choose one of its channels, or none."));
}

// what is said counts most, what was done for this run next, what the layer has always last
enum call_mark marks_of(const struct call *c, host_item layer, host_item mask)
{
    struct host_area selected;

    return mask != HOST_NONE                          ? CALL_MARK_CHANNEL
           : layers_in_selection(c->image, &selected) ? CALL_MARK_SELECTION
           : host_layer_mask(layer) != HOST_NONE      ? CALL_MARK_MASK
                                                      : CALL_MARK_NONE;
}

// the first of the given channel, the selection and the layer's mask; false with a sentence
static bool find_mark(const struct call *c, host_item layer, host_item given, struct mark *mark,
                      GError **error)
{
    const enum call_mark kind = marks_of(c, layer, given);
    const bool apart = kind == CALL_MARK_CHANNEL || kind == CALL_MARK_SELECTION;

    if (kind == CALL_MARK_CHANNEL && !check_channel(c, given, error)) {
        return false;
    }
    mark->kind = kind;
    mark->item = kind == CALL_MARK_CHANNEL     ? given
                 : kind == CALL_MARK_SELECTION ? host_selection(c->image)
                 : kind == CALL_MARK_MASK      ? host_layer_mask(layer)
                                               : HOST_NONE;
    mark->area = host_item_area(apart ? mark->item : layer); // a mask lies where its layer does
    return true;
}

static bool fail_empty(const struct mark *mark, host_item layer, GError **error)
{
    g_autofree char *name = host_item_name(mark->kind == CALL_MARK_MASK ? layer : mark->item);

    return error_failed(
        error,
        mark->kind == CALL_MARK_MASK
            ? _("The mask of the layer “%s” marks nothing; paint the subject white in it.")
            : _("The channel “%s” marks nothing; paint the subject white in it."),
        name);
}

// begins at the middle of what is marked, stays in the layer
static int place(int low, int length, int mark_low, int mark_length, int side)
{
    return CLAMP(mark_low + mark_length / 2 - side / 2, low, low + length - side);
}

/* The part of the layer that is learned from: a square around what is marked, a little larger, as
 * far as the layer goes. Learning would otherwise see a small subject smaller still. */
static bool find_area(host_item layer, const struct mark *mark, struct host_area *area,
                      GError **error)
{
    const struct host_area whole = host_item_area(layer);
    struct host_area bounds, b;

    *area = whole;
    if (mark->item == HOST_NONE) {
        return true;
    }
    if (!layers_in_bounds(mark->item, &mark->area, &bounds)) {
        return fail_empty(mark, layer, error);
    }
    if (!layers_in_intersect(&whole, &bounds, &b)) {
        g_autofree char *name = host_item_name(layer);
        return error_failed(
            error, _("What is marked lies beside the layer “%s”; select something on the layer."),
            name);
    }
    const int side = MAX(SIDE_MIN, MAX(b.width, b.height) * 5 / 4);
    area->width = MIN(side, whole.width);
    area->height = MIN(side, whole.height);
    area->x = place(whole.x, whole.width, b.x, b.width, area->width);
    area->y = place(whole.y, whole.height, b.y, b.height, area->height);
    return true;
}

bool marks_add(const struct call *c, host_item layer, host_item mask, int number,
               const scratch *folder, GPtrArray *arguments, GError **error)
{
    g_autofree char *name = g_strdup_printf("layer-%d.tif", number);
    g_autofree char *mask_name = g_strdup_printf("mask-%d.tif", number);
    struct host_area area;
    struct mark mark;

    if (!find_mark(c, layer, mask, &mark, error) || !find_area(layer, &mark, &area, error)) {
        return false;
    }
    picture *shown = layers_in_read(layer, &area, mark.kind != CALL_MARK_MASK, error);
    if (!call_add_picture(arguments, "--image", folder, name, shown, error)) {
        return false;
    }
    return mark.item == HOST_NONE ||
           call_add_picture(arguments, "--mask", folder, mask_name,
                            layers_in_mask_picture(mark.item, &mark.area, &area, error), error);
}
