/* The tables of options: what each row says of itself holds, and values survive their texts. */
#include "engine/options/option.h"
#include "engine/svdiff.h"

#include <string.h>

static const struct option_table *const tables[] = {&options_of_learn, &options_of_generate,
                                                    &options_of_edit, &options_of_session};

// a name is one option's on a command line, which has a job's table and that of opening a model
static void test_names(void)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        for (size_t i = 0; i < tables[t]->n; i++) {
            g_assert_true(g_hash_table_add(seen, (char *)tables[t]->rows[i].name));
            g_assert_true(option_find(tables[t], tables[t]->rows[i].name) == &tables[t]->rows[i]);
        }
        for (size_t i = 0; tables[t] != &options_of_session && i < options_of_session.n; i++) {
            g_assert_false(g_hash_table_contains(seen, options_of_session.rows[i].name));
        }
    }
}

// two options in one field would undo each other
static void test_fields(void)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
        for (size_t i = 0; i < tables[t]->n; i++) {
            const size_t field = tables[t]->rows[i].field;
            g_assert_true(field == OPTION_NO_FIELD || field < tables[t]->size);
            g_assert_true(field == OPTION_NO_FIELD ||
                          g_hash_table_add(seen, GSIZE_TO_POINTER(field)));
        }
    }
}

static void test_words(void)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct option *o = &tables[t]->rows[i];
            for (int k = 0; o->words != NULL && o->words[k] != NULL; k++) {
                double value = -1;
                g_assert_true(option_parse(o, o->words[k], &value, NULL));
                g_assert_cmpfloat(value, ==, o->first + k);
                g_assert_cmpstr(option_word(o, (int)value), ==, o->words[k]);
            }
            g_assert_true(o->words == NULL || !option_word_value(o, "no word", &(double){0}));
        }
    }
    g_autofree char *words = option_words(option_find(&options_of_learn, "schedule"));
    g_assert_cmpstr(words, ==, "constant, linear or cosine");
    // values that have words are those of the enums
    const struct option *layers = option_find(&options_of_learn, "unmix-layers");
    g_assert_cmpstr(option_word(layers, UNMIX_BOTH), ==, "both");
    g_assert_cmpstr(option_word(option_find(&options_of_generate, "sampler"), SAMPLER_DPMPP_2M), ==,
                    "dpmpp-2m");
    g_assert_null(option_word(option_find(&options_of_generate, "sampler"), SAMPLER_DDIM_INVERSE));
    g_assert_cmpstr(option_word(option_find(&options_of_learn, "subset"), SUBSET_MID_CA), ==,
                    "mid-ca");
    g_assert_null(option_word(option_find(&options_of_generate, "spacing"), SAMPLER_SPACING_MODEL));
}

static void test_standards(void)
{
    struct svdiff_learn_options learn = {0};
    struct svdiff_generate_options generate = {0};
    g_autoptr(GError) error = NULL;

    options_set_standards(&options_of_learn, &learn);
    options_set_standards(&options_of_generate, &generate);
    g_assert_true(options_check(&options_of_learn, &learn, &error));
    g_assert_true(options_check(&options_of_generate, &generate, &error));
    g_assert_cmpint(learn.steps, ==, 500);
    g_assert_cmpfloat(learn.rate, ==, 1e-3);
    g_assert_true(learn.text_encoder);
    g_assert_cmpint(learn.unmix_maps, ==, UNMIX_MEAN);
    g_assert_cmpstr(generate.negative, ==, "");
    g_assert_cmpint(generate.feather, ==, -1);
    g_assert_cmpfloat(generate.strength, ==, 0.75);
}

static void check_refused(const char *name, const char *text, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    double value;

    g_assert_false(option_parse(option_find(&options_of_generate, name), text, &value, &error));
    g_assert_cmpstr(error->message, ==, sentence);
}

static void test_ranges(void)
{
    double value;

    g_assert_true(
        option_parse(option_find(&options_of_generate, "steps"), "1000000", &value, NULL));
    g_assert_cmpfloat(value, ==, 1e6);
    check_refused("steps", "0", "--steps is 0; it can be from 1 to 1000000.");
    check_refused("steps", "99999999999", "--steps is 99999999999; it can be from 1 to 1000000.");
    check_refused("steps", "1x", "--steps is '1x'; it must be a whole number from 1 to 1000000.");
    check_refused("steps", "", "--steps is ''; it must be a whole number from 1 to 1000000.");
    check_refused("eta", "nan", "--eta is nan; it can be from 0 to 1.");
    check_refused("eta", "0,5", "--eta is '0,5'; it must be a number from 0 to 1.");
    check_refused("strength", "0", "--strength is 0; it can be above 0 and at most 1.");
    check_refused("fill", "grey", "--fill is 'grey'; it can be original, blurred or noise.");
}

static char *print(const struct svdiff_learn_options *o, bool several)
{
    return options_print(&options_of_learn, o, several);
}

// with one method
static void check_fingerprint(const struct option *o, int method)
{
    const struct option *by = option_method(&options_of_learn);
    struct svdiff_learn_options a = {0};

    options_set_standards(&options_of_learn, &a);
    option_set(by, &a, method);
    if (o->flags & OPTION_IF_ON) {
        option_set(o, &a, o->low);
    }
    const bool own = o == by || option_of_method(&options_of_learn, o, &a);
    g_autofree char *one = print(&a, false), *many = print(&a, true);
    option_set(o, &a, option_get(o, &a) == 0 ? 1 : 0);
    g_autofree char *other_one = print(&a, false), *other_many = print(&a, true);
    const bool counts = own && o->flags & OPTION_COUNTS;
    const bool several = own && o->flags & OPTION_SEVERAL;
    g_assert_cmpint(strcmp(one, other_one) != 0, ==, counts);
    g_assert_cmpint(strcmp(many, other_many) != 0, ==, counts || several);
    if (o->flags & OPTION_IF_ON) {
        g_assert_null(strstr(one, o->name));
    }
}

/* Each option that counts changes the fingerprint, and no other one does, nor one of another method; what is
 * off is not in it, and what is of several subjects only with several. */
static void test_fingerprint(void)
{
    for (size_t i = 0; i < options_of_learn.n; i++) {
        const struct option *o = &options_of_learn.rows[i];
        const bool checked = o->field != OPTION_NO_FIELD && option_is_number(o);
        for (int m = 0; checked && option_method(&options_of_learn)->words[m] != NULL; m++) {
            check_fingerprint(o, m);
        }
    }
}

static void test_seed(void)
{
    struct svdiff_learn_options a = {.seed = G_MAXINT64}, b = {.seed = G_MAXINT64 - 1};
    g_autofree char *one = print(&a, false), *other = print(&b, false);

    g_assert_nonnull(strstr(one, "seed=9223372036854775807\n"));
    g_assert_cmpstr(one, !=, other);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/option/names", test_names);
    g_test_add_func("/option/fields", test_fields);
    g_test_add_func("/option/words", test_words);
    g_test_add_func("/option/standards", test_standards);
    g_test_add_func("/option/ranges", test_ranges);
    g_test_add_func("/option/fingerprint", test_fingerprint);
    g_test_add_func("/option/seed", test_seed);
    return g_test_run();
}
