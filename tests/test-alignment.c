/* Alignments: intervals against tables of Student's t, cosines, and what tables and CSV have. */
#include "engine/base/cosine.h"
#include "engine/evaluate/alignment.h"

#include "engine/base/csv.h"

#include <locale.h>
#include <math.h>

// of 0.975, as printed in every table; the last is far into the normal distribution
static void test_student(void)
{
    static const struct {
        int freedom;
        double t;
    } table[] = {{1, 12.706204736432095}, {2, 4.302652729911275},   {3, 3.182446305284263},
                 {4, 2.7764451051977987}, {9, 2.2621571627409915},  {10, 2.2281388519649385},
                 {29, 2.045229642132703}, {99, 1.9842169515086827}, {1000, 1.9623390808264074}};

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_assert_cmpfloat_with_epsilon(interval_student(table[i].freedom), table[i].t, 1e-9);
    }
}

static void test_interval(void)
{
    const double values[] = {0.81, 0.79, 0.84, 0.80, 0.77}, same[] = {2, 2, 2};
    struct interval i = interval_of(values, 5);

    // 0.802 -+ 2.7764451 * 0.025884358 / sqrt(5)
    g_assert_cmpfloat_with_epsilon(i.mean, 0.802, 1e-12);
    g_assert_cmpfloat_with_epsilon(i.low, 0.802 - 0.032139, 1e-5);
    g_assert_cmpfloat_with_epsilon(i.high, 0.802 + 0.032139, 1e-5);
    i = interval_of(same, 3);
    g_assert_cmpfloat(i.low, ==, 2);
    i = interval_of(values, 1);
    g_assert_cmpfloat(i.mean, ==, 0.81);
    g_assert_true(isnan(i.low) && isnan(i.high));
    g_assert_true(isnan(interval_of(values, 0).mean));
}

static void test_cosine(void)
{
    const float a[] = {1, 2, 2}, b[] = {2, 1, -2}, c[] = {-2, -4, -4}, zero[] = {0, 0, 0};

    g_assert_cmpfloat(cosine_of(a, b, 3), ==, 0);
    g_assert_cmpfloat_with_epsilon(cosine_of(a, c, 3), -1, 1e-15);
    g_assert_true(isnan(cosine_of(a, zero, 3)));
}

// two points, one of a single picture that no text was compared with
static void fill(struct alignment *a)
{
    const struct alignment_point points[] = {
        {g_strdup("a, \"b\""), 4, {0.25, 0.2, 0.3}, {0.5, 0.4, 0.6}, false, 0.5},
        {g_strdup("füchse"), 1, {NAN, NAN, NAN}, {0.75, NAN, NAN}, false, 100}};
    const struct alignment_row row = {1, g_strdup("a fox"), g_strdup("1.png"), NAN, 0.75};

    alignment_init(a);
    g_array_append_vals(a->points, points, 2);
    g_array_append_val(a->rows, row);
}

static void test_csv(void)
{
    struct alignment a;

    fill(&a);
    g_autofree char *csv = alignment_csv(&a);
    g_assert_cmpstr(csv, ==,
                    "name,pictures,text,text_low,text_high,image,image_low,image_high\n"
                    "\"a, \"\"b\"\"\",4,0.250000,0.200000,0.300000,0.500000,0.400000,0.600000\n"
                    "füchse,1,,,,0.750000,,\n");
    a.along = "scale, at";
    g_autofree char *along = alignment_csv(&a);
    g_assert_cmpstr(
        along, ==,
        "name,\"scale, at\",pictures,text,text_low,text_high,image,image_low,image_high\n"
        "\"a, \"\"b\"\"\",0.5,4,0.250000,0.200000,0.300000,0.500000,0.400000,0.600000\n"
        "füchse,100,1,,,,0.750000,,\n");
    alignment_clear(&a);
}

static void test_text(void)
{
    struct alignment a;

    fill(&a);
    g_autofree char *text = alignment_text(&a);
    g_assert_cmpstr(text, ==,
                    "        pictures  text alignment          image alignment\n"
                    "a, \"b\"         4  0.250 [0.200, 0.300]    0.500 [0.400, 0.600]\n"
                    "füchse         1  -                       0.750");
    a.along = "scale";
    g_autofree char *along = alignment_text(&a);
    g_assert_cmpstr(along, ==,
                    "        scale   pictures  text alignment          image alignment\n"
                    "a, \"b\"  0.5            4  0.250 [0.200, 0.300]    0.500 [0.400, 0.600]\n"
                    "füchse  100            1  -                       0.750");
    alignment_clear(&a);
}

// what is no number is null, which JSON has
static void test_json(void)
{
    struct alignment a;

    fill(&a);
    g_autoptr(JsonObject) all = alignment_json(&a);
    JsonObject *second =
        json_array_get_object_element(json_object_get_array_member(all, "points"), 1);
    JsonObject *row =
        json_array_get_object_element(json_object_get_array_member(all, "pictures"), 0);
    g_assert_true(
        json_object_get_null_member(json_object_get_object_member(second, "text"), "mean"));
    g_assert_cmpfloat(
        json_object_get_double_member(json_object_get_object_member(second, "image"), "mean"), ==,
        0.75);
    g_assert_cmpstr(json_object_get_string_member(row, "name"), ==, "füchse");
    g_assert_true(json_object_get_null_member(row, "text_alignment"));
    g_assert_false(json_object_has_member(second, "place"));
    a.along = "scale";
    g_autoptr(JsonObject) along = alignment_json(&a);
    second = json_array_get_object_element(json_object_get_array_member(along, "points"), 1);
    g_assert_cmpfloat(json_object_get_double_member(second, "place"), ==, 100);
    alignment_clear(&a);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/alignment/student", test_student);
    g_test_add_func("/alignment/interval", test_interval);
    g_test_add_func("/alignment/cosine", test_cosine);
    g_test_add_func("/alignment/csv", test_csv);
    g_test_add_func("/alignment/text", test_text);
    g_test_add_func("/alignment/json", test_json);
    return g_test_run();
}
