/* Parts of a list of subjects that mean adapters, and subjects that are called as these begin. */
#include "plugin/brought.h"

#include "tests/temporary_folder.h"

#include <glib/gstdio.h>

static void learn(const char *name)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "svdiff", "subjects", NULL);
    g_autofree char *file = g_strconcat(folder, "/", name, ".safetensors", NULL);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
}

static void check(const char *part, const char *option, const char *rest)
{
    const char *found;

    g_assert_cmpstr(brought_option(part, &found), ==, option);
    g_assert_cmpstr(found, ==, rest);
    g_assert_cmpstr(brought_among_subjects(part, &found), ==, option);
}

static void is_subject(const char *part)
{
    const char *rest;

    g_assert_null(brought_among_subjects(part, &rest));
}

static void test_kinds(void)
{
    check("lora ink:0.5", "--lora", "ink:0.5");
    check("embedding glow", "--embedding", "glow");
    is_subject("fox");
    is_subject("lorax");
}

// what exists under all of the text is that
static void test_subjects(void)
{
    const char *rest;

    learn("lora fox");
    learn("embedding x");
    is_subject("lora fox");
    is_subject("lora fox:0.5");
    is_subject("lora fox:keep=40:0.5");
    is_subject("embedding x");
    // but not in a list of adapters
    g_assert_cmpstr(brought_option("lora fox", &rest), ==, "--lora");
    check("lora foxes", "--lora", "foxes");
}

static void makes(const char *name, const char *method, const char *left)
{
    const char *rest = NULL;

    g_assert_cmpstr(brought_method(name, &rest), ==, method);
    if (method != NULL) {
        g_assert_cmpstr(rest, ==, left);
    }
}

// a name says by which method it is learned, and where it lies then
static void test_methods(void)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "svdiff", "loras", NULL);
    g_autofree char *file = g_build_filename(folder, "ink.safetensors", NULL);
    const char *below = NULL;

    makes("lora ink", "lora", "ink");
    makes("embedding glow", "textual-inversion", "glow");
    makes("fox", NULL, NULL);
    makes("lora fox", NULL, NULL); // a subject, of the test before
    g_assert_cmpstr(brought_of_method("lora", &below), ==, "lora ");
    g_assert_cmpstr(below, ==, "loras");
    g_assert_cmpstr(brought_of_method("textual-inversion", &below), ==, "embedding ");
    g_assert_cmpstr(below, ==, "embeddings");
    g_assert_null(brought_of_method("svdiff", &below));
    g_assert_null(brought_file("lora ink"));
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_autofree char *found = brought_file("lora ink");
    g_assert_cmpstr(found, ==, file);
    g_assert_null(brought_file("ink"));
}

int main(int argc, char **argv)
{
    char *folder = temporary_folder_create();

    g_setenv("XDG_DATA_HOME", folder, TRUE);
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(g_chdir(folder), ==, 0);
    g_test_add_func("/brought/kinds", test_kinds);
    g_test_add_func("/brought/subjects", test_subjects);
    g_test_add_func("/brought/methods", test_methods);
    const int code = g_test_run();
    temporary_folder_remove(folder);
    return code;
}
