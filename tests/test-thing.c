/* What layers' names tell of their subjects. */
#include "plugin/thing.h"

#include <glib.h>

static void test_names(void)
{
    static const struct {
        const char *name, *thing; // NULL: none
    } cases[] = {{"fox", "fox"},
                 {"Fox.png", "fox"},
                 {"fox copy", "fox"},
                 {"fox copy #1", "fox"},
                 {"fox #2", "fox"},
                 {"my red_teapot (3).jpeg", "red teapot"},
                 {"alarm-clock", "alarm clock"},
                 {"Käfer.tif", "käfer"},
                 {"photo of a dog", "dog"},
                 {"Fox.PNG copy #1", "fox"},
                 {"IMG_0412 copy #2", NULL},
                 {"Screenshot from 2024-05-01 10-20-30.png", NULL},
                 {"WhatsApp Image 2024-01-05 at 10.15.30.jpeg", NULL},
                 {"#1", NULL},
                 {"DSC01234.ARW copy", NULL},
                 {"Background", NULL},
                 {"Layer", NULL},
                 {"Layer #3", NULL},
                 {"Pasted Layer", NULL},
                 {"Floating Selection", NULL},
                 {"IMG_0412.JPG", NULL},
                 {"DSCN1234", NULL},
                 {"P1010234.JPG", NULL},
                 {"20240105_101530", NULL},
                 {"untitled", NULL},
                 {"x", NULL},
                 {"", NULL},
                 {"12", NULL},
                 {"a fox in the snow (seed 7)", "fox"},
                 {"a photo of a fox in the snow (seed 2147483647)", "fox"},
                 {"a photo of a [V] red fox at night (seed 1) copy #2", "red fox"},
                 {"A watercolor painting of an owl (seed 3)", "owl"},
                 {"a fox and a cat at sea (seed 3)", "fox and cat"},
                 {"a cup of tea on a table (seed 3)", "cup tea"},
                 {"a fox, oil on canvas (seed 3)", "fox"},
                 {"fox (seed 3)", "fox"},
                 {"in the snow (seed 3)", NULL},
                 {"a photo of a long list of things that nobody will…(seed 3)", NULL},
                 {"a very small and very old grey fox (seed 3)", NULL},
                 {"a house by the sea in autumn", NULL},
                 {"what?", NULL}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *thing = thing_of_name(cases[i].name);
        g_assert_cmpstr(thing, ==, cases[i].thing);
    }
}

static void test_prompts(void)
{
    g_autofree char *fox = thing_prompt("fox"), *none = thing_prompt("");

    g_assert_cmpstr(fox, ==, "a photo of a [V] fox");
    g_assert_cmpstr(none, ==, "a photo of a [V] thing");
}

// as prompts name them
static void test_words(void)
{
    static char *const things[] = {(char *)"a fox", (char *)"an owl", (char *)"a cat", NULL};
    g_autofree char *fox = thing_named("fox"), *owl = thing_named("Owl");
    g_autofree char *marked = thing_named("a [V] owl");
    g_autofree char *all = thing_list(things), *two = thing_list(things + 1);
    g_autofree char *one = thing_list(things + 2), *none = thing_list(things + 3);

    g_assert_cmpstr(fox, ==, "a fox");
    g_assert_cmpstr(owl, ==, "an Owl");
    g_assert_cmpstr(marked, ==, "a [V] owl");
    g_assert_cmpstr(all, ==, "a fox, an owl and a cat");
    g_assert_cmpstr(two, ==, "an owl and a cat");
    g_assert_cmpstr(one, ==, "a cat");
    g_assert_cmpstr(none, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/thing/names", test_names);
    g_test_add_func("/thing/prompts", test_prompts);
    g_test_add_func("/thing/words", test_words);
    return g_test_run();
}
