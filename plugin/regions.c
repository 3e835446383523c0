/* Channels that say where a text acts; see regions.h. */
#include "plugin/regions.h"

#include "plugin/layers_in.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#include <string.h>

static bool find_channel(const struct call *c, const char *name, host_item *channel, GError **error)
{
    *channel = host_image_exists(c->image) ? host_channel_named(c->image, name) : HOST_NONE;
    if (*channel == HOST_NONE) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    _("regions name “%s”, which is no channel of this image."), name);
    }
    return *channel != HOST_NONE;
}

bool regions_add(const struct call *c, const char *channel, const char *text, int number,
                 const struct host_area *area, const scratch *folder, GPtrArray *arguments,
                 GError **error)
{
    g_autofree char *name = g_strdup_printf("place-%d.tif", number);
    g_autofree char *file = scratch_file(folder, name);
    host_item item;

    if (!find_channel(c, channel, &item, error)) {
        return false;
    }
    const struct host_area whole = host_item_area(item);
    g_autoptr(picture) p = layers_in_mask_picture(item, &whole, area, error);
    if (p == NULL || !picture_write(file, p, NULL, 0, error)) {
        return false;
    }
    g_autofree char *region = g_strdup_printf("%s=%s", file, text);
    call_add_text(arguments, "--region", region);
    return true;
}

/* The '=' between a channel's name, which may have one itself, and the text: the last one that ends
 * the name of a channel, else the first. */
static char *find_equals(const struct call *c, char *part)
{
    for (char *at = part + strlen(part); at > part && host_image_exists(c->image); at--) {
        g_autofree char *name = g_strstrip(g_strndup(part, (gsize)(at - part)));
        if (*at == '=' && host_channel_named(c->image, name) != HOST_NONE) {
            return at;
        }
    }
    return strchr(part, '=');
}

static bool add_part(const struct call *c, char *part, int number, const struct host_area *area,
                     const scratch *folder, GPtrArray *arguments, GError **error)
{
    char *equals = find_equals(c, part);

    if (equals == NULL || equals == part || g_strstrip(equals + 1)[0] == '\0') {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    _("regions has the part “%s”; write a channel's name, = and what it shows."),
                    part);
        return false;
    }
    *equals = '\0';
    return regions_add(c, g_strstrip(part), g_strstrip(equals + 1), number, area, folder, arguments,
                       error);
}

bool regions_add_list(const struct call *c, const char *list, const struct host_area *area,
                      const scratch *folder, GPtrArray *arguments, GError **error)
{
    g_auto(GStrv) parts = g_strsplit_set(list, ";\n", -1);
    bool added = true;

    for (int i = 0; parts[i] != NULL && added; i++) {
        if (g_strstrip(parts[i])[0] != '\0') {
            added = add_part(c, parts[i], i, area, folder, arguments, error);
        }
    }
    return added;
}
