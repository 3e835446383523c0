/* Cosines of subjects against ones counted by hand; the table and the picture. */
#include "engine/subject/compare.h"
#include "engine/base/error.h"

#include <math.h>
#include <string.h>

static struct subject *make(const float *a, const float *b, float scalar)
{
    struct subject *s = subject_create();

    subject_set_shift(s, "a.delta", a, 3);
    subject_set_shift(s, "b.delta", b, 2);
    subject_set_shift(s, "norm.delta", &scalar, 1);
    return s;
}

/* a: (1,2,2).(2,-1,2) / 9 = 4/9; b: (1,0).(1,1) / sqrt 2. The scalars, opposite, have no say. */
static void test_by_hand(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(subject_file) x = make((float[]){1, 2, 2}, (float[]){1, 0}, 1);
    g_autoptr(subject_file) y = make((float[]){2, -1, 2}, (float[]){1, 1}, -1);
    const struct subject *const both[] = {x, y};
    double cosine[4];
    int layers[4];

    g_assert_true(
        compare_subjects(both, (const char *const[]){"x", "y"}, 2, cosine, layers, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(fabs(cosine[0] - 1), <, 1e-12);
    g_assert_cmpfloat(fabs(cosine[3] - 1), <, 1e-12);
    g_assert_cmpfloat(fabs(cosine[1] - (4.0 / 9 + sqrt(0.5)) / 2), <, 1e-7);
    g_assert_cmpfloat(cosine[1], ==, cosine[2]);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpint(layers[i], ==, 2);
    }
}

// the length of a shift does not matter, its sign does; a layer of zeros is no layer
static void test_scale(void)
{
    g_autoptr(subject_file) x = make((float[]){1, 2, 2}, (float[]){1, 0}, 1);
    g_autoptr(subject_file) y = make((float[]){-3, -6, -6}, (float[]){0, 0}, 1);
    const struct subject *const both[] = {x, y};
    double cosine[4];
    int layers[4];

    g_assert_true(compare_subjects(both, (const char *const[]){"x", "y"}, 2, cosine, layers, NULL));
    g_assert_cmpfloat(fabs(cosine[1] + 1), <, 1e-7);
    g_assert_cmpint(layers[0], ==, 2);
    g_assert_cmpint(layers[1], ==, 1);
    g_assert_cmpint(layers[3], ==, 1);
}

// other layers, or layers of another length: two models
static void test_nothing_in_common(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(subject_file) x = subject_create(), y = subject_create();
    const struct subject *const both[] = {x, y};
    double cosine[4];

    subject_set_shift(x, "a.delta", (float[]){1, 2}, 2);
    subject_set_shift(y, "a.delta", (float[]){1, 2, 3}, 3);
    subject_set_shift(y, "b.delta", (float[]){1, 2}, 2);
    g_assert_false(
        compare_subjects(both, (const char *const[]){"left", "right"}, 2, cosine, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "left"));
    g_assert_nonnull(strstr(error->message, "right"));
}

static void test_text(void)
{
    const double cosine[] = {1, -0.25, -0.25, 1};
    g_autofree char *text = compare_text(cosine, (const char *const[]){"dog", "a longer one"}, 2);

    g_assert_cmpstr(text, ==,
                    "                 dog  a longer one\n"
                    "         dog   1.000        -0.250\n"
                    "a longer one  -0.250         1.000");
}

static void test_picture(void)
{
    const double cosine[] = {1, 0, -1, 0.5};
    g_autoptr(GError) error = NULL;
    g_autoptr(picture) p = compare_picture(cosine, 2, &error);
    const int side = p->width / 2;

    g_assert_no_error(error);
    g_assert_cmpint(p->height, ==, p->width);
    const float *red = p->pixels, *white = red + 3 * side;
    const float *blue = red + (size_t)3 * p->width * side, *pink = blue + 3 * side;
    g_assert_cmpfloat(red[0], >, red[2] + 0.4f);
    g_assert_cmpfloat(white[0] + white[1] + white[2], ==, 3);
    g_assert_cmpfloat(blue[2], >, blue[0] + 0.4f);
    g_assert_cmpfloat(pink[1], >, red[1] + 0.3f);
    g_assert_cmpfloat(pink[1], <, white[1] - 0.3f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compare/by-hand", test_by_hand);
    g_test_add_func("/compare/scale", test_scale);
    g_test_add_func("/compare/nothing-in-common", test_nothing_in_common);
    g_test_add_func("/compare/text", test_text);
    g_test_add_func("/compare/picture", test_picture);
    return g_test_run();
}
