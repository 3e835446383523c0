/* region_list.h: places with a text that acts there, as people write them: "left half=a fox;
 * PLACE=TEXT". What places there are: spot.h. */
#pragma once

#include <glib.h>

struct region {
    char *place; // a name, of a place that need not be there
    char *text;
};

/* The parts of such a list, as struct region (g_array_unref). names: of the places that there are;
 * where a part begins with one, its '=' and ';' are no others. NULL with a sentence that quotes the
 * part that is none. */
GArray *regions_parse(const char *list, char **names, GError **error);

/* The list for these regions; a ';' in a text becomes a ','. g_free it. */
char *regions_join(const GArray *regions);

/* "PLACE; PLACE" to names, one a part, "" where there is none; g_strfreev it. */
char **regions_places(const char *list, char **names);
