/* Options of a command line; see given.h. */
#include "engine/command/given.h"

#include "engine/base/error.h"

#include <string.h>

void given_begin(struct given *g, const struct option_table *t, unsigned flags)
{
    *g = (struct given){.table = t, .flags = flags};
    // GOption writes into these, so they stay where they are
    g->values = g_new0(struct given_value, t->n);
    for (size_t i = 0; i < t->n; i++) {
        g->values[i].on = -1;
    }
}

// texts that a job's options borrow are gone with it
void given_finish(struct given *g)
{
    // a zeroed one is allowed
    for (size_t i = 0; g->table != NULL && i < g->table->n; i++) {
        g_free(g->values[i].text);
        g_strfreev(g->values[i].list);
    }
    g_free(g->values);
}

/* ---- the help ---- */

// takes both texts; by NULL: nothing in its place
static char *replace(char *text, const char *mark, char *by)
{
    g_auto(GStrv) parts = g_strsplit(text, mark, -1);
    char *replaced = g_strjoinv(by != NULL ? by : "", parts);

    g_free(text);
    g_free(by);
    return replaced;
}

// the default as people read it; NULL: it has none
static char *default_text(const struct option *o, const void *defaults)
{
    // of a job's struct where there is one, else what the row says
    const bool own = defaults != NULL && o->field != OPTION_NO_FIELD;

    if (!option_is_number(o)) {
        return g_strdup(o->text);
    }
    const double value = own ? option_get(o, defaults) : o->standard;
    if (o->kind == OPTION_BOOL) {
        return g_strdup(value != 0 ? "yes" : "no");
    }
    // of a model's default: the word, or a number without needless zeros
    return o->words != NULL ? g_strdup(option_word(o, (int)value))
                            : g_strdup_printf("%.10g", value);
}

// GOption borrows its texts
static const char *keep(GPtrArray *texts, char *text)
{
    g_ptr_array_add(texts, text);
    return text;
}

// "lora: rank of ..." of an option that is not of all methods
static char *help_text(const struct given *g, const struct option *o, const char *help,
                       const void *defaults)
{
    g_autofree char *methods = option_methods(g->table, o);
    char *text = replace(g_strdup(help), "{default}", default_text(o, defaults));

    text = o->words != NULL ? replace(text, "{words}", option_words(o)) : text;
    if (methods == NULL) {
        return text;
    }
    char *whole = g_strconcat(methods, ": ", text, NULL);
    g_free(text);
    return whole;
}

// --NAME and, where there is one, --no-NAME
static void add_switch(struct given *g, size_t i, const void *defaults, GArray *entries,
                       GPtrArray *texts)
{
    const struct option *o = &g->table->rows[i];
    // of the switch, and of its opposite
    g_auto(GStrv) helps = g_strsplit(o->help, "|", 2);
    GOptionEntry e = {.long_name = o->name,
                      .arg = G_OPTION_ARG_NONE,
                      .arg_data = &g->values[i].on,
                      .description = keep(texts, help_text(g, o, helps[0], defaults))};

    g_array_append_val(entries, e);
    if (o->flags & OPTION_HAS_NO) {
        e.long_name = keep(texts, g_strconcat("no-", o->name, NULL));
        e.flags = G_OPTION_FLAG_REVERSE;
        e.description = keep(texts, g_strdup(helps[1]));
        g_array_append_val(entries, e);
    }
}

void given_add_entries(struct given *g, const void *defaults, GArray *entries, GPtrArray *texts)
{
    for (size_t i = 0; i < g->table->n; i++) {
        const struct option *o = &g->table->rows[i];
        // texts, too, are taken as file names are: raw bytes in every locale
        const bool list = o->kind == OPTION_FILES;
        struct given_value *v = &g->values[i];
        // of opening a model a command has the options that it uses
        if (g->flags != 0 && !(o->flags & g->flags)) {
            continue;
        }
        if (o->kind == OPTION_BOOL) {
            add_switch(g, i, defaults, entries, texts);
            continue;
        }
        const GOptionEntry e = {.long_name = o->name,
                                .arg = list ? G_OPTION_ARG_FILENAME_ARRAY : G_OPTION_ARG_FILENAME,
                                .arg_data = list ? (void *)&v->list : (void *)&v->text,
                                .description = keep(texts, help_text(g, o, o->help, defaults)),
                                .arg_description = o->value};
        g_array_append_val(entries, e);
    }
}

