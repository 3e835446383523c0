/* Choices in prompts: which texts can come of them, which characters are none, and what is no text. */
#include "engine/text/wildcards.h"

#include "engine/base/error.h"

#include <string.h>

enum { SEEDS = 64 };

// over many seeds each of these comes, and nothing else
static void check(const char *text, const char *const *wanted)
{
    unsigned met = 0;
    const guint n = g_strv_length((char **)wanted);

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        g_autofree char *chosen = wildcards_choose("--prompt", text, seed, 0, NULL);
        guint i = 0;
        while (i < n && strcmp(wanted[i], chosen) != 0) {
            i++;
        }
        g_assert_cmpuint(i, <, n);
        met |= 1u << i;
    }
    g_assert_cmpuint(met, ==, (1u << n) - 1);
    g_assert_true(wildcards_any(text) == (n > 1));
}

static void test_choices(void)
{
    check("a {red|blue} fox", (const char *const[]){"a red fox", "a blue fox", NULL});
    check("{a|{b|c}}", (const char *const[]){"a", "b", "c", NULL});
    check("a {|very }old fox", (const char *const[]){"a old fox", "a very old fox", NULL});
    check("{a} b", (const char *const[]){"{a} b", NULL});
    check("\\{a|b\\}", (const char *const[]){"\\{a|b\\}", NULL});
    check("a {", (const char *const[]){"a {", NULL});
}

static void test_refused(void)
{
    g_autofree char *deep = g_strnfill(60, '{');
    const char *const wrong[] = {"a {red|blue", "{a|{b|c}", deep};

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(wildcards_choose("--prompt", wrong[i], 1, 0, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
        // who asks before reads it again then
        g_assert_true(wildcards_any(wrong[i]));
    }
}

// bytes that are no text have no choices: who reads the text itself refuses it
static void test_no_text(void)
{
    static const char *const texts[] = {"{a|\xf0", "{a|b}\xff", "{\xe2\x82|b"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        // of their own length: nothing behind it is to be read
        g_autofree char *text = g_strdup(texts[i]);
        g_autofree char *chosen = wildcards_choose("--prompt", text, 1, 0, NULL);
        g_assert_cmpstr(chosen, ==, text);
        g_assert_false(wildcards_any(text));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wildcards/choices", test_choices);
    g_test_add_func("/wildcards/refused", test_refused);
    g_test_add_func("/wildcards/no-text", test_no_text);
    return g_test_run();
}
