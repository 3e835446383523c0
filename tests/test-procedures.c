/* The plug-in's arguments beside the engine's options: what one offers, the other takes. GIMP wants
 * the ranges when a procedure is registered, so that they cannot be asked for then. */
#include "engine/options/option.h"
#include "plugin/procedures.h"

#include <string.h>

static const struct option_table *table_of(const char *job)
{
    const struct option_table *const tables[] = {&options_of_learn, &options_of_generate,
                                                 &options_of_edit};

    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        if (strcmp(tables[i]->job, job) == 0) {
            return tables[i];
        }
    }
    g_assert_not_reached();
}

// whose options a procedure's arguments are, as the worker gets them
static const struct option_table *job_of(const struct procedure *p)
{
    switch (p->id) {
    case PROCEDURE_LEARN:
        return &options_of_learn;
    case PROCEDURE_EDIT:
        return &options_of_edit;
    case PROCEDURE_GENERATE:
    case PROCEDURE_CREATE:
    case PROCEDURE_COMPOSE: // what it learns says so itself, in own_from
        return &options_of_generate;
    default:
        return NULL;
    }
}

static const struct option *find_key(const struct option_table *t, const char *key)
{
    for (size_t i = 0; i < t->n; i++) {
        g_autofree char *own = option_key(&t->rows[i]);
        if (strcmp(own, key) == 0) {
            return &t->rows[i];
        }
    }
    return NULL;
}

/* The option that an argument becomes: that of its model's own value, else that of its name; NULL:
 * none. */
static const struct option *option_of(const struct procedure *p, const struct argument *a)
{
    const struct option_table *t = job_of(p);

    if (a->own_from != NULL) {
        g_auto(GStrv) parts = g_strsplit(a->own_from, ".", 2);
        const struct option *o = find_key(table_of(parts[0]), parts[1]);
        g_assert_nonnull(o); // a default that `svdiff info --json` tells
        return o;
    }
    g_autofree char *key = g_strdelimit(g_strdup(a->name), "-", '_');
    return t != NULL ? find_key(t, key) : NULL;
}

static void check_choices(const struct argument *a, const struct option *o)
{
    g_autofree char *words = g_strjoinv("|", (char **)o->words);
    const char *own = g_str_has_prefix(a->choices, "auto|") ? a->choices + 5 : a->choices;

    // a list of dialogs alone may offer the first ones only
    if (!a->unscripted || !g_str_has_prefix(words, own) || words[strlen(own)] != '|') {
        g_assert_cmpstr(own, ==, words);
    }
}

static void test_arguments(void)
{
    size_t n, numbers = 0, choices = 0;
    const struct procedure *all = procedures_all(&n);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < all[i].n_arguments; k++) {
            const struct argument *a = &all[i].arguments[k];
            const struct option *o = option_of(&all[i], a);
            const bool number = a->kind == ARGUMENT_INT || a->kind == ARGUMENT_NUMBER;
            if (o == NULL || o->kind == OPTION_SEED) {
                continue;
            }
            if (a->kind == ARGUMENT_CHOICE) {
                check_choices(a, o);
                choices++;
            }
            if (number) {
                g_assert_cmpint(o->kind, ==, a->kind == ARGUMENT_INT ? OPTION_INT : OPTION_NUMBER);
                g_assert_cmpfloat(a->high, <=, o->high); // low: 0 and -1 are the default
                numbers++;
            }
        }
    }
    // --effort, --method, and of two procedures --sampler, --spacing, --timesteps, --noise
    g_assert_cmpuint(choices, ==, 10);
    g_assert_cmpuint(numbers, >=, 20);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/procedures/arguments", test_arguments);
    return g_test_run();
}
