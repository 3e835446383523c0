/* What subjects are called, and texts that speak of them without a [V]. */
#include "engine/subject/subject_names.h"

#include "engine/svdiff.h"

#include <string.h>

static void thing(const char *prompt, const char *wanted)
{
    g_autofree char *got = subject_names_thing(prompt);

    g_assert_cmpstr(got, ==, wanted);
}

static void test_thing(void)
{
    thing("a photo of a [V] fox", "fox");
    thing("a photo of a [V2] red panda on the grass", "red panda");
    thing("[V]-dog", "dog");
    thing("a [V] T-rex, in front of a wall", "T-rex");
    thing("a [V] Fuchs für mich", "Fuchs für mich");
    thing("a photo of [V]", "");
    thing("a photo of a fox", "");
    thing("[Vx] and a [V] cup of tea", "cup of tea");
}

static const struct subject_name fox = {"a photo of a [V] animal", "fox"};
static const struct subject_name owl = {"a photo of a [V] owl", "night-owl"};

static void put(const char *text, const struct subject_name *names, int n, const char *wanted)
{
    g_autofree char *got = subject_names_put(text, names, n);

    g_assert_cmpstr(got, ==, wanted);
}

static void test_one(void)
{
    put("a photo of a fox in the snow", &fox, 1, "a photo of a [V1] animal in the snow");
    put("a photo of an animal in the snow", &fox, 1, "a photo of a [V1] animal in the snow");
    put("Fox", &fox, 1, "[V1] animal");
    put("an Owl at night", &owl, 1, "a [V1] Owl at night");
    put("a Night Owl, a night_owl", &owl, 1, "a [V1] owl, a [V1] owl");
    put("foxes and a firefox", &fox, 1, "foxes and a firefox");
    put("a cat", &fox, 1, "a cat");
    put("", &fox, 1, "");
    put("a fox", NULL, 0, "a fox");
}

static void test_own_marks(void)
{
    put("a [V] fox", &fox, 1, "a [V] fox");
    put("a [V1] fox and an animal", &fox, 1, "a [V1] fox and an animal");
}

static void test_several(void)
{
    const struct subject_name both[] = {fox, owl};
    const struct subject_name alike[] = {{"a [V] dog", NULL}, {"a [V2] dog", NULL}};
    const struct subject_name longer[] = {{"a [V] panda", NULL}, {"a [V2] red panda", NULL}};
    const struct subject_name unnamed[] = {{"a photo of [V]", "rex"}, {NULL, NULL}};

    put("an owl and a fox", both, 2, "a [V2] owl and a [V1] animal");
    put("a dog beside a dog", alike, 2, "a [V1] dog beside a [V2] dog");
    put("a red panda, a panda", longer, 2, "a [V2] red panda, a [V1] panda");
    put("rex at sea", unnamed, 2, "[V1] at sea");
}

static void test_articles(void)
{
    const struct subject_name an = {"an [V] fox", NULL};

    put("a fox", &an, 1, "an [V1] fox");
    put("the fox, A fox, banana fox", &owl, 1, "the fox, A fox, banana fox");
    put("the owl, An owl, pan owl", &owl, 1, "the [V1] owl, A [V1] owl, pan [V1] owl");
}

static void test_files(void)
{
    g_autofree char *sks =
        g_test_build_filename(G_TEST_DIST, "fixtures", "models", "sd1-word-sks.safetensors", NULL);
    g_autofree char *silent = g_test_build_filename(G_TEST_DIST, "fixtures", "models",
                                                    "sd1-subject-elementwise.safetensors", NULL);
    g_autofree char *none =
        g_test_build_filename(G_TEST_DIST, "fixtures", "pictures", "rgb8.png", NULL);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) things = svdiff_subject_things(sks, &error);
    g_auto(GStrv) nothing = svdiff_subject_things(silent, NULL);

    g_assert_no_error(error);
    g_assert_cmpstr(things[0], ==, "a dog");
    g_assert_null(things[1]);
    g_assert_cmpstr(nothing[0], ==, "");
    g_assert_null(svdiff_subject_things(none, &error));
    g_assert_nonnull(strstr(error->message, "rgb8.png"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/subject_names/thing", test_thing);
    g_test_add_func("/subject_names/one", test_one);
    g_test_add_func("/subject_names/own-marks", test_own_marks);
    g_test_add_func("/subject_names/several", test_several);
    g_test_add_func("/subject_names/articles", test_articles);
    g_test_add_func("/subject_names/files", test_files);
    return g_test_run();
}
