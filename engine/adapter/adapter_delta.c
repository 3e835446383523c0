/* An adapter's change of one weight; see adapter_delta.h. Factors are read when they are needed and
 * given back: no adapter is in memory as a whole. */
#include "engine/adapter/adapter_delta.h"

#include "engine/adapter/adapter_rotation.h"
#include "engine/adapter/adapter_shape.h"
#include "engine/base/error.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* out [m, n] = scale * A B; A is [k, m] when it is turned */
static void multiply(bool turned, int m, int n, int k, double scale, const float *a, const float *b,
                     float *out)
{
    cblas_sgemm(CblasRowMajor, turned ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n, k,
                (float)scale, a, turned ? m : k, b, n, 0, out, n);
}

/* out [out, in, area] = scale * sum over i, j of a[out, i] t[i, j, area] b[j, in], a Tucker form of a kernel of
 * `area` places: first each slice of t by b, then all by a, which is [out, i] when it stands upright (LoRA's up), else
 * [i, out] (LyCORIS' w_a). */
static bool tucker(const struct adapter *x, const struct safetensors_tensor *ta, bool upright,
                   const struct safetensors_tensor *tt, const struct safetensors_tensor *tb,
                   double scale, float *out, GError **error)
{
    const int i = (int)tt->shape[0], j = (int)tt->shape[1], area = (int)(tt->values / i / j);
    const int in = (int)adapter_shape_columns(tb), rows = (int)(ta->values / i);
    g_autofree float *a = adapter_read(x, ta, error),
                     *b = a != NULL ? adapter_read(x, tb, error) : NULL;
    g_autofree float *t = b != NULL ? adapter_read(x, tt, error) : NULL;
    // [i, in, area]: in PyTorch's order of a kernel, so that what comes out of the product is, too
    g_autofree float *inner = t != NULL ? g_try_new(float, (size_t)i *in *area) : NULL;

    if (inner == NULL) {
        return t == NULL || error_failed(error,
                                         "%s: there is no memory for %s; close other "
                                         "programs.",
                                         adapter_path(x), tt->name);
    }
    for (int k = 0; k < i; k++) {
        // b^T [in, j] by the slice [j, area]
        multiply(true, in, area, j, 1, b, t + (size_t)k * j * area, inner + (size_t)k * in * area);
    }
    multiply(!upright, rows, in * area, i, scale, a, inner, out);
    return true;
}

/* out [rows, columns] = scale * a b, with t between them where there is one. */
static bool product(const struct adapter *x, const struct safetensors_tensor *ta, bool upright,
                    const struct safetensors_tensor *tt, const struct safetensors_tensor *tb,
                    double scale, float *out, GError **error)
{
    if (tt != NULL) {
        return tucker(x, ta, upright, tt, tb, scale, out, error);
    }
    // a [rows, rank], b [rank, columns]; of a kernel b's columns are all of [in, kh, kw] at once
    const int rank = (int)adapter_shape_rows(tb);
    g_autofree float *a = adapter_read(x, ta, error),
                     *b = a != NULL ? adapter_read(x, tb, error) : NULL;

    if (b == NULL) {
        return false;
    }
    multiply(false, (int)adapter_shape_rows(ta), (int)adapter_shape_columns(tb), rank, scale, a, b,
             out);
    return true;
}

// delta [n] = scale * (w1_a w1_b) o (w2_a w2_b): both products are as large as the weight
static bool add_loha(const struct adapter *a, const struct adapter_change *c, double scale,
                     int64_t n, float *delta, GError **error)
{
    const struct safetensors_tensor *const *p = c->parts;
    g_autofree float *second = g_new(float, n);

    if (!product(a, p[ADAPTER_HADA_W1_A], false, p[ADAPTER_HADA_T1], p[ADAPTER_HADA_W1_B], scale,
                 delta, error) ||
        !product(a, p[ADAPTER_HADA_W2_A], false, p[ADAPTER_HADA_T2], p[ADAPTER_HADA_W2_B], 1,
                 second, error)) {
        return false;
    }
    // the scale is in one of them alone
    for (int64_t i = 0; i < n; i++) {
        delta[i] *= second[i];
    }
    return true;
}

// a factor of a Kronecker product, whole or a product itself
struct factor {
    float *values;         // [rows, columns], owned
    int64_t rows, columns; // columns: of a kernel all of its values
};

