/* Layouts of mixed pictures: whole areas, the order of the picture, places within their regions. */
#include "engine/picture/layout.h"

#include <glib.h>

static const enum layout layouts[] = {LAYOUT_HALVES, LAYOUT_STACKED, LAYOUT_FALLING, LAYOUT_RISING};

// both together are the square, each half of it, for even and odd sizes
static void test_whole(void)
{
    for (int n = 4; n <= 5; n++) {
        for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
            float regions[2 * 25];
            double sum = 0;
            layout_regions(layouts[i], n, regions);
            for (int j = 0; j < n * n; j++) {
                g_assert_cmpfloat(regions[j] + regions[n * n + j], ==, 1);
                sum += regions[j];
            }
            g_assert_cmpfloat(sum, ==, n * n / 2.0);
        }
    }
}

// the middle of each one's box lies in its own region
static void test_places(void)
{
    enum { N = 8 };
    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
        float regions[2 * N * N];
        layout_regions(layouts[i], N, regions);
        for (int which = 0; which < 2; which++) {
            const struct layout_box box = layout_place_box(layout_place(layouts[i], which));
            const int x = (int)(N * (box.left + box.right) / 2);
            const int y = (int)(N * (box.top + box.bottom) / 2);
            g_assert_cmpfloat(regions[which * N * N + y * N + x], ==, 1);
        }
    }
}

static void test_order(void)
{
    float regions[2 * 16];

    layout_regions(LAYOUT_HALVES, 4, regions);
    g_assert_cmpfloat(regions[1], ==, 1);
    g_assert_cmpfloat(regions[2], ==, 0);
    layout_regions(LAYOUT_STACKED, 4, regions);
    g_assert_cmpfloat(regions[7], ==, 1);
    g_assert_cmpfloat(regions[8], ==, 0);
    layout_regions(LAYOUT_FALLING, 4, regions);
    g_assert_cmpfloat(regions[0], ==, 1);
    g_assert_cmpfloat(regions[3], ==, 0.5);
    layout_regions(LAYOUT_RISING, 4, regions);
    g_assert_cmpfloat(regions[12], ==, 1);
    g_assert_cmpfloat(regions[3], ==, 0);
}

static void test_drawn(void)
{
    g_assert_true(layout_is_drawn(LAYOUT_BESIDE) && layout_is_drawn(LAYOUT_BELOW));
    g_assert_false(layout_is_drawn(LAYOUT_HALVES) || layout_is_drawn(LAYOUT_RISING));
}

// what a choice draws is placed where it says, and all of it comes up
static void test_choices(void)
{
    for (int choice = LAYOUTS_HALVES; choice <= LAYOUTS_ALL; choice++) {
        enum place first;
        const int count = layout_places((enum layout_choice)choice, &first);
        unsigned seen = 0;
        for (int i = 0; i < LAYOUT_DRAWS; i++) {
            const enum layout layout = layout_draw((enum layout_choice)choice, i);
            g_assert_false(layout_is_drawn(layout));
            for (int which = 0; which < 2; which++) {
                const int place = (int)layout_place(layout, which) - (int)first;
                g_assert_cmpint(place, >=, 0);
                g_assert_cmpint(place, <, count);
                seen |= 1u << place;
            }
        }
        g_assert_cmpuint(seen, ==, (1u << count) - 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/learn-layout/whole", test_whole);
    g_test_add_func("/learn-layout/places", test_places);
    g_test_add_func("/learn-layout/order", test_order);
    g_test_add_func("/learn-layout/drawn", test_drawn);
    g_test_add_func("/learn-layout/choices", test_choices);
    return g_test_run();
}
