/* Lists of places with texts: read, written again, and what is none. */
#include "plugin/region_list.h"

#include <string.h>

static char *names[] = {(char[]){"left"}, (char[]){"left half"}, (char[]){"a=b;c"},
                        (char[]){"selection"}, NULL};

// "PLACE|TEXT" for each region of the list, or the sentence that says why there is none
static char *parse(const char *list)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) regions = regions_parse(list, names, &error);
    GString *all = g_string_new(regions == NULL ? error->message : NULL);

    for (guint i = 0; regions != NULL && i < regions->len; i++) {
        const struct region *r = &g_array_index(regions, struct region, i);
        g_string_append_printf(all, "%s[%s|%s]", i > 0 ? " " : "", r->place, r->text);
    }
    return g_string_free(all, FALSE);
}

static void check(const char *list, const char *wanted)
{
    g_autofree char *got = parse(list);

    g_assert_cmpstr(got, ==, wanted);
}

static void test_parse(void)
{
    check("", "");
    check(" ; \n", "");
    check("left=a [V1] fox; right=a cat", "[left|a [V1] fox] [right|a cat]");
    check("left half=a fox\nleft = a cat ;", "[left half|a fox] [left|a cat]");
    check("left=a = b", "[left|a = b]");
    check("a=b;c=a fox; a=b", "[a=b;c|a fox] [a|b]");
    check("lefty=a fox", "[lefty|a fox]");
}

static void bad(const char *list, const char *part)
{
    g_autofree char *got = parse(list);
    g_autofree char *quoted = g_strdup_printf("“%s”", part);

    g_assert_nonnull(strstr(got, quoted));
    g_assert_nonnull(strstr(got, "regions"));
}

static void test_bad(void)
{
    bad("left half", "left half");
    bad("left=a fox; right", "right");
    bad("left=", "left=");
    bad("=a fox", "=a fox");
    bad("left= ; selection=x", "left=");
}

static void test_join(void)
{
    struct region items[] = {{(char *)"left half", (char *)"a fox; red"},
                             {(char *)"a=b;c", (char *)"a\ncat"}};
    g_autoptr(GArray) regions = g_array_new(FALSE, FALSE, sizeof(struct region));

    g_array_append_vals(regions, items, 2);
    g_autofree char *list = regions_join(regions);
    g_assert_cmpstr(list, ==, "left half=a fox, red; a=b;c=a,cat");
    check(list, "[left half|a fox, red] [a=b;c|a,cat]");
}

static void places(const char *list, const char *wanted)
{
    g_auto(GStrv) all = regions_places(list, names);
    g_autofree char *got = g_strjoinv("|", all);

    g_assert_cmpstr(got, ==, wanted);
}

static void test_places(void)
{
    places("left; right", "left|right");
    places("left half;a=b;c", "left half|a=b;c");
    places("; left", "|left");
    places("left;", "left|");
    places("left\nright", "left|right");
    places(" a=b;c ; x", "a=b;c|x");
    g_auto(GStrv) none = regions_places("", names);
    g_assert_null(none[0]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/region_list/parse", test_parse);
    g_test_add_func("/region_list/bad", test_bad);
    g_test_add_func("/region_list/join", test_join);
    g_test_add_func("/region_list/places", test_places);
    return g_test_run();
}
