/* Prompts for several subjects, put together from theirs. */
#include "engine/text/wording.h"

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

static void test_at(void)
{
    check(wording_at("a photo of a dog.", PLACE_LEFT), "a photo of a dog on the left");
    check(wording_at("a dog", PLACE_BOTTOM), "a dog at the bottom");
    g_assert_true(wording_has_place("a dog on the right, asleep"));
    g_assert_true(wording_has_place("a dog at the top"));
    g_assert_false(wording_has_place("a dog on the rightmost chair"));
    g_assert_false(wording_has_place(""));
}

static void check_places(const char *prompt, enum place first, const char *a, const char *b)
{
    struct wording_place found[2];

    g_assert_true(wording_two_places(prompt, found));
    g_assert_cmpint(found[0].place, ==, first);
    g_assert_cmpint(found[1].place, ==, first % 2 == 0 ? first + 1 : first - 1);
    g_assert_cmpstr(found[0].text, ==, a);
    g_assert_cmpstr(found[1].text, ==, b);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(found[i].text[found[i].length], ==, ' ');
        g_free(found[i].text);
    }
}

// what pairs are worded as is found again, and a person's words, too
static void test_places(void)
{
    check_places("a photo of a kwq dog on the left and a cat on the right on the beach", PLACE_LEFT,
                 "a kwq dog on the left", "a cat on the right");
    check_places("a cat on the right; with a dog on the left.", PLACE_RIGHT, "a cat on the right",
                 "a dog on the left");
    check_places("a dog at the top,a cat at the bottom", PLACE_TOP, "a dog at the top",
                 "a cat at the bottom");
    for (int layout = LAYOUT_HALVES; layout <= LAYOUT_STACKED; layout++) {
        g_autofree char *pair =
            wording_pair((enum layout)layout, 0, "a photo of a dog", "a photo of a cat");
        struct wording_place found[2];
        g_assert_true(wording_two_places(pair, found));
        g_free(found[0].text);
        g_free(found[1].text);
    }
}

static void test_no_places(void)
{
    static const char *const prompts[] = {
        "",
        "a dog and a cat",
        "a dog on the left",
        "a dog on the left and a cat at the bottom",
        " on the left and a cat on the right", // of nothing
        "a dog on the left and on the right",
    };
    struct wording_place found[2];

    for (gsize i = 0; i < G_N_ELEMENTS(prompts); i++) {
        g_assert_false(wording_two_places(prompts[i], found));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/learn-wording/subject", test_subject);
    g_test_add_func("/learn-wording/pair", test_pair);
    g_test_add_func("/learn-wording/order", test_order);
    g_test_add_func("/learn-wording/list", test_list);
    g_test_add_func("/learn-wording/at", test_at);
    g_test_add_func("/learn-wording/places", test_places);
    g_test_add_func("/learn-wording/no-places", test_no_places);
    return g_test_run();
}
