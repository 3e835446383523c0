/* svd_check, svd_probe: what is a little beyond the bounds is noticed, wherever it is. */
#include "engine/spectrum/svd_probe.h"
#include "tests/svd_matrix.h"

// a change of one thing that is a little more than the bound
static void assert_noticed(int what, double amount, int m, int n)
{
    g_autoptr(matrix) a = matrix_random(m, n, 11, 1);
    decompose(a);
    g_assert_true(svd_probe(m, n, a->w, a->u, a->s, a->vt));
    const int last = a->r - 1;

    for (int i = 0; i < m && what == 0; i++) { // the last column of U leans on the first
        a->u[i * a->r + last] += (float)amount * a->u[i * a->r];
    }
    for (int j = 0; j < n && what == 1; j++) { // the last row of Vt on the first
        a->vt[last * n + j] += (float)amount * a->vt[j];
    }
    if (what == 2) {
        a->s[0] *= 1 + (float)amount;
    } else if (what == 3) {
        a->w[m * n - 1] += (float)amount;
    }
    const struct svd_accuracy accuracy = measure(a);
    g_assert_false(svd_accuracy_good(&accuracy));
    g_assert_false(svd_probe(m, n, a->w, a->u, a->s, a->vt));
}

static void test_changes(void)
{
    static const double amounts[] = {3e-5, 3e-5, 1e-4, 1e-2};

    for (int what = 0; what < 4; what++) {
        assert_noticed(what, amounts[what], 30, 70);
        assert_noticed(what, amounts[what], 70, 30);
        assert_noticed(what, NAN, 30, 70);
    }
}

static void test_order(void)
{
    g_autoptr(matrix) a = matrix_random(2, 2, 3, 1);
    decompose(a);
    g_assert_true(measure(a).descending);
    const float first = a->s[0];
    a->s[0] = a->s[1];
    a->s[1] = first;
    g_assert_false(measure(a).descending);
    a->s[0] = NAN;
    g_assert_false(measure(a).descending);
}

// numbers that can be worked out by hand: W = [3 0; 0 4]
static void test_exact(void)
{
    g_autoptr(matrix) a = matrix_create(2, 2);
    a->w[0] = 3;
    a->w[3] = 4;
    decompose(a);
    g_assert_cmpfloat(measure(a).reconstruction, ==, 0);
    g_assert_cmpfloat(measure(a).orthonormality, ==, 0);
    a->s[1] = 2; // |W - U S Vt| = 1, |W| = 5
    g_assert_cmpfloat_with_epsilon(measure(a).reconstruction, 0.2, 1e-12);
    a->u[0] *= 2; // the first row of U has length 2: an entry of UtU is 4
    a->u[1] *= 2;
    g_assert_cmpfloat_with_epsilon(measure(a).orthonormality, 3, 1e-12);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/svd_check/changes", test_changes);
    g_test_add_func("/svd_check/order", test_order);
    g_test_add_func("/svd_check/exact", test_exact);
    return g_test_run();
}
