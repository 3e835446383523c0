/* Strips as they are said: what values they have, and what is none. */
#include "engine/options/strip.h"
#include "engine/base/error.h"

static void check(const char *text, const char *name, const char *values)
{
    struct strip s;
    g_assert_true(strip_parse(text, &s, NULL));
    g_autofree char *all = g_strjoinv(" ", s.values);

    g_assert_cmpstr(s.name, ==, name);
    g_assert_cmpstr(all, ==, values);
    g_assert_cmpint(s.n, ==, (int)g_strv_length(s.values));
    strip_clear(&s);
}

static void test_values(void)
{
    check("scale=-1..1:5", "scale", "-1 -0.5 0 0.5 1");
    check("scale=-1..1:7", "scale", "-1 -0.6667 -0.3333 0 0.3333 0.6667 1");
    check("mix=1..0:2", "mix", "1 0");
    check("mix=.5...75:2", "mix", "0.5 0.75"); // "..", then ".75"
    check("keep=1..64:8", "keep", "1 10 19 28 37 46 55 64");
    check("steps=1e3..2e3:2", "steps", "1000 2000");
    check("sampler=ddim, euler", "sampler", "ddim euler");
    check("guidance=1,7.5,3", "guidance", "1 7.5 3");
}

static void test_label(void)
{
    struct strip s;
    g_assert_true(strip_parse("scale=0..1:3", &s, NULL));
    g_autofree char *label = strip_label(&s, 1);

    g_assert_cmpstr(label, ==, "scale 0.5");
    strip_clear(&s);
}

static void test_refused(void)
{
    const char *const wrong[] = {"",           "scale",      "scale=",       "=1..2:3",
                                 "scale=1",    "scale=1..2", "scale=1..2:1", "scale=1..2:101",
                                 "a=x..2:3",   "a=1..y:3",   "a=1..2:z",     "a=1..2:3:4",
                                 "a=nan..1:2", "a=1..inf:2", "a=1,,2",       "a=1,"};

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        struct strip s;
        g_assert_false(strip_parse(wrong[i], &s, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
        strip_clear(&s);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/strip/values", test_values);
    g_test_add_func("/strip/label", test_label);
    g_test_add_func("/strip/refused", test_refused);
    return g_test_run();
}
