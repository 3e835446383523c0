/* Prompts for several subjects, put together from theirs. */
#include "engine/learn/learn_wording.h"

#include <glib.h>
#include <string.h>

static void check(char *got, const char *wanted)
{
    g_assert_cmpstr(got, ==, wanted);
    g_free(got);
}

static void test_subject(void)
{
    g_assert_cmpstr(wording_subject("a photo of a kwq dog"), ==, "a kwq dog");
    g_assert_cmpstr(wording_subject("A Painting of a cup of tea"), ==, "a cup of tea");
    g_assert_cmpstr(wording_subject("a cup of tea"), ==, "a cup of tea");
    g_assert_cmpstr(wording_subject("a telephoto of mine"), ==, "a telephoto of mine");
    g_assert_cmpstr(wording_subject(""), ==, "");
}

static void test_pair(void)
{
    const char *a = "a photo of a kwq dog", *b = "a drawing of a jqf cat.";

    check(wording_pair(LAYOUT_HALVES, 0, a, b),
          "a photo of a kwq dog on the left and a jqf cat on the right");
    check(wording_pair(LAYOUT_HALVES, 1, b, a), "a drawing of a jqf cat and a kwq dog");
    check(wording_pair(LAYOUT_STACKED, 0, a, b),
          "a photo of a kwq dog at the top and a jqf cat at the bottom");
    check(wording_pair(LAYOUT_BELOW, 1, a, b), "a photo of a kwq dog above a jqf cat");
    check(wording_pair(LAYOUT_HALVES, 1, "50% dog", "100% cat"), "50% dog and 100% cat");
}

// each wording names both, the first one first
static void test_order(void)
{
    for (int layout = LAYOUT_HALVES; layout <= LAYOUT_BELOW; layout++) {
        g_assert_cmpint(wording_count((enum layout)layout), >=, 2);
        for (int i = 0; i < wording_count((enum layout)layout); i++) {
            g_autofree char *text = wording_pair((enum layout)layout, i, "dog", "cat");
            const char *dog = strstr(text, "dog"), *cat = strstr(text, "cat");
            g_assert_true(dog != NULL && cat != NULL && dog < cat);
        }
    }
}

static void test_list(void)
{
    const char *const prompts[] = {"a photo of a dog", "a cat", "a photo of two birds"};

    check(wording_list(prompts, 1), "a photo of a dog");
    check(wording_list(prompts, 2), "a photo of a dog and a cat");
    check(wording_list(prompts, 3), "a photo of a dog, a cat and two birds");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/learn-wording/subject", test_subject);
    g_test_add_func("/learn-wording/pair", test_pair);
    g_test_add_func("/learn-wording/order", test_order);
    g_test_add_func("/learn-wording/list", test_list);
    return g_test_run();
}
