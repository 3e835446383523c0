/* Placeholders in prompts. */
#include "engine/text/prompt.h"

#include "engine/base/error.h"
#include "engine/text/prompt_parts.h"

#include <glib.h>
#include <string.h>

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

static void test_classes(void)
{
    static const char *const classes[] = {"dog", NULL, "red panda"};

    check(prompt_classes("a photo of a [V] dog", classes, 3), "a photo of a dog");
    check(prompt_classes("a [V] in the snow", classes, 3), "a dog in the snow");
    check(prompt_classes("a [V1] dog and a [V3] red panda", classes, 3), "a dog and a red panda");
    check(prompt_classes("[V3], [V]", classes, 3), "red panda, dog");
    check(prompt_classes("a [V2] owl, [V4] cat", classes, 3), "an owl, cat");
    check(prompt_classes("a dog", classes, 3), "a dog");
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

/* ---- weights (prompt_parts.h) ---- */

// "TEXT*WEIGHT|TEXT*WEIGHT", BREAK for a break
static char *show_parts(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) parts = prompt_parts("--prompt", text, &error);
    GString *shown = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < parts->len; i++) {
        const struct prompt_part *p = prompt_part_at(parts, i);
        g_string_append(shown, i > 0 ? "|" : "");
        if (p->breaks) {
            g_string_append(shown, "BREAK");
        } else {
            char weight[G_ASCII_DTOSTR_BUF_SIZE];
            g_string_append_printf(shown, "%s*%s", p->text,
                                   g_ascii_formatd(weight, sizeof weight, "%.6g", p->weight));
        }
    }
    return g_string_free(shown, FALSE);
}

static void test_parts(void)
{
    static const struct {
        const char *text, *parts;
    } known[] = {
        // what A1111 documents
        {"normal text", "normal text*1"},
        {"an (important) word", "an *1|important*1.1| word*1"},
        {"(unbalanced", "unbalanced*1.1"},
        {"\\(literal\\]", "(literal]*1"},
        {"(unnecessary)(parens)", "unnecessaryparens*1.1"},
        {"a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
         "a *1|house*1.573| *1.1|on*1| a *1.1|hill*0.55|, sun, *1.1|sky*1.4641|.*1.1"},
        // and what follows from its rule
        {"", ""},
        {"a) b] :1.2)", "a) b] :1.2)*1"},
        {"[(a:1.1)]", "a*1"},
        {"(a : 1.5 )", "a *1.5"},
        {"(a:1.2.3)", "a:1.2.3*1.1"},
        {"(a:b)", "a:b*1.1"},
        {"16:9", "16:9*1"},
        {"back\\slash \\\\", "backslash \\*1"},
        {"one BREAK two", "one*1|BREAK|two*1"},
        {"BREAKFAST", "BREAKFAST*1"},
        {"(one BREAK two:2)", "one*2|BREAK|two*2"},
        // a mark is no weight, and has one where it stands in brackets
        {"[V] dog", "[V] dog*1"},
        {"([V2] dog:1.2)", "[V2] dog*1.2"},
        {"[[V1]]", "[V1]*0.909091"},
        {"(größe:0.5) 🐶", "größe*0.5| 🐶*1"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        g_autofree char *shown = show_parts(known[i].text);
        g_assert_cmpstr(shown, ==, known[i].parts);
    }
}

static void check_parts_refused(const char *text, const char *named)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(prompt_parts("--prompt", text, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, named));
    g_assert_nonnull(strstr(error->message, "--prompt"));
}

static void test_parts_refused(void)
{
    g_autofree char *open = g_strnfill(4990, '('), *closed = g_strnfill(4990, ')');
    g_autofree char *many = g_strconcat(open, open, "fox", NULL);
    g_autofree char *both = g_strconcat(open, "fox", closed, NULL);

    check_parts_refused("a [cat:dog:0.5]", "[from:to:when]");
    check_parts_refused("a [dog:10]", "[dog:10]");
    check_parts_refused("a [[red] cat::.5] x", "[from:to:when]");
    check_parts_refused("[V3:1]", "[from:to:when]");
    check_parts_refused("a [cat|dog] x", "[cat|dog]");
    check_parts_refused("a cat AND a dog", "AND");
    check_parts_refused("(a:1000)", "weight of 1e+03");
    check_parts_refused("(a:-101)", "-101");
    check_parts_refused(many, "weight");
    check_parts_refused(both, "weight");
}

// brackets that are only low weights, opened and never closed, closed and never opened
static void test_parts_many(void)
{
    g_autofree char *square = g_strnfill(9000, '['), *closed = g_strnfill(9000, ')');
    g_autofree char *word = g_strconcat(square, "fox", NULL);
    g_autofree char *low = show_parts(word), *characters = show_parts(closed);

    g_assert_true(g_str_has_prefix(low, "fox*"));
    g_assert_cmpint(strlen(characters), ==, 9002);
    g_assert_true(prompt_unbalanced(word) == word);
    g_assert_true(prompt_unbalanced(closed) == closed);
    g_assert_null(prompt_unbalanced("(a [b) c] \\( [V] \\]"));
    g_autofree char *escaped = prompt_escape("a (b) [c] \\");
    g_autofree char *plain = show_parts(escaped);
    g_assert_cmpstr(plain, ==, "a (b) [c] \\*1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prompt/replace", test_replace);
    g_test_add_func("/prompt/with", test_with);
    g_test_add_func("/prompt/without", test_without);
    g_test_add_func("/prompt/classes", test_classes);
    g_test_add_func("/prompt/has", test_has);
    g_test_add_func("/prompt/foreign", test_foreign);
    g_test_add_func("/prompt/parts", test_parts);
    g_test_add_func("/prompt/parts-refused", test_parts_refused);
    g_test_add_func("/prompt/parts-many", test_parts_many);
    return g_test_run();
}
