/* Spherical interpolation: against the formula for two known vectors, and where it has no angle. */
#include "engine/generate/slerp.h"

#include <glib.h>
#include <math.h>

#define N 1000

static void fill(float *a, float *b)
{
    for (int i = 0; i < N; i++) {
        a[i] = (float)sin(0.37 * i);
        b[i] = (float)(2 * cos(0.11 * i));
    }
}

static double size(const float *x)
{
    double sum = 0;

    for (int i = 0; i < N; i++) {
        sum += (double)x[i] * x[i];
    }
    return sqrt(sum);
}

// a right angle in a plane: between (3, 0) and (0, 3) lies the circle of radius 3
static void test_circle(void)
{
    static const float a[] = {3, 0}, b[] = {0, 3};

    for (int i = 0; i <= 10; i++) {
        const double turn = G_PI / 2 * i / 10;
        float out[2];
        slerp(i / 10.0, a, b, out, 2);
        g_assert_cmpfloat(fabs(out[0] - 3 * cos(turn)), <, 1e-6);
        g_assert_cmpfloat(fabs(out[1] - 3 * sin(turn)), <, 1e-6);
    }
}

// both ends exactly, and every point at its share of the angle from the first
static void test_ends_and_angle(void)
{
    float a[N], b[N], out[N];
    double ab = 0;

    fill(a, b);
    for (int i = 0; i < N; i++) {
        ab += (double)a[i] * b[i];
    }
    const double phi = acos(ab / size(a) / size(b));
    for (int k = 0; k <= 4; k++) {
        slerp(k / 4.0, a, b, out, N);
        for (int i = 0; i < N; i++) {
            const double want = (sin((1 - k / 4.0) * phi) * a[i] + sin(k / 4.0 * phi) * b[i]);
            g_assert_cmpfloat(fabs(out[i] - want / sin(phi)), <, 1e-5);
            g_assert_true(k > 0 || out[i] == a[i]);
            g_assert_true(k < 4 || out[i] == b[i]);
        }
    }
}

static void test_no_angle(void)
{
    float a[N], b[N], out[N];

    fill(a, b);
    for (int sign = -1; sign <= 1; sign++) {
        for (int i = 0; i < N; i++) {
            b[i] = (float)sign * a[i]; // opposite, zero, the same
        }
        slerp(0.25, a, b, out, N);
        for (int i = 0; i < N; i++) {
            g_assert_cmpfloat(fabs(out[i] - (0.75 * a[i] + 0.25 * b[i])), <, 1e-6);
        }
    }
}

static void test_in_place(void)
{
    float a[N], b[N], out[N];

    fill(a, b);
    slerp(0.3, a, b, out, N);
    slerp(0.3, a, b, b, N);
    for (int i = 0; i < N; i++) {
        g_assert_cmpfloat(out[i], ==, b[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/slerp/circle", test_circle);
    g_test_add_func("/slerp/ends-and-angle", test_ends_and_angle);
    g_test_add_func("/slerp/no-angle", test_no_angle);
    g_test_add_func("/slerp/in-place", test_in_place);
    return g_test_run();
}
