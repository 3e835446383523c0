/* What looks like more than words in a prompt, and what only nearly does. */
#include "engine/text/prompt_marks.h"

#include <glib.h>

static void check(char *found, const char *wanted)
{
    g_assert_cmpstr(found, ==, wanted);
    g_free(found);
}

static void test_placeholder(void)
{
    check(prompt_mark_placeholder("a photo of a [V] fox"), "[V]");
    check(prompt_mark_placeholder("[V2] and [V1]"), "[V2]");
    check(prompt_mark_placeholder("a fox"), NULL);
    check(prompt_mark_placeholder("[W] [ V ] [V1a] V]"), NULL);
    check(prompt_mark_placeholder(""), NULL);
}

static void test_weight(void)
{
    check(prompt_mark_weight("a (fox:1.5) in snow"), "(fox:1.5)");
    check(prompt_mark_weight("a ((red fox):1.2)"), "((red fox):1.2)");
    check(prompt_mark_weight("a ((fox:1.2), (owl))"), "(fox:1.2)");
    check(prompt_mark_weight("a (red fox, tail : 2)"), "(red fox, tail : 2)");
    check(prompt_mark_weight("(fox:.5)"), "(fox:.5)");
    check(prompt_mark_weight("(fox:-1)"), "(fox:-1)");
    check(prompt_mark_weight("(fox2:1.5)"), "(fox2:1.5)");
    check(prompt_mark_weight("(größe:1.1)"), "(größe:1.1)");
    check(prompt_mark_weight("a fox (at 10:30)"), NULL);
    check(prompt_mark_weight("portrait (16:9)"), NULL);
    check(prompt_mark_weight("a fox (red)"), NULL);
    check(prompt_mark_weight("a fox (note: red)"), NULL);
    check(prompt_mark_weight("fox:1.5"), NULL);
}

// a prompt of 10000 characters, the most that there can be
static void test_long(void)
{
    g_autofree char *open = g_strnfill(9990, '('), *words = g_strnfill(9990, 'a');
    g_autofree char *opened = g_strconcat(open, "fox:1.5)", NULL);
    g_autofree char *inside = g_strconcat("(", words, ":1.5)", NULL);

    check(prompt_mark_weight(open), NULL);
    check(prompt_mark_weight(words), NULL);
    check(prompt_mark_weight(opened), "(fox:1.5)");
    check(prompt_mark_weight(inside), inside);
}

static void test_lora(void)
{
    check(prompt_mark_lora("a fox <lora:fox_v2:0.8> in snow"), "<lora:fox_v2:0.8>");
    check(prompt_mark_lora("<LoRA:fox>"), "<LoRA:fox>");
    check(prompt_mark_lora("<lyco:fox:1>"), "<lyco:fox:1>");
    check(prompt_mark_lora("<hypernet:fox:1>"), "<hypernet:fox:1>");
    check(prompt_mark_lora("a <sks> fox"), NULL);
    check(prompt_mark_lora("a < b: c > d"), NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prompt-marks/placeholder", test_placeholder);
    g_test_add_func("/prompt-marks/weight", test_weight);
    g_test_add_func("/prompt-marks/long", test_long);
    g_test_add_func("/prompt-marks/lora", test_lora);
    return g_test_run();
}
