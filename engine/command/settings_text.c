/* Settings as a text; see settings_text.h.
 *
 *   lines of the prompt, among them those of regions
 *   "Negative prompt:" and lines of that
 *   "Steps: 20, KEY: VALUE, KEY: \"a value, quoted\"": the last line that begins so */
#include "engine/command/settings_text.h"

#include "engine/base/error.h"

#include <string.h>

#define NEGATIVE "Negative prompt:"
#define FIRST    "Steps: "
#define REGION   "Region " // begins a line of ours, which names a mask

/* ---- values ---- */

char *settings_text_quote(char *text)
{
    if (strpbrk(text, ",:\n\"") == NULL) {
        return text;
    }
    GString *quoted = g_string_new("\"");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            g_string_append_c(quoted, '\\');
        }
        if (*at == '\n') {
            g_string_append(quoted, "\\n");
        } else {
            g_string_append_c(quoted, *at);
        }
    }
    g_free(text);
    g_string_append_c(quoted, '"');
    return g_string_free(quoted, FALSE);
}

// where a value that begins here ends: at a comma outside of quotes
static const char *end_of(const char *at)
{
    bool quoted = false;

    for (; *at != '\0' && (quoted || *at != ','); at++) {
        if (*at == '\\' && quoted && at[1] != '\0') {
            at++;
        } else if (*at == '"') {
            quoted = !quoted;
        }
    }
    return at;
}

// a value without the quotes that settings_text_quote puts around it
static char *unquote(const char *value)
{
    const size_t length = strlen(value);
    GString *plain = g_string_new(NULL);

    if (length < 2 || value[0] != '"' || value[length - 1] != '"') {
        return g_string_free(g_string_assign(plain, value), FALSE);
    }
    for (const char *at = value + 1; at < value + length - 1; at++) {
        const bool escaped = *at == '\\' && at + 1 < value + length - 1;
        at += escaped;
        g_string_append_c(plain, escaped && *at == 'n' ? '\n' : *at);
    }
    return g_string_free(plain, FALSE);
}

// how long the key is that a part begins with, "CFG scale" of "CFG scale: 7"; 0: it begins with none
static size_t key_length(const char *part)
{
    size_t length = 0;

    while (g_ascii_isalnum(part[length]) ||
           (length > 0 && strchr(" _-/", part[length]) != NULL && part[length] != '\0')) {
        length++;
    }
    return part[length] == ':' && part[length + 1] == ' ' ? length : 0;
}

// "KEY: VALUE, KEY: VALUE"; what has no key belongs to the value before
static void take_pairs(struct settings_text *s, const char *line)
{
    for (const char *at = line; *at != '\0';) {
        const char *end = end_of(at);
        g_autofree char *part = g_strstrip(g_strndup(at, (gsize)(end - at)));
        const size_t length = key_length(part);
        if (length > 0) {
            g_ptr_array_add(s->keys, g_strndup(part, length));
            g_ptr_array_add(s->values, g_strstrip(g_strdup(part + length + 1)));
        } else if (s->values->len > 0) {
            char **last = (char **)&s->values->pdata[s->values->len - 1];
            char *longer = g_strconcat(*last, ", ", part, NULL);
            g_free(*last);
            *last = longer;
        }
        at = *end == ',' ? end + 1 : end;
    }
    for (guint i = 0; i < s->values->len; i++) {
        char *value = s->values->pdata[i];
        s->values->pdata[i] = unquote(value);
        g_free(value);
    }
}

// the line of settings, behind which nothing counts; below 0: there is none
static int find_settings(char **lines)
{
    int last = (int)g_strv_length(lines) - 1;

    while (last >= 0 && !g_str_has_prefix(lines[last], FIRST)) {
        last--;
    }
    return last;
}

// the lines before it
static void take_prompts(struct settings_text *s, char **lines, int n)
{
    g_autoptr(GString) prompt = g_string_new(NULL), negative = g_string_new(NULL);
    GString *into = prompt;

    for (int i = 0; i < n; i++) {
        const char *line = lines[i];
        if (g_str_has_prefix(line, NEGATIVE)) {
            into = negative;
            line += strlen(NEGATIVE) + (line[strlen(NEGATIVE)] == ' ');
        } else if (into == prompt && i > 0 && g_str_has_prefix(line, REGION)) {
            s->regions++;
            continue;
        }
        g_string_append_printf(into, "%s%s", into->len > 0 ? "\n" : "", line);
    }
    s->prompt = g_strdup(prompt->str);
    s->negative = g_strdup(negative->str);
}

bool settings_text_parse(struct settings_text *s, const char *text, const char *path,
                         GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const int last = find_settings(lines);

    if (last < 0) {
        return error_failed(
            error,
            "%s: what is written in it are no settings (no line begins with 'Steps:'); "
            "give them as options.",
            path);
    }
    *s = (struct settings_text){.keys = g_ptr_array_new_with_free_func(g_free),
                                .values = g_ptr_array_new_with_free_func(g_free)};
    take_prompts(s, lines, last);
    take_pairs(s, lines[last]);
    return true;
}

void settings_text_clear(struct settings_text *s)
{
    g_free(s->prompt);
    g_free(s->negative);
    g_ptr_array_unref(s->keys);
    g_ptr_array_unref(s->values);
}
