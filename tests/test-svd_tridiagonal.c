/* svd_tridiagonal: known values and their vectors; values that are equal or nearly so are refused. */
#include "engine/spectrum/svd_tridiagonal.h"

#include <glib.h>
#include <math.h>

enum { MOST = 300 };

struct problem {
    double diagonal[MOST], beside[MOST], lambda[MOST], rows[MOST * MOST];
};

static bool solve(struct problem *p, int r)
{
    g_autofree double *work = g_new(double, svd_tridiagonal_doubles(r));
    const struct svd_tridiagonal t = {.r = r,
                                      .diagonal = p->diagonal,
                                      .beside = p->beside,
                                      .lambda = p->lambda,
                                      .rows = p->rows,
                                      .work = work};

    return svd_tridiagonal_solve(&t);
}

static double entry(const struct problem *p, int i, int j)
{
    return i == j ? p->diagonal[i] : ABS(i - j) == 1 ? p->beside[MIN(i, j)] : 0;
}

static void assert_vectors(const struct problem *p, int r)
{
    for (int i = 0; i < r; i++) {
        const double *z = p->rows + (size_t)i * r;
        for (int j = 0; j < r; j++) {
            double product = 0, turned = 0;
            for (int k = 0; k < r; k++) {
                product += z[k] * p->rows[(size_t)j * r + k];
                turned += entry(p, j, k) * z[k];
            }
            g_assert_cmpfloat_with_epsilon(product, i == j, 1e-8);
            g_assert_cmpfloat_with_epsilon(turned, p->lambda[i] * z[j], 1e-13);
        }
    }
}

// 2 with -1 beside it: 2 - 2 cos(pi k / (r + 1))
static void test_known(void)
{
    static const int sizes[] = {1, 2, 15, 16, 17, 300};
    g_autofree struct problem *p = g_new0(struct problem, 1);

    for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
        const int r = sizes[k];
        for (int i = 0; i < r; i++) {
            p->diagonal[i] = 2;
            p->beside[i] = -1;
        }
        g_assert_true(solve(p, r));
        for (int i = 0; i < r; i++) {
            g_assert_cmpfloat_with_epsilon(p->lambda[i], 2 - 2 * cos(G_PI * (i + 1) / (r + 1)),
                                           1e-13);
        }
        assert_vectors(p, r);
    }
}

// nothing beside the diagonal, and factors that begin with 0
static void test_apart(void)
{
    g_autofree struct problem *p = g_new0(struct problem, 1);

    for (int i = 0; i < 40; i++) {
        p->diagonal[i] = (i * 7) % 40 / 40.0;
    }
    g_assert_true(solve(p, 40));
    assert_vectors(p, 40);
    p->beside[3] = p->beside[20] = 0.5;
    g_assert_true(solve(p, 40));
    assert_vectors(p, 40);
}

static void test_close(void)
{
    g_autofree struct problem *p = g_new0(struct problem, 1);

    // all 0, all the same, two the same
    g_assert_false(solve(p, 20));
    for (int i = 0; i < 20; i++) {
        p->diagonal[i] = 3;
    }
    g_assert_false(solve(p, 20));
    for (int i = 0; i < 20; i++) {
        p->diagonal[i] = MAX(i, 1);
    }
    g_assert_false(solve(p, 20));
    // Wilkinson's: pairs that differ by 1e-14, though nothing beside the diagonal is small
    for (int i = 0; i < 21; i++) {
        p->diagonal[i] = ABS(i - 10);
        p->beside[i] = 1;
    }
    g_assert_false(solve(p, 21));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/svd_tridiagonal/known", test_known);
    g_test_add_func("/svd_tridiagonal/apart", test_apart);
    g_test_add_func("/svd_tridiagonal/close", test_close);
    return g_test_run();
}