static bool read_factor(const struct adapter *a, const struct safetensors_tensor *whole,
                        const struct safetensors_tensor *left,
                        const struct safetensors_tensor *middle,
                        const struct safetensors_tensor *right, struct factor *f, GError **error)
{
    if (whole != NULL) {
        *f = (struct factor){adapter_read(a, whole, error), adapter_shape_rows(whole),
                             adapter_shape_columns(whole)};
        return f->values != NULL;
    }
    /* a product of left [rows, r] and right [r, columns]; with a middle [r, r, kh, kw] LyCORIS has left lying,
     * [r, rows], and right of single places, [r, columns] */
    const int64_t area =
        middle != NULL ? middle->values / (middle->shape[0] * middle->shape[1]) : 1;
    *f = (struct factor){NULL,
                         middle != NULL ? adapter_shape_columns(left) : adapter_shape_rows(left),
                         adapter_shape_columns(right) * area};
    f->values = g_new(float, f->rows * f->columns);
    return product(a, left, false, middle, right, 1, f->values, error);
}

/* delta[(p c + i), (q d + j)] = scale w1[p, q] w2[i, j] of w1 [a, b] and w2 [c, d], so that the weight is [a c, b d].
 * Of a kernel w2 is [c, d, kh, kw] and w1 still [a, b]: j counts the places, too, which lie innermost in both. */
static void kronecker(const struct factor *w1, const struct factor *w2, double scale, float *delta)
{
    const int64_t columns = w1->columns * w2->columns;

    for (int64_t p = 0; p < w1->rows; p++) {
        for (int64_t i = 0; i < w2->rows; i++) {
            float *row = delta + (p * w2->rows + i) * columns;
            for (int64_t q = 0; q < w1->columns; q++) {
                const float by = (float)(scale * w1->values[p * w1->columns + q]);
                for (int64_t j = 0; j < w2->columns; j++) {
                    row[q * w2->columns + j] = by * w2->values[i * w2->columns + j];
                }
            }
        }
    }
}

static bool add_lokr(const struct adapter *a, const struct adapter_change *c, double scale,
                     float *delta, GError **error)
{
    const struct safetensors_tensor *const *p = c->parts;
    // w1 never has a middle: the places of a kernel are w2's
    struct factor w1 = {0}, w2 = {0};
    const bool done = read_factor(a, p[ADAPTER_LOKR_W1], p[ADAPTER_LOKR_W1_A], NULL,
                                  p[ADAPTER_LOKR_W1_B], &w1, error) &&
                      read_factor(a, p[ADAPTER_LOKR_W2], p[ADAPTER_LOKR_W2_A], p[ADAPTER_LOKR_T2],
                                  p[ADAPTER_LOKR_W2_B], &w2, error);

    if (done) {
        kronecker(&w1, &w2, scale, delta);
    }
    g_free(w1.values);
    g_free(w2.values);
    return done;
}

/* ---- DoRA ---- */

/* V = W + delta [out, in, area], whose parts get lengths of their own: PEFT's and today's LyCORIS' each row, over
 * in and area, older LyCORIS' each input channel, over out and area. */
struct lengths {
    bool rows;
    int out, in, area;
};

// squares of them, [out] or [in]
static void measure_lengths(const struct lengths *l, const float *plain, const float *delta,
                            double *square)
{
    int64_t at = 0;

    for (int o = 0; o < l->out; o++) {
        for (int i = 0; i < l->in; i++) {
            double sum = 0;
            // both kinds end at a whole kernel: in one pass over memory as it lies
            for (int k = 0; k < l->area; k++, at++) {
                const double v = (double)plain[at] + delta[at];
                sum += v * v;
            }
            square[l->rows ? o : i] += sum;
        }
    }
}

// by [out] or [in]: what V is multiplied by
static void stretch(const struct lengths *l, double strength, const double *by, const float *plain,
                    float *delta)
{
    int64_t at = 0;

    for (int o = 0; o < l->out; o++) {
        for (int i = 0; i < l->in; i++) {
            const double factor = by[l->rows ? o : i];
            for (int k = 0; k < l->area; k++, at++) {
                const double v = (double)plain[at] + delta[at];
                delta[at] = (float)(strength * (factor * v - plain[at]));
            }
        }
    }
}