/* ---- values ---- */

static size_t index_of(const struct given *g, const char *name)
{
    // a name that is not there is a mistake of the program
    return (size_t)(option_find(g->table, name) - g->table->rows);
}

static bool has(const struct given *g, size_t i)
{
    const struct given_value *v = &g->values[i];

    // one of the three, by the kind of the option
    return v->text != NULL || v->list != NULL || v->on >= 0;
}

void given_suggest(struct given *g, const char *name, const char *text)
{
    const size_t i = index_of(g, name);

    if (has(g, i)) {
        return;
    }
    if (g->table->rows[i].kind == OPTION_BOOL) {
        g->values[i].on = 1;
    } else {
        g->values[i].text = g_strdup(text);
    }
}

void given_suggest_list(struct given *g, const char *name, char **list)
{
    const size_t i = index_of(g, name);

    if (has(g, i)) {
        g_strfreev(list);
    } else {
        g->values[i].list = list;
    }
}

static bool parse(const struct given *g, size_t i, double *value, GError **error)
{
    const char *text = g->values[i].text;

    // of a switch this is all; of others it is overwritten
    *value = g->values[i].on;
    return text == NULL || option_parse(&g->table->rows[i], text, value, error);
}

// checked in any case, set where the table has a field for it
static bool take(const struct given *g, size_t i, void *options, GError **error)
{
    const struct option *o = &g->table->rows[i];
    const struct given_value *v = &g->values[i];
    void *at = o->field != OPTION_NO_FIELD ? (char *)options + o->field : NULL;
    double value;

    if (o->kind == OPTION_SEED) {
        return option_parse_seed(o, v->text, at, error);
    }
    if (option_is_number(o)) {
        const bool good = parse(g, i, &value, error);
        if (good && at != NULL) {
            option_set(o, options, value);
        }
        return good;
    }
    if (at != NULL && o->kind == OPTION_FILES) {
        *(const char *const **)at = (const char *const *)v->list;
    } else if (at != NULL) {
        *(const char **)at = v->text;
    }
    return true;
}

// of another method than the one that is chosen
static bool refuse(const struct given *g, const struct option *o, GError **error)
{
    g_autofree char *methods = option_methods(g->table, o);

    return error_usage(error, "--%s is for --%s %s; leave it out, or choose that.", o->name,
                       option_method(g->table)->name, methods);
}

bool given_apply(const struct given *g, void *options, GError **error)
{
    for (size_t i = 0; i < g->table->n; i++) {
        if (has(g, i) && !take(g, i, options, error)) {
            return false;
        }
    }
    for (size_t i = 0; i < g->table->n; i++) {
        // the method is known now
        if (has(g, i) && !option_of_method(g->table, &g->table->rows[i], options)) {
            return refuse(g, &g->table->rows[i], error);
        }
    }
    return true;
}

bool given_apply_useful(const struct given *g, void *options, GError **error)
{
    for (size_t i = 0; i < g->table->n; i++) {
        const struct option *o = &g->table->rows[i];
        if (has(g, i) && o != option_method(g->table) && option_of_method(g->table, o, options) &&
            !take(g, i, options, error)) {
            return false;
        }
    }
    return true;
}

bool given_apply_one(const struct given *g, const char *name, void *options, GError **error)
{
    const size_t i = index_of(g, name);

    return !has(g, i) || take(g, i, options, error);
}

bool given_has(const struct given *g, const char *name)
{
    return has(g, index_of(g, name));
}

const char *given_text(const struct given *g, const char *name)
{
    const size_t i = index_of(g, name);

    return g->values[i].text != NULL ? g->values[i].text : g->table->rows[i].text;
}

char *const *given_list(const struct given *g, const char *name)
{
    return g->values[index_of(g, name)].list;
}

double given_number(const struct given *g, const char *name)
{
    const size_t i = index_of(g, name);
    double given;

    // what is none given_apply refuses
    return has(g, i) && parse(g, i, &given, NULL) ? given : g->table->rows[i].standard;
}
