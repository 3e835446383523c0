/* The settings that a layer carries: written and read again, by another procedure, and damaged. */
#include "plugin/settings.h"

#include "engine/svdiff.h"

#include <string.h>

/* What the one layer of this test carries: host.h has no context to hand it in. */
static const char *attached;

char *host_attached(host_item layer, const char *name)
{
    g_assert_cmpstr(name, ==, "svdiff-settings");
    return g_strdup(attached);
}

char *host_item_name(host_item item)
{
    return g_strdup("test");
}

static values *make(const char *name)
{
    return values_create(procedure_find(name));
}

static void set_text(values *v, const char *name, const char *text)
{
    values_set_text(v, procedure_index(v->procedure, name), text);
}

static void set_number(values *v, const char *name, double number)
{
    values_set_number(v, procedure_index(v->procedure, name), number);
}

// all settings of a layer come back, with the layer's own seed
static void test_again(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate"), again = make("plug-in-svdiff-generate");

    set_text(v, "prompt", "a \"fox\" {[in]} the snow, ein Füchslein\\");
    set_text(v, "subjects", "fox:0.8; cat");
    set_text(v, "init", "selection");
    set_number(v, "strength", 0.625);
    set_number(v, "steps", 30);
    set_number(v, "seed", -1);
    g_autofree char *text = settings_write(v, 12345);
    g_assert_true(settings_read(again, text));
    for (size_t i = 0; i < v->procedure->n_arguments; i++) {
        const bool seed = strcmp(v->procedure->arguments[i].name, "seed") == 0;
        g_assert_cmpstr(again->items[i].text, ==, v->items[i].text);
        g_assert_cmpfloat(again->items[i].number, ==, seed ? 12345 : v->items[i].number);
    }
}

// what two procedures have in common is taken
static void test_other_procedure(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate"), learn = make("plug-in-svdiff-learn");

    set_text(v, "prompt", "a fox");
    set_number(v, "steps", 30);
    g_autofree char *text = settings_write(v, 5);
    set_text(learn, "name", "kept");
    set_number(learn, "mask-channel", 7);
    g_assert_true(settings_read(learn, text));
    g_assert_cmpstr(values_text(learn, "prompt"), ==, "a fox");
    g_assert_cmpint(values_int(learn, "steps"), ==, 30);
    g_assert_cmpstr(values_text(learn, "name"), ==, "kept");
    g_assert_cmpint(values_int(learn, "mask-channel"), ==, 7);
}

// what is not allowed, or of another kind, does not come in
static void test_wild(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate");

    g_assert_true(settings_read(v, "{\"steps\": 99999, \"prompt\": 5, \"init\": \"nothing\", "
                                   "\"count\": [1], \"strength\": 0.5, \"other\": {\"a\": 1}}"));
    g_assert_cmpint(values_int(v, "steps"), ==, 0);
    g_assert_cmpstr(values_text(v, "prompt"), ==, "");
    g_assert_cmpstr(values_text(v, "init"), ==, "none");
    g_assert_cmpint(values_int(v, "count"), ==, 1);
    g_assert_cmpfloat(values_number(v, "strength"), ==, 0.5);
}

static void test_no_settings(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate");
    g_autofree char *deep = g_strnfill(50000, '[');
    g_autofree char *inside = g_strnfill(70000, 'x');
    g_autofree char *long_text = g_strdup_printf("{\"prompt\": \"%s\"}", inside);
    const char *const texts[] = {"", "fox", "[1]", "{\"prompt\": ", deep, long_text};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_false(settings_read(v, texts[i]));
    }
    g_assert_cmpstr(values_text(v, "prompt"), ==, "");
}

static void test_layer(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate");
    g_autoptr(GError) error = NULL;

    attached = "{\"prompt\": \"a fox\"}";
    g_assert_true(settings_of_layer(v, 1, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(values_text(v, "prompt"), ==, "a fox");
    attached = NULL;
    g_assert_false(settings_of_layer(v, 1, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "“test” carries no settings"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings/again", test_again);
    g_test_add_func("/settings/other-procedure", test_other_procedure);
    g_test_add_func("/settings/wild", test_wild);
    g_test_add_func("/settings/no-settings", test_no_settings);
    g_test_add_func("/settings/layer", test_layer);
    return g_test_run();
}
