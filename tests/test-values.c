/* Values of the procedures' arguments: defaults, checks, the file of last values; and the
 * table itself. */
#include "plugin/values.h"

#include "engine/svdiff.h"
#include "tests/temporary_folder.h"

#include <locale.h>
#include <math.h>
#include <string.h>

static values *make(const char *name)
{
    const struct procedure *p = procedure_find(name);

    g_assert_nonnull(p);
    return values_create(p);
}

static void set_text(values *v, const char *name, const char *text)
{
    values_set_text(v, procedure_index(v->procedure, name), text);
}

static void set_number(values *v, const char *name, double number)
{
    values_set_number(v, procedure_index(v->procedure, name), number);
}

// every default is allowed, names are unique, mnemonics too and none is a button's
static void test_table(void)
{
    size_t n;
    const struct procedure *all = procedures_all(&n);

    for (size_t i = 0; i < n; i++) {
        g_autoptr(values) v = values_create(&all[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) mnemonics = g_string_new("ACHGL");
        g_assert_true(values_check(v, &error));
        g_assert_no_error(error);
        for (size_t j = 0; j < all[i].n_arguments; j++) {
            const struct argument *a = &all[i].arguments[j];
            const char *line = strchr(a->label, '_');
            g_assert_cmpuint(procedure_index(&all[i], a->name), ==, j);
            if (a->look == LOOK_REGIONS) { // its button has the key
                continue;
            }
            g_assert_nonnull(line);
            const char key = g_ascii_toupper(line[1]);
            const bool button = key == 'G' || key == 'L'; // one procedure has one of the two
            if (button) {
                g_assert_cmpint(key, !=, g_ascii_toupper(strchr(all[i].action, '_')[1]));
            } else {
                if (strchr(mnemonics->str, key))
                    g_error("%s %s", all[i].name, a->label);
            }
            g_string_append_c(mnemonics, key);
        }
    }
}

static void check_refused(values *v, const char *words)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(values_check(v, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
    if (strstr(error->message, words) == NULL) {
        g_error("'%s' is not in: %s", words, error->message);
    }
}

static void test_ranges(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate");

    set_number(v, "steps", 1001);
    check_refused(v, "steps is 1001; it can be from -1 to 1000.");
    set_number(v, "steps", -2);
    check_refused(v, "steps is -2");
    set_number(v, "steps", 0);
    set_number(v, "strength", NAN);
    check_refused(v, "strength is");
    set_number(v, "strength", 1.5);
    check_refused(v, "strength is 1.5; it can be from -1 to 1.");
}

static void test_choices(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate");
    g_autoptr(GError) error = NULL;

    set_text(v, "init", "Layer");
    check_refused(v, "init is “Layer”; it can be one of: none, layer, selection.");
    set_text(v, "init", "");
    g_assert_true(values_check(v, &error));
    g_assert_cmpstr(values_text(v, "init"), ==, "none");
    set_text(v, "prompt", "\xff");
    check_refused(v, "prompt is not a text in UTF-8");
}

static void test_kept(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate"), again = make("plug-in-svdiff-generate");
    g_autoptr(values) learn = make("plug-in-svdiff-learn"), wild = make("plug-in-svdiff-learn");
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "svdiff.rc", NULL);
    g_autoptr(GError) error = NULL;

    values_load(v, path); // there is no file yet
    set_text(v, "prompt", "ein Füchslein; \"zwei\"\n drei = 3");
    set_number(v, "strength", 0.625);
    set_number(v, "seed", 2147483647);
    g_assert_true(values_store(v, path, &error));
    set_number(learn, "steps", 77);
    set_number(learn, "mask-channel", 12);
    g_assert_true(values_store(learn, path, &error));
    values_load(again, path);
    g_assert_cmpstr(values_text(again, "prompt"), ==, "ein Füchslein; \"zwei\"\n drei = 3");
    g_assert_cmpfloat(values_number(again, "strength"), ==, 0.625);
    g_assert_cmpint(values_int(again, "seed"), ==, 2147483647);
    values_load(wild, path);
    g_assert_cmpint(values_int(wild, "steps"), ==, 77);
    g_assert_cmpint(values_int(wild, "mask-channel"), ==, -1);
    temporary_folder_remove(folder);
}

// what is not allowed in the file does not come in
static void test_damaged_file(void)
{
    g_autoptr(values) v = make("plug-in-svdiff-generate");
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "svdiff.rc", NULL);

    g_assert_true(g_file_set_contents(path,
                                      "[plug-in-svdiff-generate]\nsteps=999999\ninit=nothing\n"
                                      "strength=much\ncount=3\n",
                                      -1, NULL));
    values_load(v, path);
    g_assert_cmpint(values_int(v, "steps"), ==, 0);
    g_assert_cmpstr(values_text(v, "init"), ==, "none");
    g_assert_cmpfloat(values_number(v, "strength"), ==, 0);
    g_assert_cmpint(values_int(v, "count"), ==, 3);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/values/table", test_table);
    g_test_add_func("/values/ranges", test_ranges);
    g_test_add_func("/values/choices", test_choices);
    g_test_add_func("/values/kept", test_kept);
    g_test_add_func("/values/damaged-file", test_damaged_file);
    return g_test_run();
}
