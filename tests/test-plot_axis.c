/* Ranges, ticks and colours of figures by known values, and of ranges of whatever size. */
#include "engine/plot/plot_axis.h"
#include "engine/plot/plot_colour.h"

#include <locale.h>
#include <math.h>
#include <string.h>

/* ---- ticks ---- */

static char *texts_of(const struct plot_axis *a)
{
    GString *s = g_string_new(NULL);

    for (int i = 0; i < a->n; i++) {
        g_autofree char *text = plot_axis_text(a, i);
        g_string_append_printf(s, "%s%s", i > 0 ? " " : "", text);
    }
    g_autofree char *factor = plot_axis_factor(a);
    g_string_append(s, factor);
    return g_string_free(s, FALSE);
}

static void test_ticks(void)
{
    static const struct {
        double low, high;
        int most;
        const char *texts;
    } cases[] = {
        {0, 1, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
        {0, 1, 4, "0.0 0.5 1.0"},
        {-1, 1, 4, "−1.0 −0.5 0.0 0.5 1.0"},
        {0.3, 0.6, 3, "0.3 0.4 0.5 0.6"},
        {0, 500, 7, "0 100 200 300 400 500"},
        {7, 93, 5, "20 40 60 80"},
        {0, 0.0005, 5, "0 1 2 3 4 5 (×10⁻⁴)"},
        {0, 2.5e6, 5, "0.0 0.5 1.0 1.5 2.0 2.5 (×10⁶)"},
        {-3e-12, 0, 3, "−3 −2 −1 0 (×10⁻¹²)"},
        {0.9995, 1.0005, 5, "0.9996 0.9998 1.0000 1.0002 1.0004"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct plot_axis a = plot_axis_between(cases[i].low, cases[i].high, cases[i].most);
        g_autofree char *texts = texts_of(&a);
        g_assert_cmpstr(texts, ==, cases[i].texts);
    }
}

// begins at 0 where that is near, keeps room where it is not
static void test_ranges(void)
{
    struct plot_axis a = plot_axis_of(0.05, 0.4, 5);
    g_assert_cmpfloat(a.low, ==, 0);
    g_assert_cmpfloat(fabs(a.high - 0.414), <, 1e-12);
    a = plot_axis_of(-8, -1, 5);
    g_assert_cmpfloat(a.high, ==, 0);
    a = plot_axis_of(0.6, 0.8, 5);
    g_assert_cmpfloat(fabs(a.low - 0.592), <, 1e-12);
    g_assert_cmpfloat(fabs(a.high - 0.808), <, 1e-12);
    a = plot_axis_of(-1, 3, 5);
    g_assert_cmpfloat(fabs(a.low + 1.16), <, 1e-12);
    // one number, nothing, and none
    a = plot_axis_of(5, 5, 5);
    g_assert_true(a.low < 5 && a.high > 5 && a.n > 1);
    a = plot_axis_of(0, 0, 5);
    g_assert_true(a.low == -1 && a.high == 1);
    a = plot_axis_of(INFINITY, -INFINITY, 5);
    g_assert_true(a.low == 0 && a.high == 1 && a.n == 0);
}

// of whatever size: inside, in equal steps, told apart
static void test_any_range(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(20);

    for (int k = 0; k < 2000; k++) {
        const double size = pow(10, g_rand_double_range(random, -100, 99));
        const double from = size * g_rand_double_range(random, -1, 1);
        const double to = from + size * pow(10, g_rand_double_range(random, -7, 0));
        const struct plot_axis a = plot_axis_of(from, to, 6);
        g_assert_cmpint(a.n, >=, 2);
        g_assert_cmpint(a.n, <=, 7);
        g_assert_true(a.low <= from && a.high >= to);
        const double step = plot_axis_tick(&a, 1) - plot_axis_tick(&a, 0);
        for (int i = 0; i < a.n; i++) {
            const double tick = plot_axis_tick(&a, i);
            const double slip = 1e-6 * (a.high - a.low);
            g_assert_true(tick >= a.low - slip && tick <= a.high + slip);
            g_assert_cmpfloat(fabs(tick - plot_axis_tick(&a, 0) - i * step), <, slip);
            g_autofree char *text = plot_axis_text(&a, i),
                            *before = plot_axis_text(&a, MAX(i, 1) - 1);
            g_assert_true(i == 0 || strcmp(text, before) != 0);
        }
    }
}

/* ---- colours ---- */

static double red_of(double low, double high, double value, double *blue)
{
    double rgb[3];

    plot_colour_of(low, high, value, rgb);
    *blue = rgb[2];
    return rgb[0];
}

static void test_scale(void)
{
    double blue, before = 0;

    g_assert_true(red_of(-1, 1, 0, &blue) == 1 && blue == 1);
    // above 0 red, below it blue, as dark as it is far
    g_assert_true(red_of(-1, 1, 0.5, &blue) > blue + 0.3);
    g_assert_true(red_of(-1, 1, -0.5, &blue) < blue - 0.3);
    g_assert_cmpfloat(red_of(-1, 1, 1, &blue), ==, 0x65 / 255.0);
    g_assert_cmpfloat(red_of(-1, 1, 7, &before), ==, 0x65 / 255.0);
    g_assert_cmpfloat(blue, ==, before);
    g_assert_cmpfloat(red_of(-2, 1, 1, &blue), ==, red_of(-2, 2, 1, &before));
    // without negative numbers white is the low end
    g_assert_true(red_of(0.5, 1, 0.5, &blue) == 1 && blue == 1);
    g_assert_cmpfloat(red_of(0.5, 1, 1, &blue), ==, 0x08 / 255.0);
    before = 2;
    for (int i = 0; i <= 100; i++) {
        const double red = red_of(0, 1, i / 100.0, &blue);
        g_assert_true(red <= before && (i == 0 || before - red < 0.03));
        before = red;
    }
}

// numbers are written with a point where people write a comma
static void test_locale(void)
{
    const struct plot_axis a = plot_axis_between(0, 1, 4);

    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        g_test_skip("there is no German locale");
        return;
    }
    g_autofree char *texts = texts_of(&a);
    g_assert_cmpstr(texts, ==, "0.0 0.5 1.0");
    setlocale(LC_ALL, "C");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plot_axis/ticks", test_ticks);
    g_test_add_func("/plot_axis/ranges", test_ranges);
    g_test_add_func("/plot_axis/any-range", test_any_range);
    g_test_add_func("/plot_axis/scale", test_scale);
    g_test_add_func("/plot_axis/locale", test_locale);
    return g_test_run();
}
