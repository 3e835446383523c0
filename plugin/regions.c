/* Masks of regions; see regions.h. */
#include "plugin/regions.h"

#include "plugin/layers_in.h"
#include "plugin/spot.h"
#include "plugin/words.h"

#include "engine/base/error.h"

picture *regions_mask(const struct call *c, const char *argument, const char *place,
                      const struct host_area *frame, const struct host_area *view, GError **error)
{
    struct spot found;

    if (!spot_find(c->image, place, &found)) {
        error_usage(error,
                    _("%s names “%s”, which is no channel of this image and no other place; write "
                      "a channel's name, selection, layer and its name, or left half."),
                    argument, place);
        return NULL;
    }
    // NULL of spot_mask: no memory, which layers_in_one_channel says
    return layers_in_one_channel(spot_mask(&found, frame, view, view->width, view->height), view,
                                 error);
}

// FILE=TEXT; the worker looks where the file ends, so that either may hold a =
bool regions_add(const struct call *c, const char *argument, const struct region *region,
                 int number, const struct host_area *frame, const struct host_area *view,
                 const scratch *folder, GPtrArray *arguments, GError **error)
{
    g_autofree char *name = g_strdup_printf("place-%d.tif", number);
    g_autofree char *file = scratch_file(folder, name);
    g_autoptr(picture) mask = regions_mask(c, argument, region->place, frame, view, error);

    if (mask == NULL || !picture_exchange_write(file, mask, error)) {
        return false;
    }
    g_autofree char *words = g_strdup_printf("%s=%s", file, region->text);
    call_add_text(arguments, "--region", words);
    return true;
}

// procedures without regions add none
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
