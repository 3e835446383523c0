/* A file of prompts; see prompt_file.h. The worker reads it once more: what is looked for here is how many pictures
 * there will be, and what their layers are called. */
#include "plugin/prompt_file.h"

#include "plugin/words.h"

#include "engine/base/error.h"
#include "engine/base/regular_file.h"
#include "engine/options/prompt_layout.h"

#include <stdbool.h>

#define MOST_BYTES ((size_t)1 << 20)
#define MOST       100 // prompts, as many as there may be pictures

static bool take_line(GPtrArray *prompts, const char *path, int number, const char *line,
                      GError **error)
{
    if (prompt_layout_is_none(line)) {
        return true;
    }
    if (*prompt_layout_options(line) != '\0') {
        return error_usage(error,
                           _("%s, line %d: it has options behind its prompt; take them out, and "
                             "say them in the fields."),
                           path, number);
    }
    g_ptr_array_add(prompts, g_strdup(line));
    return true;
}

char **prompt_file_read(const char *path, GError **error)
{
    size_t length;
    g_autofree char *text = regular_file_load(path, MOST_BYTES, &length, error);
    g_autoptr(GPtrArray) prompts = g_ptr_array_new_with_free_func(g_free);

    if (text == NULL) {
        return NULL;
    }
    if (!g_utf8_validate_len(text, length, NULL)) {
        error_usage(error, _("%s is no text; give a file with a prompt a line."), path);
        return NULL;
    }
    g_auto(GStrv) lines = prompt_layout_lines(text);
    for (int i = 0; lines[i] != NULL; i++) {
        if (!take_line(prompts, path, i + 1, lines[i], error)) {
            return NULL;
        }
    }
    if (prompts->len == 0 || prompts->len > MOST) {
        error_usage(error, _("%s has %u prompts; it can have from 1 to %d, a line each."), path,
                    prompts->len, MOST);
        return NULL;
    }
    g_ptr_array_add(prompts, NULL);
    return g_strdupv((char **)prompts->pdata);
}
