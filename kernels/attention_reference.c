/* attention_reference.c: softmax attention per picture and head.
 *   forward   s_ij = scale q_i k_j,  lse_i = log sum_j exp(s_ij),  p_ij = exp(s_ij - lse_i)
 *             y_i = sum_j p_ij v_j
 *   backward  D_i = dy_i y_i,  ds_ij = p_ij (dy_i v_j - D_i)
 *             dq_i += scale sum_j ds_ij k_j      dk_j += scale sum_i ds_ij q_i
 *             dv_j += sum_i p_ij dy_i
 * Rows of a head are heads * d values apart. Causal: i sees j <= i. Probabilities are computed
 * again wherever they are needed; sums of up to BLOCK channels are kept at a time. */
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

static double dot(int d, const real *a, const real *b)
{
    double sum = 0;

    for (int c = 0; c < d; c++) {
        sum += (double)a[c] * (double)b[c];
    }
    return sum;
}

// log of the sum of exponentials over the keys that query i sees
static double log_sum(struct attention_shape s, int i, const real *q, const real *key)
{
    const int64_t row = (int64_t)s.heads * s.d;
    double maximum = -INFINITY, sum = 0;

    for (int j = 0; j < keys_seen(s, i); j++) {
        maximum = fmax(maximum, s.scale * dot(s.d, q, key + j * row));
    }
    for (int j = 0; j < keys_seen(s, i); j++) {
        sum += exp(s.scale * dot(s.d, q, key + j * row) - maximum);
    }
    return maximum + log(sum);
}

// channels from .. from + count of y_i
static void average_values(struct attention_shape s, int i, double lse, const real *q,
                           const real *key, const real *v, int from, int count, real *y)
{
    const int64_t row = (int64_t)s.heads * s.d;
    double sum[BLOCK] = {0};

    for (int j = 0; j < keys_seen(s, i); j++) {
        const double p = exp(s.scale * dot(s.d, q, key + j * row) - lse);

        for (int c = 0; c < count; c++) {
            sum[c] += p * v[j * row + from + c];
        }
    }
    for (int c = 0; c < count; c++) {
        y[from + c] = (real)sum[c];
    }
}

static void attention_forward(const kernels *k, struct attention_shape s, const real *q,
                              const real *key, const real *v, real *y, real *lse)
{
    const int64_t row = (int64_t)s.heads * s.d;

    for (int p = 0; p < s.n * s.heads; p++) {
        const struct head head = head_at(s, p / s.heads, p % s.heads);

        for (int i = 0; i < s.tq; i++) {
            const int64_t at = head.q + i * row;
            const double sum = log_sum(s, i, q + at, key + head.k);

            for (int from = 0; from < s.d; from += BLOCK) {
                average_values(s, i, sum, q + at, key + head.k, v + head.k, from,
                               MIN(BLOCK, s.d - from), y + at);
            }
            if (lse) {
                lse[head.lse + i] = (real)sum;
            }
        }
    }
}

// everything a pair (i, j) needs, from the first values of its rows; p and ds of the formula
static void pair(struct attention_shape s, const real *q, const real *key, const real *v,
                 const real *y, const real *dy, double lse, double *p, double *ds)
{
    *p = exp(s.scale * dot(s.d, q, key) - lse);
    *ds = *p * (dot(s.d, dy, v) - dot(s.d, dy, y));
}

struct arrays {
    const real *q, *key, *v, *y, *lse, *dy;
};

// channels from .. from + count of dq_i
static void query_backward(struct attention_shape s, struct head head, struct arrays a, int i,
                           int from, int count, real *dq)
{
    const int64_t row = (int64_t)s.heads * s.d, at = head.q + i * row;
    double sum[BLOCK] = {0}, p, ds;

    for (int j = 0; j < keys_seen(s, i); j++) {
        const int64_t other = head.k + j * row;

        pair(s, a.q + at, a.key + other, a.v + other, a.y + at, a.dy + at, a.lse[head.lse + i], &p,
             &ds);
        for (int c = 0; c < count; c++) {
            sum[c] += ds * a.key[other + from + c];
        }
    }
    for (int c = 0; c < count; c++) {
        dq[at + from + c] += (real)(s.scale * sum[c]);
    }
}

// channels from .. from + count of dk_j and dv_j
static void key_backward(struct attention_shape s, struct head head, struct arrays a, int j,
                         int from, int count, real *dkey, real *dv)
{
    const int64_t row = (int64_t)s.heads * s.d, at = head.k + j * row;
    double key_sum[BLOCK] = {0}, v_sum[BLOCK] = {0}, p, ds;

    for (int i = first_query(s, j); i < s.tq; i++) {
        const int64_t other = head.q + i * row;

        pair(s, a.q + other, a.key + at, a.v + at, a.y + other, a.dy + other, a.lse[head.lse + i],
             &p, &ds);
        for (int c = 0; c < count; c++) {
            key_sum[c] += ds * a.q[other + from + c];
            v_sum[c] += p * a.dy[other + from + c];
        }
    }
    for (int c = 0; c < count; c++) {
        dkey[at + from + c] += (real)(s.scale * key_sum[c]);
        dv[at + from + c] += (real)v_sum[c];
    }
}

static void attention_backward(const kernels *k, struct attention_shape s, const real *q,
                               const real *key, const real *v, const real *y, const real *lse,
                               const real *dy, real *dq, real *dkey, real *dv)
{
    const struct arrays a = {q, key, v, y, lse, dy};

    for (int p = 0; p < s.n * s.heads; p++) {
        const struct head head = head_at(s, p / s.heads, p % s.heads);

        for (int from = 0; from < s.d; from += BLOCK) {
            const int count = MIN(BLOCK, s.d - from);

            for (int i = 0; i < s.tq; i++) {
                query_backward(s, head, a, i, from, count, dq);
            }
            for (int j = 0; j < s.tk; j++) {
                key_backward(s, head, a, j, from, count, dkey, dv);
            }
        }
    }
}

void reference_fill_attention(kernels *k)
{
    k->attention_forward = attention_forward;
    k->attention_backward = attention_backward;
}
