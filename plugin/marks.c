/* What of a layer is the subject; see marks.h. */
#include "plugin/marks.h"

#include "plugin/layers_in.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#define SIDE_MIN 8 // pixels

struct mark {
    enum call_mark kind;
    host_item item; // HOST_NONE: nothing does, all of the layer is the subject
    struct host_area area;
};

static bool check_channel(const struct call *c, host_item mask, GError **error)
{
    if (host_is_channel_of(mask, c->image)) {
        return true;
    }
    g_set_error(
        error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
        _("mask-channel is no channel of this image; choose one of its channels, or none."));
    return false;
}

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
    *mark = (struct mark){.kind = marks_of(c, layer, given)};
    switch (mark->kind) {
    case CALL_MARK_CHANNEL:
        mark->item = given;
        break;
    case CALL_MARK_SELECTION:
        mark->item = host_selection(c->image);
        break;
    case CALL_MARK_MASK:
        mark->item = host_layer_mask(layer);
        break;
    case CALL_MARK_NONE:
        mark->item = HOST_NONE;
        break;
    }
    if (mark->kind == CALL_MARK_CHANNEL && !check_channel(c, given, error)) {
        return false;
    }
    // a mask lies where its layer does
    const bool apart = mark->kind == CALL_MARK_CHANNEL || mark->kind == CALL_MARK_SELECTION;
    mark->area = host_item_area(apart ? mark->item : layer);
    return true;
}

static bool fail_empty(const struct mark *mark, host_item layer, GError **error)
{
    g_autofree char *name = host_item_name(mark->kind == CALL_MARK_MASK ? layer : mark->item);

    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                mark->kind == CALL_MARK_MASK
                    ? _("The mask of the layer “%s” marks nothing; paint the subject white in it.")
                    : _("The channel “%s” marks nothing; paint the subject white in it."),
                name);
    return false;
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
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    _("What is marked lies beside the layer “%s”; select something on the layer."),
                    name);
        return false;
    }
    const int side = MAX(SIDE_MIN, MAX(b.width, b.height) * 5 / 4);
    area->width = MIN(side, whole.width);
    area->height = MIN(side, whole.height);
    area->x = place(whole.x, whole.width, b.x, b.width, area->width);
    area->y = place(whole.y, whole.height, b.y, b.height, area->height);
    return true;
}

// writes what marks the subject in the area, and adds it
static bool add_mask(const struct mark *mark, const struct host_area *area, const char *file,
                     GPtrArray *arguments, GError **error)
{
    g_autoptr(picture) p = layers_in_mask_picture(mark->item, &mark->area, area, error);

    if (p == NULL || !picture_exchange_write(file, p, error)) {
        return false;
    }
    call_add_text(arguments, "--mask", file);
    return true;
}

bool marks_add(const struct call *c, host_item layer, host_item mask, int number,
               const scratch *folder, GPtrArray *arguments, GError **error)
{
    g_autofree char *name = g_strdup_printf("layer-%d.tif", number);
    g_autofree char *mask_name = g_strdup_printf("mask-%d.tif", number);
    g_autofree char *file = scratch_file(folder, name);
    g_autofree char *mask_file = scratch_file(folder, mask_name);
    struct host_area area;
    struct mark mark;

    if (!find_mark(c, layer, mask, &mark, error) || !find_area(layer, &mark, &area, error)) {
        return false;
    }
    g_autoptr(picture) p = layers_in_read(layer, &area, mark.kind != CALL_MARK_MASK, error);
    if (p == NULL || !picture_exchange_write(file, p, error)) {
        return false;
    }
    call_add_text(arguments, "--image", file);
    return mark.item == HOST_NONE || add_mask(&mark, &area, mask_file, arguments, error);
}
