/* Completing texts; see complete.h. Case does not count, as it does not for what people type. */
#include "plugin/complete.h"

#include <glib.h>
#include <string.h>

#define CHARACTERS_MIN 2

static bool begins(const char *name, const char *words)
{
    g_autofree char *a = g_utf8_casefold(name, -1), *b = g_utf8_casefold(words, -1);

    return g_str_has_prefix(a, b);
}

// whether a word can begin there: after a blank, a bracket or a mark
static bool is_start(const char *text, const char *at)
{
    return at == text || strchr(" ,;:.([\"'", at[-1]) != NULL;
}

bool complete_finds(const char *text, int cursor, const char *name, int *from)
{
    const char *end = g_utf8_offset_to_pointer(text, MIN(cursor, g_utf8_strlen(text, -1)));

    for (const char *at = text; at < end; at = g_utf8_next_char(at)) {
        g_autofree char *words = g_strndup(at, (gsize)(end - at));
        const bool bracket = words[0] == '[';
        const bool enough = bracket || g_utf8_strlen(words, -1) >= CHARACTERS_MIN;
        if ((bracket || is_start(text, at)) && enough && begins(name, words + bracket)) {
            *from = (int)(at - text);
            return true;
        }
    }
    return false;
}

// characters and bytes are counted apart: GTK's cursor stands behind characters
char *complete_put(const char *text, int from, int cursor, const char *name, int number, int *end)
{
    const char *after = g_utf8_offset_to_pointer(text, MIN(cursor, g_utf8_strlen(text, -1)));
    g_autofree char *before = g_strndup(text, (gsize)from);
    const bool marked = strstr(before, "[V") != NULL || strstr(after, "[V") != NULL;
    g_autofree char *words =
        marked ? g_strdup_printf("[V%d] %s", number + 1, name) : g_strdup(name);

    *end = (int)(g_utf8_strlen(before, -1) + g_utf8_strlen(words, -1));
    return g_strconcat(before, words, after, NULL);
}

bool complete_continues(const char *text, const char *before)
{
    return g_utf8_strlen(text, -1) >= CHARACTERS_MIN && strlen(before) > strlen(text) &&
           begins(before, text);
}
