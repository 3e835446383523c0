/* FILE=TEXT; see region_option.h. */
#include "engine/command/region_option.h"

#include "engine/base/error.h"

#include <string.h>

static bool is_file(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_DIR);
}

// the '=' between file and text, or NULL
static const char *find_equals(const char *value)
{
    // file names may have a '=', too: the longest that is a file is meant
    for (const char *at = value + strlen(value); at > value; at--) {
        g_autofree char *file = g_strndup(value, (gsize)(at - value));
        if (*at == '=' && is_file(file)) {
            return at;
        }
    }
    return strchr(value, '=');
}

bool region_option_parse(const char *value, struct svdiff_region *region, GError **error)
{
    const char *equals = is_file(value) ? NULL : find_equals(value);

    if (equals == NULL || equals == value || strspn(equals + 1, " ") == strlen(equals + 1)) {
        return error_usage(
            error, "--region is '%s'%s; it must be a mask and a text, such as left.png='a dog'.",
            value, is_file(value) ? ", a file without a text" : "");
    }
    // both are the caller's
    region->file = g_strndup(value, (gsize)(equals - value));
    region->text = g_strdup(equals + 1);
    return true;
}
