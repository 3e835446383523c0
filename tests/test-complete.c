/* Completing prompts to names of subjects and to prompts of before. */
#include "plugin/complete.h"

#include <glib.h>

static void test_finds(void)
{
    static const struct {
        const char *text;
        int cursor;
        const char *name;
        int from; // -1: it does not
    } cases[] = {
        {"fo", 2, "fox", 0},
        {"a photo of a FO", 15, "fox", 13},
        {"a photo of a fo", 14, "fox", -1}, // one character
        {"a photo of a fo", 13, "fox", -1}, // the cursor is before it
        {"a fo in snow", 4, "fox", 2},      // in the middle
        {"red f", 5, "red fox", 0},         // words of a name
        {"a red f", 7, "red fox", 2},
        {"a scared", 8, "red fox", -1}, // no beginning of a word
        {"[", 1, "fox", 0},             // a bracket begins all
        {"a photo of [", 12, "red fox", 11},
        {"a [f", 4, "fox", 2},
        {"a [c", 4, "fox", -1},
        {"", 0, "fox", -1},
        {"fo ", 3, "fox", -1},
        {"ein Füch", 8, "Füchslein", 4}, // characters, not bytes
        {"fox", 99, "fox", 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int from = -1;
        const bool found = complete_finds(cases[i].text, cases[i].cursor, cases[i].name, &from);
        g_assert_cmpint(found ? from : -1, ==, cases[i].from);
    }
}

static void test_put(void)
{
    static const struct {
        const char *text;
        int from, cursor;
        const char *name;
        int number;
        const char *result;
        int end;
    } cases[] = {
        {"a fo in snow", 2, 4, "fox", 0, "a fox in snow", 5},
        {"a [", 2, 3, "red fox", 1, "a red fox", 9},
        {"[V] cat and fo", 12, 14, "fox", 1, "[V] cat and [V2] fox", 20},
        {"fo and [V1] cat", 0, 2, "fox", 1, "[V2] fox and [V1] cat", 8},
        {"ein Füch", 4, 8, "Füchslein", 0, "ein Füchslein", 13},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int end;
        g_autofree char *result = complete_put(cases[i].text, cases[i].from, cases[i].cursor,
                                               cases[i].name, cases[i].number, &end);
        g_assert_cmpstr(result, ==, cases[i].result);
        g_assert_cmpint(end, ==, cases[i].end);
    }
}

static void test_continues(void)
{
    g_assert_true(complete_continues("a f", "A fox in the snow"));
    g_assert_false(complete_continues("a", "a fox in the snow"));
    g_assert_false(complete_continues("fox", "a fox in the snow"));
    g_assert_false(complete_continues("a fox", "a fox"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/complete/finds", test_finds);
    g_test_add_func("/complete/put", test_put);
    g_test_add_func("/complete/continues", test_continues);
    return g_test_run();
}
