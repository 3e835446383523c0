/* The icons, resources/icons/NAME.png for plug-in-svdiff-NAME; see icons.h. They are compiled into
 * the program, so that no GIMP remembers a path where they lay. */
#include "plugin/icons.h"

#include <string.h>

#define PREFIX "plug-in-svdiff-"

GdkPixbuf *icons_of(const struct procedure *p)
{
    g_autofree char *path = g_strdup_printf("/svdiff/icons/%s.png", p->name + strlen(PREFIX));

    return gdk_pixbuf_new_from_resource(path, NULL);
}
