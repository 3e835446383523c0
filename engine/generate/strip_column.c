/* One picture of a strip; see strip_column.h. */
#include "engine/generate/strip_column.h"

#include "engine/base/error.h"
#include "engine/generate/generate_check.h"
#include "engine/options/option.h"

#include <string.h>

/* ---- what is no option by itself ---- */

static void set_scale(struct strip_column *c, double value)
{
    for (int i = 0; i < c->options.n_subjects; i++) {
        c->subjects[i].scale *= c->which == 0 || c->which == i + 1 ? value : 1;
    }
}

static void set_mix(struct strip_column *c, double value)
{
    struct svdiff_scaled_subject *last = c->subjects + c->options.n_subjects - 1;

    last[-1].scale *= 1 - value;
    last[0].scale *= value;
}

// behind what the subject says itself: the last counts
static void set_keep(struct strip_column *c, double value)
{
    for (int i = 0; i < c->options.n_subjects; i++) {
        char *own = (char *)c->subjects[i].part;
        c->subjects[i].part = g_strdup_printf("%s:keep=%d", own != NULL ? own : "", (int)value);
        g_free(own);
    }
}

static void set_lora(struct strip_column *c, double value)
{
    for (int i = 0; i < c->options.n_adapters; i++) {
        c->adapters[i].strength *= value;
    }
}

// read as options are, so that what is wrong is told in the same words
static const struct way {
    struct option row;
    void (*set)(struct strip_column *c, double value);
    int subjects, adapters; // that it needs
} ways[] = {
    {{.name = "strip scale", .kind = OPTION_NUMBER, .low = -1000, .high = 1000}, set_scale, 1, 0},
    {{.name = "strip mix", .kind = OPTION_NUMBER, .low = -1000, .high = 1000}, set_mix, 2, 0},
    {{.name = "strip keep", .kind = OPTION_INT, .low = 1, .high = G_MAXINT}, set_keep, 1, 0},
    {{.name = "strip lora", .kind = OPTION_NUMBER, .low = -1000, .high = 1000}, set_lora, 0, 1},
};

// *which: of "scale2" 2
static const struct way *find_way(const char *name, int *which)
{
    guint64 number = 0;

    if (g_str_has_prefix(name, "scale") &&
        g_ascii_string_to_unsigned(name + strlen("scale"), 10, 1, 1000, &number, NULL)) {
        name = "scale";
    }
    *which = (int)number;
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (strcmp(ways[i].row.name + strlen("strip "), name) == 0) {
            return &ways[i];
        }
    }
    return NULL;
}

static bool check_way(const struct way *w, int which, const struct svdiff_generate_options *o,
                      GError **error)
{
    if (which > o->n_subjects) {
        return error_usage(error, "--strip scale%d varies subject %d, and there are %d --subject.",
                           which, which, o->n_subjects);
    }
    if (o->n_adapters < w->adapters) {
        return error_usage(error, "--%s varies adapters; give one with --lora.", w->row.name);
    }
    if (o->n_subjects < w->subjects) {
        return error_usage(error, "--%s varies %s; give %s with --subject.", w->row.name,
                           w->subjects == 2 ? "what is between two subjects" : "subjects",
                           w->subjects == 2 ? "two" : "one");
    }
    return true;
}

/* ---- options ---- */

// pictures of a strip have one size, and their count is its rows
static bool can_vary(const struct option *o)
{
    return (o->kind == OPTION_INT || o->kind == OPTION_NUMBER || o->kind == OPTION_CHOICE) &&
           o->field != OPTION_NO_FIELD && !(o->flags & OPTION_PIXELS) &&
           strcmp(o->name, "count") != 0 && strcmp(o->name, "hires") != 0;
}

static const struct option *find_row(const char *name)
{
    const struct option_table *t = &options_of_generate;

    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->rows[i].name, name) == 0 && can_vary(&t->rows[i])) {
            return &t->rows[i];
        }
    }
    return NULL;
}

static bool refuse_name(const char *name, GError **error)
{
    const struct option_table *t = &options_of_generate;
    GString *names = g_string_new("scale, mix, keep, lora");

    for (size_t i = 0; i < t->n; i++) {
        if (can_vary(&t->rows[i])) {
            g_string_append_printf(names, ", %s", t->rows[i].name);
        }
    }
    error_usage(error, "--strip cannot vary '%s'; it can be of %s.", name, names->str);
    g_string_free(names, TRUE);
    return false;
}

/* ---- a picture ---- */

static void copy_lists(struct strip_column *c, const struct svdiff_generate_options *from)
{
    c->options = *from;
    c->subjects = g_memdup2(from->subjects, (gsize)from->n_subjects * sizeof *c->subjects);
    for (int i = 0; i < from->n_subjects; i++) {
        c->subjects[i].part = g_strdup(c->subjects[i].part);
    }
    c->adapters = g_memdup2(from->adapters, (gsize)from->n_adapters * sizeof *c->adapters);
    c->options.subjects = c->subjects;
    c->options.adapters = c->adapters;
}

bool strip_column_make(const struct strip *s, int i, const struct svdiff_generate_options *from,
                       struct strip_column *c, GError **error)
{
    int which;
    const struct way *w = find_way(s->name, &which);
    const struct option *row = w != NULL ? &w->row : find_row(s->name);
    double value;

    copy_lists(c, from);
    c->which = which;
    if (row == NULL) {
        return refuse_name(s->name, error);
    }
    if ((w != NULL && !check_way(w, which, from, error)) ||
        !option_parse(row, s->values[i], &value, error)) {
        return false;
    }
    if (w != NULL) {
        w->set(c, value);
    } else {
        option_set(row, &c->options, value);
    }
    return true;
}

void strip_column_clear(struct strip_column *c)
{
    for (int i = 0; i < c->options.n_subjects; i++) {
        g_free((char *)c->subjects[i].part);
    }
    g_free(c->subjects);
    g_free(c->adapters);
    *c = (struct strip_column){0};
}

bool strip_changes_weights(const struct strip *s)
{
    int which;

    return find_way(s->name, &which) != NULL;
}

bool strip_check(const struct strip *s, const struct svdiff_generate_options *from, int unit,
                 GError **error)
{
    bool good = true;

    for (int i = 0; i < s->n && good; i++) {
        struct strip_column c;
        good = strip_column_make(s, i, from, &c, error) && generate_check(&c.options, unit, error);
        strip_column_clear(&c);
    }
    return good;
}