// delta = strength * (m * V / |V| - W)
static bool decompose(const struct adapter *a, const struct adapter_change *c,
                      const struct weight *w, double strength, const float *plain, float *delta,
                      GError **error)
{
    const struct safetensors_tensor *t = c->parts[ADAPTER_MAGNITUDE];
    // dora_scale is [out, 1 ...] of rows and [1, in ...] of columns: its first side tells, as its readers look at it
    const bool rows = t != NULL || adapter_shape_rows(c->parts[ADAPTER_DORA]) == w->out;
    const struct lengths l = {rows, w->out, w->in, w->kh * w->kw};
    const int n = rows ? w->out : w->in;
    t = t != NULL ? t : c->parts[ADAPTER_DORA];
    g_autofree float *m = adapter_read(a, t, error);
    g_autofree double *by = g_new0(double, n);

    if (m == NULL) {
        return false;
    }
    if (t->values != n) {
        return error_failed(error, "%s: %s has %d values, %d are needed.", adapter_path(a), t->name,
                            (int)t->values, n);
    }
    measure_lengths(&l, plain, delta, by);
    for (int i = 0; i < n; i++) {
        // LyCORIS adds its epsilon, too: a part that is all zeros stays zeros
        by[i] = m[i] / (sqrt(by[i]) + FLT_EPSILON);
    }
    stretch(&l, strength, by, plain, delta);
    return true;
}

/* ---- all of it ---- */

// t NULL: nothing; what is added is as the weight or bias is shaped, in the same order
static bool add_diff(const struct adapter *a, const struct safetensors_tensor *t, double strength,
                     float *delta, GError **error)
{
    g_autofree float *values = t != NULL ? adapter_read(a, t, error) : NULL;

    if (t == NULL || values == NULL) {
        return t == NULL;
    }
    for (int64_t i = 0; i < t->values; i++) {
        delta[i] += (float)(strength * values[i]);
    }
    return true;
}

// what leads to another weight; t NULL: nothing does
static bool add_whole(const struct adapter *a, const struct safetensors_tensor *t, double strength,
                      const float *plain, float *delta, GError **error)
{
    g_autofree float *values = t != NULL ? adapter_read(a, t, error) : NULL;

    if (t == NULL || values == NULL) {
        return t == NULL;
    }
    for (int64_t i = 0; i < t->values; i++) {
        delta[i] += (float)(strength * ((double)values[i] - plain[i]));
    }
    return true;
}

static bool add_factors(const struct adapter *a, const struct adapter_change *c,
                        const struct weight *w, double strength, const float *plain, float *delta,
                        GError **error)
{
    const struct safetensors_tensor *const *p = c->parts;
    const double scale = strength * c->scale;

    switch (c->kind) {
    case ADAPTER_LORA:
        return product(a, p[ADAPTER_UP], true, p[ADAPTER_MID], p[ADAPTER_DOWN], scale, delta,
                       error);
    case ADAPTER_LOHA:
        return add_loha(a, c, scale, weight_count(w), delta, error);
    case ADAPTER_LOKR:
        return add_lokr(a, c, scale, delta, error);
    case ADAPTER_ROTATION:
        return adapter_rotation(a, c, w, strength, plain, delta, error);
    case ADAPTER_FULL:
        break;
    }
    return true;
}

bool adapter_delta(const struct adapter *a, const struct adapter_change *c,
                   const struct model_tensor *t, double strength, const float *plain, float *delta,
                   GError **error)
{
    const struct safetensors_tensor *const *p = c->parts;
    const struct weight w = model_tensor_weight(c->module->weight);
    const bool decomposed = p[ADAPTER_DORA] != NULL || p[ADAPTER_MAGNITUDE] != NULL;

    // what a file does not change stays: a change may have a bias alone
    memset(delta, 0, (size_t)model_tensor_values(t) * sizeof *delta);
    if (t == c->module->bias) {
        return add_diff(a, p[ADAPTER_DIFF_BIAS], strength, delta, error) &&
               add_diff(a, p[ADAPTER_BIAS], strength * c->scale, delta, error);
    }
    // the lengths are of the whole change; its strength comes after them
    return add_factors(a, c, &w, decomposed ? 1 : strength, plain, delta, error) &&
           (!decomposed || decompose(a, c, &w, strength, plain, delta, error)) &&
           add_diff(a, p[ADAPTER_DIFF], strength, delta, error) &&
           add_whole(a, p[ADAPTER_WHOLE], strength, plain, delta, error);
}
