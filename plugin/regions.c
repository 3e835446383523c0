/* Masks of regions; see regions.h. */
#include "plugin/regions.h"

#include "plugin/spot.h"
#include "plugin/words.h"

#include "engine/picture/picture_exchange.h"

#include <string.h>

bool regions_write(const struct call *c, const char *argument, const char *place,
                   const struct host_area *frame, const struct host_area *view, const char *file,
                   GError **error)
{
    g_autoptr(picture) p = NULL;
    struct spot found;

    if (!spot_find(c->image, place, &found)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    _("%s names “%s”, which is no channel of this image and no other place; write "
                      "a channel's name, selection, layer and its name, or left half."),
                    argument, place);
        return false;
    }
    g_autofree float *mask = spot_mask(&found, frame, view, view->width, view->height);
    if (mask == NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    _("There is no memory for a mask of %dx%d pixels."), view->width, view->height);
        return false;
    }
    p = picture_create(view->width, view->height, 1, error);
    if (p == NULL) {
        return false;
    }
    memcpy(p->pixels, mask, (size_t)view->width * view->height * sizeof *mask);
    return picture_exchange_write(file, p, error);
}

bool regions_add(const struct call *c, const char *argument, const struct region *region,
                 int number, const struct host_area *frame, const struct host_area *view,
                 const scratch *folder, GPtrArray *arguments, GError **error)
{
    g_autofree char *name = g_strdup_printf("place-%d.tif", number);
    g_autofree char *file = scratch_file(folder, name);

    if (!regions_write(c, argument, region->place, frame, view, file, error)) {
        return false;
    }
    g_autofree char *words = g_strdup_printf("%s=%s", file, region->text);
    call_add_text(arguments, "--region", words);
    return true;
}

bool regions_add_list(const struct call *c, const struct host_area *frame,
                      const struct host_area *view, const scratch *folder, GPtrArray *arguments,
                      GError **error)
{
    const char *list = values_has(c->values, "regions") ? values_text(c->values, "regions") : "";
    g_auto(GStrv) names = spot_names(c->image);
    g_autoptr(GArray) regions = regions_parse(list, names, error);
    bool added = regions != NULL;

    for (guint i = 0; added && i < regions->len; i++) {
        added = regions_add(c, "regions", &g_array_index(regions, struct region, i), (int)i, frame,
                            view, folder, arguments, error);
    }
    return added;
}
