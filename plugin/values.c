/* Values of arguments: defaults, checks, and the file that keeps the last ones; see values.h. */
#include "plugin/values.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <string.h>

bool argument_is_text(const struct argument *p)
{
    return p->kind == ARGUMENT_TEXT || p->kind == ARGUMENT_CHOICE || p->kind == ARGUMENT_FILE;
}

values *values_create(const struct procedure *p)
{
    values *v = g_new0(values, 1);

    v->procedure = p;
    v->items = g_new0(struct value, p->n_arguments);
    for (size_t i = 0; i < p->n_arguments; i++) {
        // each item has both: which of them counts is its argument's kind
        v->items[i].number = p->arguments[i].standard;
        values_set_text(v, i, p->arguments[i].standard_text);
    }
    return v;
}

values *values_copy(const values *v)
{
    values *copy = values_create(v->procedure);

    values_assign(copy, v);
    return copy;
}

void values_assign(values *v, const values *from)
{
    for (size_t i = 0; i < v->procedure->n_arguments; i++) {
        v->items[i].number = from->items[i].number;
        values_set_text(v, i, from->items[i].text);
    }
}

void values_free(values *v)
{
    for (size_t i = 0; v != NULL && i < v->procedure->n_arguments; i++) {
        g_free(v->items[i].text);
    }
    if (v != NULL) {
        g_free(v->items);
        g_free(v);
    }
}

double values_number(const values *v, const char *name)
{
    return v->items[procedure_index(v->procedure, name)].number;
}

int values_int(const values *v, const char *name)
{
    return (int)values_number(v, name);
}

const char *values_text(const values *v, const char *name)
{
    return v->items[procedure_index(v->procedure, name)].text;
}

bool values_has(const values *v, const char *name)
{
    return procedure_has(v->procedure, name);
}

void values_put(values *v, const char *name, const char *text)
{
    values_set_text(v, procedure_index(v->procedure, name), text);
}

void values_set_number(values *v, size_t index, double number)
{
    v->items[index].number = number;
}

// the copy first: the text may be the one that is there
void values_set_text(values *v, size_t index, const char *text)
{
    char *copy = g_strdup(text != NULL ? text : "");

    g_free(v->items[index].text);
    v->items[index].text = copy;
}

/* ---- checks ---- */

// "0.5", the same in every language
static const char *print_number(char out[G_ASCII_DTOSTR_BUF_SIZE], double number)
{
    return g_ascii_formatd(out, G_ASCII_DTOSTR_BUF_SIZE, "%.10g", number);
}

static bool check_number(const struct argument *p, double number, GError **error)
{
    char given[G_ASCII_DTOSTR_BUF_SIZE], low[G_ASCII_DTOSTR_BUF_SIZE];
    char high[G_ASCII_DTOSTR_BUF_SIZE];

    if (number >= p->low && number <= p->high) { // false for what is no number
        return true;
    }
    return error_usage(error, _("%s is %s; it can be from %s to %s."), p->name,
                       print_number(given, number), print_number(low, p->low),
                       print_number(high, p->high));
}

// letter for letter, as the command takes them
static bool check_choice(const struct argument *p, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(p->choices, "|", -1);

    if (g_strv_contains((const char *const *)words, text)) {
        return true;
    }
    g_autofree char *list = g_strjoinv(", ", words);
    return error_usage(error, _("%s is “%s”; it can be one of: %s."), p->name, text, list);
}

// paths are bytes; all else is shown, and goes to the worker as JSON
static bool check_text(const struct argument *p, const char *text, GError **error)
{
    if (p->kind != ARGUMENT_FILE && !g_utf8_validate(text, -1, NULL)) {
        return error_usage(error, _("%s is not a text in UTF-8."), p->name);
    }
    return p->kind != ARGUMENT_CHOICE || check_choice(p, text, error);
}

bool values_check(values *v, GError **error)
{
    bool allowed = true;

    for (size_t i = 0; i < v->procedure->n_arguments && allowed; i++) {
        const struct argument *p = &v->procedure->arguments[i];
        // scripts give "" for what they do not say
        if (argument_is_text(p) && v->items[i].text[0] == '\0') {
            values_set_text(v, i, p->standard_text);
        }
        allowed = argument_is_text(p)           ? check_text(p, v->items[i].text, error)
                  : p->kind == ARGUMENT_CHANNEL ? true
                                                : check_number(p, v->items[i].number, error);
    }
    return allowed;
}

/* ---- keeping ---- */

void values_take_text(values *v, size_t index, const char *text)
{
    const struct argument *p = &v->procedure->arguments[index];

    // a file of another version may hold what is not allowed any more: the default stays
    if (check_text(p, text, NULL)) {
        values_set_text(v, index, text);
    }
}

void values_take_number(values *v, size_t index, double number)
{
    const struct argument *p = &v->procedure->arguments[index];

    // ids mean nothing in another image
    if (p->kind != ARGUMENT_CHANNEL && check_number(p, number, NULL)) {
        v->items[index].number = number;
    }
}

// one value of the file, if it is there
static void load_value(values *v, size_t i, GKeyFile *file)
{
    const struct argument *p = &v->procedure->arguments[i];
    const char *group = v->procedure->name;

    if (!g_key_file_has_key(file, group, p->name, NULL)) {
        return;
    }
    if (argument_is_text(p)) {
        g_autofree char *text = g_key_file_get_string(file, group, p->name, NULL);
        if (text != NULL) {
            values_take_text(v, i, text);
        }
    } else {
        values_take_number(v, i, g_key_file_get_double(file, group, p->name, NULL));
    }
}

// comments of a person who edited it stay
GKeyFile *values_file(const char *path)
{
    GKeyFile *file = g_key_file_new();

    g_key_file_load_from_file(file, path, G_KEY_FILE_KEEP_COMMENTS, NULL);
    return file;
}

void values_load(values *v, const char *path)
{
    g_autoptr(GKeyFile) file = values_file(path);

    for (size_t i = 0; i < v->procedure->n_arguments; i++) {
        load_value(v, i, file);
    }
}

// groups of other procedures, and of other files of ours, stay as they are
bool values_store(const values *v, const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = values_file(path);

    for (size_t i = 0; i < v->procedure->n_arguments; i++) {
        const struct argument *p = &v->procedure->arguments[i];
        if (argument_is_text(p)) {
            g_key_file_set_string(file, v->procedure->name, p->name, v->items[i].text);
        } else if (p->kind != ARGUMENT_CHANNEL) {
            g_key_file_set_double(file, v->procedure->name, p->name, v->items[i].number);
        }
    }
    return g_key_file_save_to_file(file, path, error);
}
