/* The file of --prompts; see prompt_lines.h. */
#include "engine/command/prompt_lines.h"

#include "engine/base/error.h"
#include "engine/base/regular_file.h"
#include "engine/options/prompt_layout.h"

#include <string.h>

#define FILE_MAX ((size_t)64 << 20) // bytes

struct line_value {
    const struct option *row;
    double value;
    uint64_t seed; // of OPTION_SEED
};

static void free_line(struct prompt_line *l)
{
    g_free(l->prompt);
    g_free(l->negative);
    g_array_unref(l->values);
    g_free(l);
}

void prompt_line_blame(const struct prompt_line *l, const char *path, GError **error)
{
    g_prefix_error(error, "%s, line %d: ", path, l->number);
}

void prompt_line_apply(const struct prompt_line *l, void *options)
{
    for (guint i = 0; i < l->values->len; i++) {
        const struct line_value *v = &g_array_index(l->values, struct line_value, i);
        if (v->row->kind == OPTION_SEED) {
            *(uint64_t *)(void *)((char *)options + v->row->field) = v->seed;
        } else {
            option_set(v->row, options, v->value);
        }
    }
}

/* ---- one line ---- */

// the option of this name that a line may have, or NULL
static const struct option *find_row(const char *name)
{
    const struct option_table *t = &options_of_generate;

    for (size_t i = 0; i < t->n; i++) {
        const struct option *row = &t->rows[i];
        if (strcmp(row->name, name) == 0 && row->field != OPTION_NO_FIELD &&
            (option_is_number(row) || row->kind == OPTION_SEED)) {
            return row;
        }
    }
    return NULL;
}

static bool set_row(struct prompt_line *l, const struct option *row, const char *text,
                    GError **error)
{
    struct line_value v = {.row = row, .value = 1};

    if (row->kind == OPTION_SEED) {
        if (!option_parse_seed(row, text, &v.seed, error)) {
            return false;
        }
    } else if (row->kind != OPTION_BOOL && !option_parse(row, text, &v.value, error)) {
        return false;
    }
    g_array_append_val(l->values, v);
    return true;
}

// words[*i] is an option, whose value may be the next word
static bool take_option(struct prompt_line *l, char **words, int *i, GError **error)
{
    const char *word = words[*i];
    const char *equals = strchr(word, '=');
    g_autofree char *name =
        equals != NULL ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
    const bool dashed = g_str_has_prefix(name, "--");
    const bool negative = dashed && strcmp(name + 2, "negative") == 0;
    const struct option *row = dashed && !negative ? find_row(name + 2) : NULL;

    if (!negative && row == NULL) {
        return error_usage(error,
                           "'%s' is no option of a line; numbers, words, switches, --seed and "
                           "--negative are.",
                           name);
    }
    if (row != NULL && row->kind == OPTION_BOOL) {
        return equals == NULL ? set_row(l, row, NULL, error)
                              : error_usage(error, "%s has no value; write %s alone.", name, name);
    }
    const char *value = equals != NULL ? equals + 1 : words[*i + 1];
    if (value == NULL) {
        return error_usage(error, "%s has no value behind it.", name);
    }
    *i += equals == NULL;
    if (negative) {
        g_free(l->negative);
        l->negative = g_strdup(value);
        return true;
    }
    return set_row(l, row, value, error);
}

static bool take_options(struct prompt_line *l, const char *text, GError **error)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) inner = NULL;
    int n;

    if (*text == '\0') {
        return true;
    }
    if (!g_shell_parse_argv(text, &n, &words, &inner)) {
        return error_usage(error, "Its options cannot be read: %s", inner->message);
    }
    for (int i = 0; i < n; i++) {
        if (!take_option(l, words, &i, error)) {
            return false;
        }
    }
    return true;
}

static bool take_line(struct prompt_line *l, const char *text, GError **error)
{
    const char *options = prompt_layout_options(text);

    l->prompt = g_strstrip(g_strndup(text, (gsize)(options - text)));
    return (l->prompt[0] != '\0' || error_usage(error, "It has no prompt before its options.")) &&
           take_options(l, options, error);
}

/* ---- the file ---- */

static GPtrArray *take_lines(const char *path, char **texts, GError **error)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func((GDestroyNotify)free_line);

    for (int i = 0; texts[i] != NULL; i++) {
        if (prompt_layout_is_none(texts[i])) {
            continue;
        }
        struct prompt_line *l = g_new0(struct prompt_line, 1);
        l->number = i + 1;
        l->values = g_array_new(FALSE, FALSE, sizeof(struct line_value));
        g_ptr_array_add(lines, l);
        if (!take_line(l, texts[i], error)) {
            prompt_line_blame(l, path, error);
            return NULL;
        }
    }
    return g_steal_pointer(&lines);
}

GPtrArray *prompt_lines_read(const char *path, GError **error)
{
    size_t length;
    g_autofree char *text = regular_file_load(path, FILE_MAX, &length, error);

    if (text == NULL) {
        return NULL;
    }
    if (strlen(text) != length) {
        error_usage(error, "%s is no text: it has zeros in it.", path);
        return NULL;
    }
    g_auto(GStrv) texts = prompt_layout_lines(text);
    g_autoptr(GPtrArray) lines = take_lines(path, texts, error);
    // each is a picture at least
    const guint most = (guint)option_find(&options_of_generate, "count")->high;
    if (lines != NULL && (lines->len == 0 || lines->len > most)) {
        error_usage(error, "%s has %u prompts; it can have from 1 to %u, a line each.", path,
                    lines->len, most);
        return NULL;
    }
    return g_steal_pointer(&lines);
}
