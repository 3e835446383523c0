/* What painting begins with: the subject learned last and prompts of it, in a data folder of this
 * test's own. */
#include "plugin/beginning.h"
#include "plugin/scenes.h"

#include "tests/temporary_folder.h"

#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

// a file of the tests under a name, written at a time
static void keep_in(const char *kind, const char *fixture, const char *name, time_t when)
{
    g_autofree char *from = g_test_build_filename(G_TEST_DIST, "fixtures", fixture, NULL);
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "svdiff", kind, NULL);
    g_autofree char *to = g_build_filename(folder, name, NULL);
    const struct utimbuf times = {when, when};
    g_autofree char *bytes = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(from, &bytes, &length, NULL));
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(to, bytes, (gssize)length, NULL));
    g_assert_cmpint(g_utime(to, (struct utimbuf *)&times), ==, 0);
}

static void keep(const char *fixture, const char *name, time_t when)
{
    g_autofree char *file = g_build_filename("models", fixture, NULL);

    keep_in("subjects", file, name, when);
}

static void things(const char *subjects, const char *wanted)
{
    g_autofree char *got = beginning_things(subjects);

    g_assert_cmpstr(got, ==, wanted);
}

static void test_things(void)
{
    things("", "");
    things("rex:0.5", "a dog");
    things("rex; tom", "a dog and a cat");
    things("rex; tom; silent", "a dog, a cat and silent");
    things("nobody", "");
    things("rex; /no/such.safetensors", "a dog");
}

// what was learned here by another method is called by its words, what others made is not spoken of
static void test_brought(void)
{
    keep_in("embeddings", "adapters/inversion-diffusers.safetensors", "glow.safetensors", 1000);
    keep_in("loras", "adapters/diffusers.safetensors", "ink.safetensors", 1000);
    things("embedding glow", "a <inversion-diffusers> dog");
    things("lora ink:0.5", "");
    things("rex; embedding glow; lora ink", "a dog and a <inversion-diffusers> dog");
    things("embedding none", "");
}

static void first(const char *thing, bool small, const char *wanted, guint n)
{
    g_auto(GStrv) prompts = scenes_of(thing, small);

    g_assert_cmpstr(prompts[0], ==, wanted);
    g_assert_cmpint(g_strv_length(prompts), >=, n);
}

static void test_scenes(void)
{
    first("a fox", true, "a photo of a fox in the snow", 4);
    first("a red Teapot", true, "a photo of a red Teapot on a red background", 4);
    first("100% wool", false, "a photo of 100% wool in the snow", 6);
}

static values *begin(const char *file)
{
    values *v = values_create(procedure_find("plug-in-svdiff-generate"));

    values_load(v, file);
    beginning_fill(v, file);
    return v;
}

static void check(const char *file, const char *subjects, const char *prompt, const char *model)
{
    g_autoptr(values) v = begin(file);

    g_assert_cmpstr(values_text(v, "subjects"), ==, subjects);
    g_assert_cmpstr(values_text(v, "prompt"), ==, prompt);
    g_assert_cmpstr(values_text(v, "model"), ==, model);
}

static void say(const char *file, const char *prompt)
{
    g_autoptr(values) v = begin(file);

    values_set_text(v, procedure_index(v->procedure, "prompt"), prompt);
    g_assert_true(values_store(v, file, NULL));
}

static void test_fill(void)
{
    g_autofree char *file = g_build_filename(g_get_user_data_dir(), "last", NULL);

    g_assert_true(
        g_file_set_contents(file,
                            "[plug-in-svdiff-learn]\nname=tom\nmodel=/a/model\n"
                            "[plug-in-svdiff-generate]\nprompt=before\nsubjects=old\nseed=7\n",
                            -1, NULL));
    check(file, "tom", "a photo of a cat in the snow", "/a/model");
    check(file, "tom", "a photo of a cat in the snow", "/a/model"); // it is kept
    say(file, "tom at sea");
    check(file, "tom", "tom at sea", "/a/model"); // and what is said then stays
    keep("sd1-word-sks.safetensors", "rex.safetensors", 4000);
    check(file, "rex", "a photo of a dog in the snow", "/a/model");
    keep("sd1-word-sks.safetensors", "rex.safetensors", 5000); // learned again
    say(file, "rex at sea");
    check(file, "rex", "rex at sea", "/a/model");
    g_autoptr(values) v = begin(file);
    g_assert_cmpint(values_int(v, "seed"), ==, 7);
}

int main(int argc, char **argv)
{
    char *folder = temporary_folder_create();

    g_setenv("XDG_DATA_HOME", folder, TRUE);
    g_test_init(&argc, &argv, NULL);
    keep("sd1-subject-elementwise.safetensors", "silent.safetensors", 1000);
    keep("sd1-word-sks.safetensors", "rex.safetensors", 2000);
    keep("sd1-word-zwx.safetensors", "tom.safetensors", 3000);
    g_test_add_func("/beginning/things", test_things);
    g_test_add_func("/beginning/brought", test_brought);
    g_test_add_func("/beginning/scenes", test_scenes);
    g_test_add_func("/beginning/fill", test_fill);
    const int failed = g_test_run();
    temporary_folder_remove(folder);
    return failed;
}
