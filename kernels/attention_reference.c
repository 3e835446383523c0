/* attention_reference.c: softmax attention per picture and head.
 *   forward   s_ij = scale q_i k_j,  lse_i = log sum_j exp(s_ij),  p_ij = exp(s_ij - lse_i)
 *             y_i = sum_j p_ij v_j
 *   backward  D_i = dy_i y_i,  ds_ij = p_ij (dy_i v_j - D_i)
 *             dq_i += scale sum_j ds_ij k_j      dk_j += scale sum_i ds_ij q_i
 *             dv_j += sum_i p_ij dy_i
 * Rows of a head are heads * d values apart. Causal: i sees j <= i. Probabilities are computed
 * again wherever they are needed; sums of up to BLOCK channels are kept at a time. */
#include "kernels/cell.h"
#include "kernels/reference.h"

#include <math.h>

#define BLOCK 64

// one head of one picture: its first value in [n, tq, ...] and [n, tk, ...], and its first row's
// lse
struct head {
    int64_t q, k, lse;
};

static struct head head_at(struct attention_shape s, int n, int head)
{
    return (struct head){
        .q = ((int64_t)n * s.tq * s.heads + head) * s.d,
        .k = ((int64_t)n * s.tk * s.heads + head) * s.d,
        .lse = ((int64_t)n * s.heads + head) * s.tq,
    };
}

// number of keys that query i sees, and the first query that sees key j
static int keys_seen(struct attention_shape s, int i)
{
    return s.causal && i + 1 < s.tk ? i + 1 : s.tk;
}

static int first_query(struct attention_shape s, int j)
{
    return s.causal ? j : 0;
}

// values of a dot product: rows of cells that begin at a and b
static double dot(enum kernels_type type, int d, const cell *x, int64_t a, const cell *y, int64_t b)
{
    double sum = 0;

    for (int c = 0; c < d; c++) {
        sum += (double)cell_get(type, x, a + c) * (double)cell_get(type, y, b + c);
    }
    return sum;
}

struct arrays {
    enum kernels_type type;
    const cell *q, *key, *v, *y, *dy;
    const real *lse;
};

// scale q_i k_j, of the rows that begin there
static double score(struct attention_shape s, const struct arrays *a, int64_t q, int64_t key)
{
    return s.scale * dot(a->type, s.d, a->q, q, a->key, key);
}

// log of the sum of exponentials over the keys that query i sees
static double log_sum(struct attention_shape s, const struct arrays *a, struct head head, int i)
{
    const int64_t row = (int64_t)s.heads * s.d, at = head.q + i * row;
    double maximum = -INFINITY, sum = 0;

    for (int j = 0; j < keys_seen(s, i); j++) {
        maximum = fmax(maximum, score(s, a, at, head.k + j * row));
    }
    for (int j = 0; j < keys_seen(s, i); j++) {
        sum += exp(score(s, a, at, head.k + j * row) - maximum);
    }
    return maximum + log(sum);
}

// channels from .. from + count of y_i
static void average_values(struct attention_shape s, const struct arrays *a, struct head head,
                           int i, double lse, int from, int count, cell *y)
{
    const int64_t row = (int64_t)s.heads * s.d, at = head.q + i * row;
    double sum[BLOCK] = {0};

    for (int j = 0; j < keys_seen(s, i); j++) {
        const int64_t other = head.k + j * row;
        const double p = exp(score(s, a, at, other) - lse);

        for (int c = 0; c < count; c++) {
            sum[c] += p * cell_get(a->type, a->v, other + from + c);
        }
    }
    for (int c = 0; c < count; c++) {
        cell_set(a->type, y, at + from + c, (real)sum[c]);
    }
}

static void attention_forward(const kernels *k, struct attention_shape s, const cell *q,
                              const cell *key, const cell *v, cell *y, real *lse)
{
    const struct arrays a = {.type = k->activation, .q = q, .key = key, .v = v};

    for (int p = 0; p < s.n * s.heads; p++) {
        const struct head head = head_at(s, p / s.heads, p % s.heads);

        for (int i = 0; i < s.tq; i++) {
            const double sum = log_sum(s, &a, head, i);

            for (int from = 0; from < s.d; from += BLOCK) {
                average_values(s, &a, head, i, sum, from, MIN(BLOCK, s.d - from), y);
            }
            if (lse) {
                lse[head.lse + i] = (real)sum;
            }
        }
    }
}

// p and ds of the formula for a pair (i, j), from where its rows begin
static void pair(struct attention_shape s, const struct arrays *a, int64_t q, int64_t key,
                 double lse, double *p, double *ds)
{
    *p = exp(score(s, a, q, key) - lse);
    *ds = *p * (dot(a->type, s.d, a->dy, q, a->v, key) - dot(a->type, s.d, a->dy, q, a->y, q));
}

// channels from .. from + count of dq_i
static void query_backward(struct attention_shape s, struct head head, const struct arrays *a,
                           int i, int from, int count, cell *dq)
{
    const int64_t row = (int64_t)s.heads * s.d, at = head.q + i * row;
    double sum[BLOCK] = {0}, p, ds;

    for (int j = 0; j < keys_seen(s, i); j++) {
        const int64_t other = head.k + j * row;

        pair(s, a, at, other, a->lse[head.lse + i], &p, &ds);
        for (int c = 0; c < count; c++) {
            sum[c] += ds * cell_get(a->type, a->key, other + from + c);
        }
    }
    for (int c = 0; c < count; c++) {
        cell_add(a->type, dq, at + from + c, (real)(s.scale * sum[c]));
    }
}

// channels from .. from + count of dk_j and dv_j
static void key_backward(struct attention_shape s, struct head head, const struct arrays *a, int j,
                         int from, int count, cell *dkey, cell *dv)
{
    const int64_t row = (int64_t)s.heads * s.d, at = head.k + j * row;
    double key_sum[BLOCK] = {0}, v_sum[BLOCK] = {0}, p, ds;

    for (int i = first_query(s, j); i < s.tq; i++) {
        const int64_t other = head.q + i * row;

        pair(s, a, other, at, a->lse[head.lse + i], &p, &ds);
        for (int c = 0; c < count; c++) {
            key_sum[c] += ds * cell_get(a->type, a->q, other + from + c);
            v_sum[c] += p * cell_get(a->type, a->dy, other + from + c);
        }
    }
    for (int c = 0; c < count; c++) {
        cell_add(a->type, dkey, at + from + c, (real)(s.scale * key_sum[c]));
        cell_add(a->type, dv, at + from + c, (real)v_sum[c]);
    }
}

static void attention_backward(const kernels *k, struct attention_shape s, const cell *q,
                               const cell *key, const cell *v, const cell *y, const real *lse,
                               const cell *dy, cell *dq, cell *dkey, cell *dv)
{
    const struct arrays a = {k->activation, q, key, v, y, dy, lse};

    for (int p = 0; p < s.n * s.heads; p++) {
        const struct head head = head_at(s, p / s.heads, p % s.heads);

        for (int from = 0; from < s.d; from += BLOCK) {
            const int count = MIN(BLOCK, s.d - from);

            for (int i = 0; i < s.tq; i++) {
                query_backward(s, head, &a, i, from, count, dq);
            }
            for (int j = 0; j < s.tk; j++) {
                key_backward(s, head, &a, j, from, count, dkey, dv);
            }
        }
    }
}

void reference_fill_attention(kernels *k)
{
    k->attention_forward = attention_forward;
    k->attention_backward = attention_backward;
}
