/* svd_matrix.h: matrices to decompose, for the tests of svd and svd_check.
 *
 * Matrices with known singular values are products of Householder reflections in double, rounded to
 * float at the end. */
#pragma once

#include "engine/spectrum/svd.h"
#include "engine/spectrum/svd_check.h"

#include <glib.h>
#include <math.h>

struct matrix {
    int m, n, r;
    float *w, *u, *s, *vt;
};

static inline struct matrix *matrix_create(int m, int n)
{
    struct matrix *a = g_new0(struct matrix, 1);

    a->m = m;
    a->n = n;
    a->r = MIN(m, n);
    a->w = g_new0(float, (size_t)m *n);
    a->u = g_new0(float, (size_t)m * a->r);
    a->s = g_new0(float, a->r);
    a->vt = g_new0(float, (size_t)a->r *n);
    return a;
}

static inline void matrix_free(struct matrix *a)
{
    g_free(a->w);
    g_free(a->u);
    g_free(a->s);
    g_free(a->vt);
    g_free(a);
}
typedef struct matrix matrix;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(matrix, matrix_free)

static inline double random_normal(GRand *random)
{
    return sqrt(-2 * log(1 - g_rand_double(random))) * cos(2 * G_PI * g_rand_double(random));
}

static inline struct matrix *matrix_random(int m, int n, guint32 seed, double scale)
{
    struct matrix *a = matrix_create(m, n);
    GRand *random = g_rand_new_with_seed(seed);

    for (size_t i = 0; i < (size_t)m * n; i++) {
        a->w[i] = (float)(scale * random_normal(random));
    }
    g_rand_free(random);
    return a;
}

// x [rows, columns] becomes H x for H = I - 2 v vt, |v| = 1, v random of length `rows`
static inline void reflect_rows(double *x, int rows, int columns, GRand *random)
{
    g_autofree double *v = g_new(double, rows);
    g_autofree double *sum = g_new0(double, columns);
    double square = 0;

    for (int i = 0; i < rows; i++) {
        v[i] = random_normal(random);
        square += v[i] * v[i];
    }
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            sum[j] += v[i] * x[(size_t)i * columns + j];
        }
    }
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            x[(size_t)i * columns + j] -= 2 / square * v[i] * sum[j];
        }
    }
}

static inline void transpose(const double *x, double *y, int rows, int columns)
{
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            y[(size_t)j * rows + i] = x[(size_t)i * columns + j];
        }
    }
}

// a matrix with the singular values s [r]
static inline struct matrix *matrix_with_values(int m, int n, const double *s, guint32 seed)
{
    struct matrix *a = matrix_create(m, n);
    GRand *random = g_rand_new_with_seed(seed);
    g_autofree double *x = g_new0(double, (size_t)m *n);
    g_autofree double *y = g_new0(double, (size_t)m *n);

    for (int i = 0; i < a->r; i++) {
        x[(size_t)i * n + i] = s[i];
    }
    for (int k = 0; k < 4; k++) {
        reflect_rows(x, m, n, random);
        transpose(x, y, m, n);
        reflect_rows(y, n, m, random);
        transpose(y, x, n, m);
    }
    for (size_t i = 0; i < (size_t)m * n; i++) {
        a->w[i] = (float)x[i];
    }
    g_rand_free(random);
    return a;
}

static const kernels *svd_device; // of the tests; NULL: the host

static inline void decompose(struct matrix *a)
{
    g_autoptr(svd_work) work = svd_work_create(svd_device);
    g_autoptr(GError) error = NULL;

    svd_thin(a->m, a->n, a->w, a->u, a->s, a->vt, work, &error);
    g_assert_no_error(error);
}

// how well the factors give the matrix back
static inline struct svd_accuracy measure(const struct matrix *a)
{
    g_autoptr(GError) error = NULL;
    struct svd_accuracy accuracy;

    svd_check(a->m, a->n, a->w, a->u, a->s, a->vt, &accuracy, &error);
    g_assert_no_error(error);
    return accuracy;
}
