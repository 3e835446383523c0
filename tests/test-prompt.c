/* Placeholders in prompts. */
#include "engine/text/prompt.h"

#include <glib.h>

static void check(char *got, const char *wanted)
{
    g_assert_cmpstr(got, ==, wanted);
    g_free(got);
}

static void test_replace(void)
{
    static const char *const words[] = {"abc", NULL, "xyz"};

    check(prompt_replace("a [V] dog, [V1], [V3]", words, 3), "a abc dog, abc, xyz");
    check(prompt_replace("[V2] [V4] [V0] [Vx] [V", words, 3), "[V2] [V4] [V0] [Vx] [V");
}

static void test_with(void)
{
    check(prompt_with("a [V] dog, [V2]", "abc"), "a abc dog, abc");
    check(prompt_with("nothing", "abc"), "nothing");
}

static void test_without(void)
{
    check(prompt_without("a photo of a [V] dog"), "a photo of a dog");
    check(prompt_without("[V] dog"), "dog");
    check(prompt_without("dog [V2]"), "dog");
    check(prompt_without("a photo of a [V] insect"), "a photo of an insect");
    check(prompt_without("A [V2] owl"), "An owl");
    check(prompt_without("pizza [V] owl"), "pizza owl");
    check(prompt_without("an [V] owl"), "an owl");
    check(prompt_without("a [V]"), "a");
}

static void test_has(void)
{
    g_assert_true(prompt_has_placeholder("a [V]"));
    g_assert_true(prompt_has_placeholder("[V12] dog"));
    g_assert_false(prompt_has_placeholder("[v] [V0] [V 1] V"));
}

static void test_foreign(void)
{
    g_assert_cmpint(prompt_foreign_placeholder("a [V] [V2]", 2), ==, 0);
    g_assert_cmpint(prompt_foreign_placeholder("a [V] [V2]", 1), ==, 2);
    g_assert_cmpint(prompt_foreign_placeholder("a [V1]", 3), ==, 1);
    g_assert_cmpint(prompt_foreign_placeholder("a dog", 1), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prompt/replace", test_replace);
    g_test_add_func("/prompt/with", test_with);
    g_test_add_func("/prompt/without", test_without);
    g_test_add_func("/prompt/has", test_has);
    g_test_add_func("/prompt/foreign", test_foreign);
    return g_test_run();
}
