/* Lists of places with texts; see region_list.h. */
#include "plugin/region_list.h"

#include "plugin/words.h"

#include "engine/base/error.h"

#include <string.h>

#define BETWEEN ";\n" // two parts

static void clear_region(struct region *region)
{
    g_free(region->place);
    g_free(region->text);
}

// whether behind `length` bytes and blanks comes one of these characters, or the end if it counts
static bool ends_with(const char *at, size_t length, const char *stops, bool end)
{
    const char *next = at + length + strspn(at + length, " \t");

    return *next == '\0' ? end : strchr(stops, *next) != NULL;
}

/* How long the name of a place is that a part begins with: of one that there is the longest, else
 * all that comes before a stop. */
static size_t name_length(const char *at, char **names, const char *stops, bool end)
{
    size_t longest = 0;

    for (; *names != NULL; names++) {
        const size_t length = strlen(*names);
        if (length > longest && strncmp(at, *names, length) == 0 &&
            ends_with(at, length, stops, end)) {
            longest = length;
        }
    }
    return longest > 0 ? longest : strcspn(at, stops);
}

static char *stripped(const char *at, size_t length)
{
    return g_strstrip(g_strndup(at, length));
}

// one part, whose end is returned; NULL with a sentence
static const char *parse_part(const char *part, char **names, GArray *to, GError **error)
{
    const size_t name = name_length(part, names, "=" BETWEEN, false);
    const char *equals = part + name + strspn(part + name, " \t");
    const char *text = *equals == '=' ? equals + 1 : equals;
    const char *end = text + strcspn(text, BETWEEN);
    struct region region = {stripped(part, name), stripped(text, (size_t)(end - text))};

    if (*equals != '=' || region.place[0] == '\0' || region.text[0] == '\0') {
        g_autofree char *quoted = stripped(part, (size_t)(end - part));
        error_usage(error,
                    _("regions has the part “%s”; write a place, = and what it shows: left half=a "
                      "fox."),
                    quoted);
        clear_region(&region);
        return NULL;
    }
    g_array_append_val(to, region);
    return end;
}

GArray *regions_parse(const char *list, char **names, GError **error)
{
    g_autoptr(GArray) regions = g_array_new(FALSE, FALSE, sizeof(struct region));

    g_array_set_clear_func(regions, (GDestroyNotify)clear_region);
    while (*(list += strspn(list, " \t" BETWEEN)) != '\0') {
        list = parse_part(list, names, regions, error);
        if (list == NULL) {
            return NULL;
        }
    }
    return g_steal_pointer(&regions);
}

char *regions_join(const GArray *regions)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i < regions->len; i++) {
        const struct region *region = &g_array_index(regions, struct region, i);
        // a text with ; in it would be read back as two parts
        g_autofree char *text = g_strdelimit(g_strdup(region->text), BETWEEN, ',');
        g_string_append_printf(list, "%s%s=%s", i > 0 ? "; " : "", region->place, text);
    }
    return g_string_free(list, FALSE);
}

char **regions_places(const char *list, char **names)
{
    GPtrArray *places = g_ptr_array_new();

    while (*list != '\0') {
        list += strspn(list, " \t");
        const size_t length = name_length(list, names, BETWEEN, true);
        g_ptr_array_add(places, stripped(list, length));
        list += length + strspn(list + length, " \t");
        if (*list != '\0' && *++list == '\0') { // "a;" has a second one
            g_ptr_array_add(places, g_strdup(""));
        }
    }
    g_ptr_array_add(places, NULL);
    return (char **)g_ptr_array_free(places, FALSE);
}
