/* svd_gram: the panels add up to the product, in double and in float, and what is too uneven for
 * float is told from what is not. */
#include "engine/spectrum/svd_gram.h"

#include "tests/svd_matrix.h"

// the upper triangle of the Gram matrix, in panels of `step`
static double *sum_gram(const struct matrix *a, int step, bool single)
{
    const struct svd_input in = svd_input(a->m, a->n, a->w);
    const size_t r = (size_t)in.r;
    g_autofree double *panel = g_new(double, r *step);
    g_autofree float *part = g_new(float, r *r);
    double *gram = g_new(double, r *r);

    // what is there before counts for nothing
    for (size_t i = 0; i < r * r; i++) {
        gram[i] = 7;
    }
    for (int from = 0; from < in.longer; from += step) {
        const int count = MIN(step, in.longer - from);
        if (single) {
            svd_gram_add_float(&in, from, count, part, gram);
        } else {
            svd_gram_add(&in, from, count, panel, gram);
        }
    }
    return gram;
}

static double product_at(const struct matrix *a, int i, int j)
{
    const bool wide = a->m <= a->n;
    double sum = 0;

    for (int k = 0; k < MAX(a->m, a->n); k++) {
        sum += wide ? (double)a->w[(size_t)i * a->n + k] * a->w[(size_t)j * a->n + k]
                    : (double)a->w[(size_t)k * a->n + i] * a->w[(size_t)k * a->n + j];
    }
    return sum;
}

static void test_sums(void)
{
    static const int shapes[][2] = {{1, 1}, {7, 100}, {100, 7}, {33, 33}};

    for (size_t k = 0; k < G_N_ELEMENTS(shapes) * 4; k++) {
        const int *shape = shapes[k / 4], r = MIN(shape[0], shape[1]);
        const bool single = k % 2 != 0;
        g_autoptr(matrix) a = matrix_random(shape[0], shape[1], (guint32)k, 1);
        // one panel, and several of which the last is smaller
        g_autofree double *gram = sum_gram(a, k % 4 < 2 ? 1000 : 16, single);
        for (int i = 0; i < r; i++) {
            for (int j = i; j < r; j++) {
                g_assert_cmpfloat_with_epsilon(gram[i * r + j], product_at(a, i, j),
                                               single ? 1e-4 : 1e-12);
            }
        }
    }
}

// of a matrix [30, 200] whose squares of s are 1, but for the last
static bool is_even(double last, double scale)
{
    g_autofree float *memory = g_new(float, 30 * 31);
    double s[30];

    for (int i = 0; i < 30; i++) {
        s[i] = scale * (i < 29 ? 1 : sqrt(last));
    }
    g_autoptr(matrix) a = matrix_with_values(30, 200, s, 1);
    g_autofree double *gram = sum_gram(a, 64, true);
    return svd_gram_even(30, gram, 10, memory);
}

static void test_even(void)
{
    g_assert_true(is_even(1, 1));
    g_assert_true(is_even(0.15, 1));
    g_assert_false(is_even(0.06, 1));
    g_assert_false(is_even(1e-4, 1));
    g_assert_false(is_even(0, 1));
    // float loses digits of the squares, or has none
    g_assert_true(is_even(1, 1e-5));
    g_assert_false(is_even(1, 1e-15));
    g_assert_false(is_even(1, 1e-30));
    g_assert_true(is_even(1, 1e10));
    g_assert_false(is_even(1, 1e25));
    g_assert_false(is_even(0, 0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/svd_gram/sums", test_sums);
    g_test_add_func("/svd_gram/even", test_even);
    return g_test_run();
}
