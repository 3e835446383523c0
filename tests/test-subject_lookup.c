/* What people call subjects: names and files that exist come before colons, endings and
 * separators. */
#include "engine/subject/subject_lookup.h"
#include "engine/subject/subject_list.h"
#include "tests/temporary_folder.h"

#include <glib/gstdio.h>

static char *subjects; // the folder of learned ones; the working folder is its parent's parent

static void make(const char *path)
{
    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void learn(const char *name)
{
    g_autofree char *file = g_strconcat(subjects, "/", name, ".safetensors", NULL);

    make(file);
}

static void forget(const char *name)
{
    g_autofree char *file = g_strconcat(subjects, "/", name, ".safetensors", NULL);

    g_assert_cmpint(g_unlink(file), ==, 0);
}

static void check_split(const char *text, const char *name, double scale)
{
    double found;
    g_autofree char *split = svdiff_subject_split(text, &found);

    g_assert_cmpstr(split, ==, name);
    g_assert_cmpfloat(found, ==, scale);
}

static void check_part(const char *text, const char *part)
{
    g_assert_cmpstr(subject_part_of(text), ==, part);
}

// a part is what stands behind the name, unless all of it is a subject's name
static void test_part(void)
{
    check_part("fox", NULL);
    check_part("fox:0.8", NULL);
    check_part("fox:keep=40", ":keep=40");
    check_part("16:9:only=a,b:keep=1", ":only=a,b:keep=1");
    check_part("keep=40", NULL);
    check_split("fox:keep=40", "fox:keep=40", 1);
    check_split("fox:keep=40:0.8", "fox:keep=40", 0.8);
    learn("fox:keep=40");
    check_part("fox:keep=40", NULL);
    check_part("fox:keep=40:only=a", ":keep=40:only=a");
    forget("fox:keep=40");
}

static void test_split(void)
{
    check_split("fox", "fox", 1);
    check_split("fox:0.8", "fox", 0.8);
    check_split("fox: -1", "fox", -1);
    check_split("fox :2", "fox", 2);
    check_split("a:b", "a:b", 1);
    check_split("fox:", "fox:", 1);
    check_split("fox:2x", "fox:2x", 1);
    check_split("fox:2:0.5", "fox:2", 0.5);
    check_split("portrait 16:9", "portrait 16", 9);
}

// a subject of just this name is that one
static void test_exact(void)
{
    learn("fox");
    check_split("fox:2", "fox", 2);
    learn("fox:2");
    learn("portrait 16:9");
    make("mine:3");
    check_split("fox:2", "fox:2", 1);
    check_split("fox:2:2", "fox:2", 2);
    check_split("fox:2.0", "fox", 2);
    check_split("portrait 16:9", "portrait 16:9", 1);
    check_split("portrait 16:9:0.5", "portrait 16:9", 0.5);
    check_split("mine:3", "mine:3", 1);
    const struct svdiff_scaled_subject s = subject_list_parse("fox:2");
    g_autofree char *file = g_strconcat(subjects, "/fox:2.safetensors", NULL);
    g_assert_cmpstr(s.file, ==, file);
    g_assert_cmpfloat(s.scale, ==, 1);
    g_free((char *)s.file);
    g_unlink("mine:3");
    forget("portrait 16:9");
    forget("fox:2");
    forget("fox");
}

static void check_join(const char *name, double scale, const char *text)
{
    g_autofree char *joined = svdiff_subject_join(name, scale);

    g_assert_cmpstr(joined, ==, text);
    check_split(joined, name, scale);
}

// what is put together comes apart again, whatever else exists
static void test_join(void)
{
    learn("fox");
    check_join("fox", 1, "fox");
    check_join("fox", 0.85, "fox:0.85");
    check_join("fox", -2, "fox:-2");
    learn("fox:2");
    learn("fox:2.000");
    check_join("fox:2", 1, "fox:2");
    check_join("fox", 2, "fox:2.0000");
    check_join("fox:2", 2, "fox:2:2");
    forget("fox:2.000");
    forget("fox:2");
    forget("fox");
}

static void check_path(const char *name, const char *path)
{
    g_autofree char *found = subject_path(name);
    g_autofree char *own = path != NULL ? NULL : g_strconcat(subjects, "/", name, NULL);

    g_assert_cmpstr(found, ==, path != NULL ? path : own);
}

static void test_path(void)
{
    g_autofree char *fox = g_strconcat(subjects, "/fox.safetensors", NULL);
    g_autofree char *twice = g_strconcat(subjects, "/fox.safetensors.safetensors", NULL);

    check_path("fox", fox); // where it would be
    check_path("fox.safetensors", "fox.safetensors");
    check_path("a/fox", "a/fox");
    learn("fox");
    check_path("fox.safetensors", fox);
    check_path("./fox.safetensors", "./fox.safetensors");
    g_assert_cmpint(g_mkdir("fox", 0700), ==, 0); // the photos that it was learned from
    check_path("fox", fox);
    make("fox/spectral_shifts.safetensors"); // svdiff-pytorch's folder
    check_path("fox", "fox");
    g_unlink("fox/spectral_shifts.safetensors");
    g_rmdir("fox");
    learn("fox.safetensors");
    check_path("fox.safetensors", twice);
    check_path("fox", fox);
    make("fox.safetensors");
    check_path("fox.safetensors", "fox.safetensors");
    g_unlink("fox.safetensors");
    forget("fox.safetensors");
    forget("fox");
}

static void check_list(const char *text, const char *parts)
{
    g_auto(GStrv) list = svdiff_subject_list(text);
    g_autofree char *all = g_strjoinv("|", list);

    g_assert_cmpstr(all, ==, parts);
}

static void test_list(void)
{
    check_list("", "");
    check_list(" ; \n;", "");
    check_list("fox", "fox");
    check_list(" fox:0.8 ;cat\nx y; ", "fox:0.8|cat|x y");
    check_list("a;b", "a|b");
    learn("a");
    learn("b");
    check_list("a;b", "a|b");
    learn("a;b");
    check_list("a;b", "a;b");
    check_list("a;b:0.5;c", "a;b:0.5|c");
    check_list("c ; a;b", "c|a;b");
    check_list("a; b", "a|b");
    check_list("a;b;a;b", "a;b|a;b");
    learn("a;b;c");
    check_list("a;b;c;b", "a;b;c|b");
    forget("a;b;c");
    forget("a;b");
    forget("b");
    forget("a");
}

static void test_names(void)
{
    static const char *const good[] = {"fox",     "portrait 16:9", "a;b", "fox.safetensors",
                                       "größe 🐶", "a=b",           "x.",  "-"};
    static const char *const bad[] = {"",
                                      " ",
                                      "  ",
                                      " fox",
                                      "fox ",
                                      ".",
                                      "..",
                                      ".fox",
                                      "a/b",
                                      "/",
                                      "a\nb",
                                      "a\tb",
                                      "a\x7f",
                                      "a\001",
                                      "fox\n",
                                      "\u00a0fox",
                                      "a\u2028",
                                      "\u3000",
                                      "a\xc2\x85"
                                      "b"};
    g_autofree char *longest = g_strnfill(200, 'a'), *longer = g_strnfill(201, 'a');

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_test_message("good: %s", good[i]);
        g_assert_true(svdiff_subject_name_good(good[i]));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("bad: number %zu", i);
        g_assert_false(svdiff_subject_name_good(bad[i]));
    }
    g_assert_true(svdiff_subject_name_good(longest));
    g_assert_false(svdiff_subject_name_good(longer));
    g_assert_true(svdiff_subject_name_good("a\xff")); // any bytes are a file's name
}

int main(int argc, char **argv)
{
    char *folder = temporary_folder_create();

    g_setenv("XDG_DATA_HOME", folder, TRUE);
    g_test_init(&argc, &argv, NULL);
    subjects = g_build_filename(folder, "svdiff", "subjects", NULL);
    g_assert_cmpint(g_mkdir_with_parents(subjects, 0700), ==, 0);
    g_assert_cmpint(g_chdir(folder), ==, 0);
    g_test_add_func("/subject-lookup/split", test_split);
    g_test_add_func("/subject-lookup/part", test_part);
    g_test_add_func("/subject-lookup/exact", test_exact);
    g_test_add_func("/subject-lookup/join", test_join);
    g_test_add_func("/subject-lookup/path", test_path);
    g_test_add_func("/subject-lookup/list", test_list);
    g_test_add_func("/subject-lookup/names", test_names);
    const int code = g_test_run();
    temporary_folder_remove(folder);
    g_free(subjects);
    return code;
}
