/* The time that is left: steps of known length. */
#include "engine/base/progress.h"

#include <glib.h>
#include <math.h>

static void expect_near(double value, double want)
{
    g_assert_cmpfloat(fabs(value - want), <, 1e-9);
}

static void test_even(void)
{
    struct progress_clock clock = {0};

    g_assert_cmpfloat(progress_clock_left_at(&clock, 0, 10, 100), <, 0);
    g_assert_cmpfloat(progress_clock_left_at(&clock, 0, 10, 101), <, 0);
    for (int step = 1; step <= 10; step++) {
        expect_near(progress_clock_left_at(&clock, step, 10, 100 + 2 * step), 2 * (10 - step));
    }
}

// within a step the time runs, and never below nothing
static void test_within(void)
{
    struct progress_clock clock = {0};

    progress_clock_left_at(&clock, 0, 3, 0);
    expect_near(progress_clock_left_at(&clock, 1, 3, 4), 8);
    expect_near(progress_clock_left_at(&clock, 1, 3, 5), 7);
    expect_near(progress_clock_left_at(&clock, 1, 3, 50), 0);
}

static void test_slow_start(void)
{
    struct progress_clock clock = {0};

    progress_clock_left_at(&clock, 0, 100, 0);
    expect_near(progress_clock_left_at(&clock, 1, 100, 30), 99 * 30);
    // the first step is forgotten
    expect_near(progress_clock_left_at(&clock, 2, 100, 31), 98);
    expect_near(progress_clock_left_at(&clock, 3, 100, 32), 97);
}

// several steps between two calls count as what they are
static void test_jumps(void)
{
    struct progress_clock a = {0}, b = {0};
    double left = 0;

    progress_clock_left_at(&a, 0, 100, 0);
    progress_clock_left_at(&b, 0, 100, 0);
    progress_clock_left_at(&a, 1, 100, 1);
    progress_clock_left_at(&b, 1, 100, 1);
    for (int step = 2; step <= 40; step++) {
        left = progress_clock_left_at(&a, step, 100, step);
    }
    expect_near(progress_clock_left_at(&b, 40, 100, 40), left);
}

// the last ten steps count most
static void test_change(void)
{
    struct progress_clock clock = {0};
    double now = 0, left = 0;

    for (int step = 0; step <= 100; step++) {
        left = progress_clock_left_at(&clock, step, 200, now);
        now += step < 50 ? 10 : 1;
    }
    g_assert_cmpfloat(left, >, 100);
    g_assert_cmpfloat(left, <, 106);
}

static void test_resumed_and_again(void)
{
    struct progress_clock clock = {0};

    g_assert_cmpfloat(progress_clock_left_at(&clock, 400, 500, 0), <, 0);
    expect_near(progress_clock_left_at(&clock, 401, 500, 3), 99 * 3);
    // another phase
    g_assert_cmpfloat(progress_clock_left_at(&clock, 0, 20, 5), <, 0);
    expect_near(progress_clock_left_at(&clock, 1, 20, 6), 19);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress/even", test_even);
    g_test_add_func("/progress/within", test_within);
    g_test_add_func("/progress/slow-start", test_slow_start);
    g_test_add_func("/progress/jumps", test_jumps);
    g_test_add_func("/progress/change", test_change);
    g_test_add_func("/progress/resumed-and-again", test_resumed_and_again);
    return g_test_run();
}
