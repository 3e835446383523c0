/* Rotations of a weight; see adapter_rotation.h. In double: the blocks are small, and what is near the
 * identity is subtracted from it. */
#include "engine/adapter/adapter_rotation.h"

#include "engine/base/error.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

struct rotation {
    int n;                // side of a block
    int64_t count;        // blocks
    double *q;            // [count, n, n], skew
    const float *rescale; // [rows] or NULL
};

// blocks [n, n] as they are stored, or the upper triangle's values of PEFT's
static void fill_q(struct rotation *r, const float *values, bool packed)
{
    const int n = r->n;

    for (int64_t b = 0; b < r->count; b++) {
        double *q = r->q + b * n * n;
        // packed are the values above the diagonal row by row, as torch.triu_indices counts them
        const float *v = values + b * (packed ? n * (n - 1) / 2 : n * n);
        for (int i = 0; i < n; i++) {
            for (int j = i + 1; j < n; j++) {
                const double x = packed ? *v++ : (double)v[i * n + j] - v[j * n + i];
                q[i * n + j] = x;
                q[j * n + i] = -x;
            }
        }
    }
}

// a list of so many values becomes no longer than the bound; epsilon: behind its length
static void bind(double *q, int count, double bound, double epsilon)
{
    const double norm = cblas_dnrm2(count, q, 1) + epsilon;

    if (norm > bound) {
        cblas_dscal(count, bound / norm, q, 1);
    }
}

// bound: above 0; packed: PEFT's
static void bind_all(struct rotation *r, double bound, bool packed)
{
    const int area = r->n * r->n;

    if (!packed) {
        // all blocks as one list, with LyCORIS' epsilon
        bind(r->q, (int)r->count * area, bound, 1e-8);
        return;
    }
    for (int64_t b = 0; b < r->count; b++) {
        bind(r->q + b * area, area, bound / sqrt((double)r->count), 0);
    }
}

// t [n, n] = (I + sign Q)^-1 (I - sign Q)
static bool cayley(const double *q, int n, double sign, double *t)
{
    g_autofree double *m = g_new(double, (size_t)n *n);
    g_autofree lapack_int *pivots = g_new(lapack_int, n);

    // solved instead of inverted; the order of the factors is no matter, both are functions of the same Q
    for (int i = 0; i < n * n; i++) {
        const double one = i % (n + 1) == 0;
        m[i] = one + sign * q[i];
        t[i] = one - sign * q[i];
    }
    // never singular: the eigenvalues of a skew matrix are imaginary
    return LAPACKE_dgesv(LAPACK_ROW_MAJOR, n, n, m, n, pivots, t, n) == 0;
}

// the first terms of the same with sign 1, as PEFT adds them up
static void series(const double *q, int n, int terms, double *t)
{
    g_autofree double *power = g_new0(double, (size_t)n *n);
    g_autofree double *next = g_new(double, (size_t)n *n);

    // its loop adds the last power behind itself, so that three terms are its four
    terms = terms == 3 ? 4 : terms;
    // power: (-Q)^k; t: the sum so far
    memset(t, 0, (size_t)n * n * sizeof *t);
    for (int i = 0; i < n; i++) {
        t[i * (n + 1)] = power[i * (n + 1)] = 1;
    }
    for (int k = 1; k < terms; k++) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, -1, power, n, q, n, 0, next,
                    n);
        memcpy(power, next, (size_t)n * n * sizeof *power);
        // two terms are I - 2 Q; of more the last counts once
        cblas_daxpy(n * n, k == terms - 1 && terms > 2 ? 1 : 2, power, 1, t, 1);
    }
}

// of block b in the rows: what becomes of rows [n, columns] is put into delta
static void turn_rows(const struct rotation *r, int64_t b, const double *t, int64_t columns,
                      double strength, const float *plain, float *delta)
{
    const int n = r->n;
    g_autofree double *w = g_new(double, n *columns), *turned = g_new(double, n *columns);
    const int64_t first = b * n;

    // w [n, columns] as it lies, all places of a kernel included: a rotation mixes rows and leaves columns alone
    for (int64_t i = 0; i < n * columns; i++) {
        w[i] = plain[first * columns + i];
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, (int)columns, n, 1, t, n, w,
                (int)columns, 0, turned, (int)columns);
    // a rescale is of what was turned: W is taken off as it was
    for (int64_t i = 0; i < n * columns; i++) {
        const double by = r->rescale != NULL ? r->rescale[first + i / columns] : 1;
        delta[first * columns + i] = (float)(strength * (by * turned[i] - w[i]));
    }
}

// of block b in the columns of a weight [rows, columns]
static void turn_columns(const struct rotation *r, int64_t b, const double *t, int64_t rows,
                         int64_t columns, double strength, const float *plain, float *delta)
{
    const int n = r->n;

    // n is small, and the n values of a row lie together: no copy of the block is needed
    for (int64_t row = 0; row < rows; row++) {
        const float *w = plain + row * columns + b * n;
        for (int j = 0; j < n; j++) {
            double sum = -w[j];
            for (int i = 0; i < n; i++) {
                sum += w[i] * t[i * n + j];
            }
            delta[row * columns + b * n + j] = (float)(strength * sum);
        }
    }
}

// PEFT's blocks may be one that stands for all
static bool turn(const struct rotation *r, const struct adapter_change *c, const struct weight *w,
                 double strength, const float *plain, float *delta)
{
    const bool rows = c->parts[ADAPTER_OFT] != NULL;
    const int64_t columns = weight_columns(w), blocks = (rows ? w->out : columns) / r->n;
    // [n, n], of one block at a time: together they would be as large as the weight
    g_autofree double *t = g_new(double, (size_t)r->n * r->n);

    for (int64_t b = 0; b < blocks; b++) {
        const double *q = r->q + (r->count == 1 ? 0 : b) * r->n * r->n;
        if (rows || c->terms == 0) {
            if (!cayley(q, r->n, rows ? 1 : -1, t)) {
                return false;
            }
        } else {
            series(q, r->n, c->terms, t);
        }
        if (rows) {
            turn_rows(r, b, t, columns, strength, plain, delta);
        } else {
            turn_columns(r, b, t, w->out, columns, strength, plain, delta);
        }
    }
    return true;
}

bool adapter_rotation(const struct adapter *a, const struct adapter_change *c,
                      const struct weight *w, double strength, const float *plain, float *delta,
                      GError **error)
{
    const bool packed = c->parts[ADAPTER_OFT] == NULL;
    const struct safetensors_tensor *t = c->parts[packed ? ADAPTER_OFT_PEFT : ADAPTER_OFT];
    const struct safetensors_tensor *by = c->parts[ADAPTER_RESCALE];
    g_autofree float *values = adapter_read(a, t, error);
    g_autofree float *rescale = values != NULL && by != NULL ? adapter_read(a, by, error) : NULL;

    if (values == NULL || (by != NULL && rescale == NULL)) {
        return false;
    }
    struct rotation r = {.count = t->shape[0], .n = c->block, .rescale = rescale};
    r.q = g_new0(double, r.count *r.n *r.n);
    fill_q(&r, values, packed);
    if (c->scale > 0) {
        bind_all(&r, c->scale, packed);
    }
    const bool done = turn(&r, c, w, strength, plain, delta);
    g_free(r.q);
    return done ||
           error_failed(error, "%s: %s cannot be turned into a rotation; the file is damaged.",
                        adapter_path(a), t->name);
}
