/* Measuring a decomposition; see svd_check.h.
 *
 * Rows of W and U (columns of Vt) are taken in panels and turned into double:
 *   UtU = sum over panels Ui^T Ui,   Vt V = sum over panels Vj Vj^T,
 *   W - U S Vt, one panel of rows of U by one panel of columns of Vt after the other */
#include "engine/spectrum/svd_check.h"

#include "engine/base/dtype.h"
#include "engine/base/error.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stddef.h>

#define PANEL 256

struct check {
    int m, n, r;
    const float *w, *u, *s, *vt;
    double *gram;        // [r, r]
    double *rows;        // [PANEL, r]: of U
    double *columns;     // [r, PANEL]: of Vt
    double *product;     // [PANEL, PANEL]
    double square, lost; // of W and of W - U S Vt
};

// rows [count, r] of U from `from` on, the columns multiplied by `scale` [r] unless that is NULL
static void load_rows(const struct check *c, int from, int count, const float *scale)
{
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < c->r; j++) {
            const double factor = scale != NULL ? scale[j] : 1;
            c->rows[(size_t)i * c->r + j] = factor * c->u[(size_t)(from + i) * c->r + j];
        }
    }
}

// columns [r, count] of Vt
static void load_columns(const struct check *c, int from, int count)
{
    for (int i = 0; i < c->r; i++) {
        dtype_from_f32(DTYPE_F64, c->vt + (size_t)i * c->n + from, c->columns + (size_t)i * count,
                       (size_t)count);
    }
}

// the largest entry of |G - I|, of which the lower triangle is there
static double distance_to_identity(const double *gram, int r)
{
    double largest = 0;

    for (int i = 0; i < r; i++) {
        for (int j = 0; j <= i; j++) {
            const double distance = fabs(gram[(size_t)i * r + j] - (i == j));
            if (!(distance <= largest)) { // not a number is the largest
                largest = distance;
            }
        }
    }
    return largest;
}

// of the columns of U, or of the rows of Vt
static double orthonormality(const struct check *c, bool of_u)
{
    const int length = of_u ? c->m : c->n;

    for (int from = 0; from < length; from += PANEL) {
        const int count = MIN(PANEL, length - from);
        if (of_u) {
            load_rows(c, from, count, NULL);
        } else {
            load_columns(c, from, count);
        }
        // the first panel begins the sum, the others add to it
        cblas_dsyrk(CblasRowMajor, CblasLower, of_u ? CblasTrans : CblasNoTrans, c->r, count, 1,
                    of_u ? c->rows : c->columns, of_u ? c->r : count, from > 0 ? 1 : 0, c->gram,
                    c->r);
    }
    return distance_to_identity(c->gram, c->r);
}

// adds what the rows that are loaded and the columns from `column` on lose
static void compare_block(struct check *c, int row, int n_rows, int column, int n_columns)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n_rows, n_columns, c->r, 1, c->rows,
                c->r, c->columns, n_columns, 0, c->product, n_columns);
    for (int i = 0; i < n_rows; i++) {
        const float *w = c->w + (size_t)(row + i) * c->n + column;
        for (int j = 0; j < n_columns; j++) {
            const double difference = w[j] - c->product[(size_t)i * n_columns + j];
            c->lost += difference * difference;
            c->square += (double)w[j] * w[j];
        }
    }
}

static double reconstruction(struct check *c)
{
    for (int row = 0; row < c->m; row += PANEL) {
        const int n_rows = MIN(PANEL, c->m - row);
        load_rows(c, row, n_rows, c->s);
        for (int column = 0; column < c->n; column += PANEL) {
            const int n_columns = MIN(PANEL, c->n - column);
            load_columns(c, column, n_columns);
            compare_block(c, row, n_rows, column, n_columns);
        }
    }
    return c->square > 0 ? sqrt(c->lost / c->square) : sqrt(c->lost);
}

static bool is_descending(const float *s, int r)
{
    for (int i = 0; i < r; i++) {
        if (!(s[i] >= 0) || (i > 0 && !(s[i] <= s[i - 1]))) {
            return false;
        }
    }
    return true;
}

bool svd_check(int m, int n, const float *w, const float *u, const float *s, const float *vt,
               struct svd_accuracy *accuracy, GError **error)
{
    struct check c = {.m = m, .n = n, .r = MIN(m, n), .w = w, .u = u, .s = s, .vt = vt};
    const size_t r = (size_t)c.r;
    g_autofree double *memory = g_try_new(double, r *r + 2 * r * PANEL + PANEL * PANEL);
    if (memory == NULL) {
        return error_failed(error,
                            "there is no memory to check its spectrum; close other programs.");
    }
    c.gram = memory;
    c.rows = c.gram + r * r;
    c.columns = c.rows + r * PANEL;
    c.product = c.columns + r * PANEL;

    // OpenBLAS follows OpenMP's number of threads of the thread that calls it
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const double of_u = orthonormality(&c, true), of_v = orthonormality(&c, false);
    *accuracy = (struct svd_accuracy){.reconstruction = reconstruction(&c),
                                      .orthonormality = !(of_u <= of_v) ? of_u : of_v,
                                      .descending = is_descending(s, c.r)};
    omp_set_num_threads(threads);
    return true;
}

bool svd_accuracy_good(const struct svd_accuracy *a)
{
    return a->reconstruction <= SVD_RECONSTRUCTION && a->orthonormality <= SVD_ORTHONORMALITY &&
           a->descending;
}
