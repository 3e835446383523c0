/* The strength of a seam, on pictures whose changes are known. */
#include "engine/picture/seam.h"

enum { WIDTH = 64, HEIGHT = 4 };

// columns rise by `slope` each, and by `step` in the middle
static picture *make(float slope, float step)
{
    picture *p = picture_create(WIDTH, HEIGHT, 3, NULL);

    for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
        const int x = i / 3 % WIDTH;
        p->pixels[i] = slope * (float)x + (x >= WIDTH / 2 ? step : 0);
    }
    return p;
}

static void test_ramp(void)
{
    g_autoptr(picture) p = make(0.0078125f, 0);
    double seam = 0, surroundings = 0;

    seam_add(p, &seam, &surroundings);
    seam_add(p, &seam, &surroundings);
    g_assert_cmpfloat_with_epsilon(seam, 2 * 0.0078125, 1e-7);
    g_assert_cmpfloat_with_epsilon(surroundings, 2 * 0.0078125, 1e-7);
}

// one of the five columns around the middle has the step, too
static void test_step(void)
{
    g_autoptr(picture) p = make(0.0078125f, 0.25f);
    double seam = 0, surroundings = 0;

    seam_add(p, &seam, &surroundings);
    g_assert_cmpfloat_with_epsilon(seam, 0.0078125 + 0.25 / 5, 1e-7);
    g_assert_cmpfloat_with_epsilon(surroundings, 0.0078125, 1e-7);
}

// too narrow for surroundings: nothing is known of them
static void test_narrow(void)
{
    g_autoptr(picture) p = picture_create(2, 2, 1, NULL);
    double seam = 0, surroundings = 0;

    p->pixels[0] = p->pixels[2] = 0;
    p->pixels[1] = p->pixels[3] = 1;
    seam_add(p, &seam, &surroundings);
    g_assert_cmpfloat(seam, ==, 1);
    g_assert_cmpfloat(surroundings, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/seam/ramp", test_ramp);
    g_test_add_func("/seam/step", test_step);
    g_test_add_func("/seam/narrow", test_narrow);
    return g_test_run();
}
