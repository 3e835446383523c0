/* File names from a pattern; see output_name.h. Read here, since a pattern of the user must not
 * reach printf. */
#include "engine/base/output_name.h"

#include "engine/base/atomic_file.h"

#include <string.h>

// a "%d" or "%04d" at `at`: its length, 0 when there is none; *width of the number
static size_t number_at(const char *at, int *width)
{
    const char *end = at + 1;

    *width = 0;
    if (*at != '%') {
        return 0;
    }
    // a width beyond 19 digits is a slip of the hand, and is left as it stands
    while (g_ascii_isdigit(*end) && *width < 20) {
        *width = 10 * *width + g_ascii_digit_value(*end++);
    }
    return *end == 'd' && *width < 20 ? (size_t)(end + 1 - at) : 0;
}

static char *before_extension(const char *path, int number)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

    // a point in a folder's name is no extension
    if (dot == NULL || (slash != NULL && dot < slash)) {
        dot = path + strlen(path);
    }
    return g_strdup_printf("%.*s-%d%s", (int)(dot - path), path, number, dot);
}

char *output_name(const char *pattern, int index, int count)
{
    GString *result = g_string_new(NULL);
    bool numbered = false;

    for (const char *at = pattern; *at != '\0';) {
        int width;
        const size_t length = number_at(at, &width);
        if (length > 0) {
            g_string_append_printf(result, "%0*d", width, index);
            numbered = true;
            at += length;
        } else {
            // of two percent signs the second is written
            at += at[0] == '%' && at[1] == '%';
            g_string_append_c(result, *at++);
        }
    }
    if (!numbered && count > 1) {
        char *name = before_extension(result->str, index + 1);
        g_string_free(result, TRUE);
        return name;
    }
    return g_string_free(result, FALSE);
}

bool output_is_numbered(const char *pattern)
{
    g_autofree char *first = output_name(pattern, 0, 1), *second = output_name(pattern, 1, 1);

    return strcmp(first, second) != 0;
}

bool output_check(const char *path, GError **error)
{
    g_autoptr(atomic_file) file = path != NULL ? atomic_file_create(path, error) : NULL;

    return path == NULL || file != NULL;
}
