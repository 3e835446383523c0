/* svd_eigen: T is orthogonal and turns G into its values, for sizes below and above a block of
 * reflections, and where reflections do nothing. */
#include "engine/spectrum/svd_eigen.h"

#include <glib.h>
#include <math.h>

struct problem {
    int r;
    double *g;      // [r, r], symmetric
    double *lambda; // [r]
    double *t;      // [r, r]
};

static struct problem problem_create(int r)
{
    const size_t count = (size_t)r * r;

    return (struct problem){
        .r = r, .g = g_new0(double, count), .lambda = g_new(double, r), .t = g_new(double, count)};
}

static void problem_clear(struct problem *p)
{
    g_free(p->g);
    g_free(p->lambda);
    g_free(p->t);
}

static void solve(const struct problem *p)
{
    const size_t count = (size_t)p->r * p->r;
    g_autofree double *gram = g_new(double, count);
    g_autofree void *work = g_malloc(svd_eigen_work_bytes(p->r));
    const struct svd_eigen e = {
        .r = p->r, .gram = gram, .lambda = p->lambda, .rows = p->t, .work = work};

    for (size_t i = 0; i < count; i++) {
        // below the diagonal nothing is read
        gram[i] = i / p->r <= i % p->r ? p->g[i] : NAN;
    }
    g_assert_true(svd_eigen_solve(&e));
}

// the largest entries of |T Tt - I| and |G Tt - Tt diag(lambda)|
static void assert_solved(const struct problem *p, double scale)
{
    const int r = p->r;

    for (int i = 0; i < r; i++) {
        const double *t = p->t + (size_t)i * r;
        for (int j = 0; j < r; j++) {
            double product = 0, turned = 0;
            for (int k = 0; k < r; k++) {
                product += t[k] * p->t[(size_t)j * r + k];
                turned += p->g[(size_t)j * r + k] * t[k];
            }
            g_assert_cmpfloat_with_epsilon(product, i == j, 1e-8);
            g_assert_cmpfloat_with_epsilon(turned, p->lambda[i] * t[j], 1e-13 * scale);
        }
        g_assert_true(i == 0 || p->lambda[i] >= p->lambda[i - 1]);
    }
}

static void test_random(void)
{
    static const int sizes[] = {1, 2, 3, 30, 96, 97, 98, 193, 250};

    for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
        struct problem p = problem_create(sizes[k]);
        GRand *random = g_rand_new_with_seed((guint32)k);
        for (int i = 0; i < p.r; i++) {
            for (int j = i; j < p.r; j++) {
                p.g[i * p.r + j] = p.g[j * p.r + i] = g_rand_double_range(random, -1, 1);
            }
        }
        g_rand_free(random);
        solve(&p);
        assert_solved(&p, p.r);
        problem_clear(&p);
    }
}

// zeros, a multiple of the identity, a diagonal, and a block beside a diagonal
static void test_idle_reflections(void)
{
    for (int kind = 0; kind < 4; kind++) {
        struct problem p = problem_create(130);
        for (int i = 0; i < p.r; i++) {
            p.g[i * p.r + i] = kind == 0 ? 0 : kind == 1 ? 3 : (i * 7) % 11;
            for (int j = 50; kind == 3 && i >= 50 && j < 70 && i < 70; j++) {
                p.g[i * p.r + j] = 1.0 / (1 + i + j);
            }
        }
        solve(&p);
        assert_solved(&p, 11);
        problem_clear(&p);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/svd_eigen/random", test_random);
    g_test_add_func("/svd_eigen/idle-reflections", test_idle_reflections);
    return g_test_run();
}
