/* A file of prompts; see prompt_file.h. The worker reads it once more: what is looked for here is how many pictures
 * there will be, and what their layers are called. */
#include "plugin/prompt_file.h"

#include "plugin/words.h"

#include "engine/base/error.h"
#include "engine/base/regular_file.h"

#include <stdbool.h>
#include <string.h>

#define MOST_BYTES ((size_t)1 << 20)
#define MOST       100            // prompts, as many as there may be pictures
#define MARK       "\357\273\277" // of UTF-8, with which some editors begin a file

// whether the worker would read options in this line: " --" with a letter behind it
static bool has_options(const char *line)
{
    for (const char *at = line; (at = strstr(at, "--")) != NULL; at += 2) {
        if ((at == line || g_ascii_isspace(at[-1])) && g_ascii_isalpha(at[2])) {
            return true;
        }
    }
    return false;
}

static bool take_line(GPtrArray *prompts, const char *path, int number, char *line, GError **error)
{
    g_strstrip(line);
    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    if (has_options(line)) {
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
    g_auto(GStrv) lines = g_strsplit(text + (g_str_has_prefix(text, MARK) ? 3 : 0), "\n", -1);
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
