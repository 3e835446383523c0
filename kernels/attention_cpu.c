/* attention_cpu.c: softmax attention by blocks of queries.
 *   forward   per block of queries and head: S = scale Q K^T, P = exp(S - max), Y = P V / sum
 *   backward  per head, block by block: P = exp(S - lse), dS = scale P (dY V^T - rowsum(dY Y)),
 *             dQ += dS K, dK += dS^T Q, dV += P^T dY
 *
 * A block's scores lie in the thread's part of the workspace; all probabilities never exist at
 * once. Forward: a thread takes any block. Backward: a thread owns a head of a picture, so that the
 * sums over its queries always run in the same order. Small products are oneDNN's, which stay on
 * the calling thread inside a parallel region. Causal: query i sees keys 0 .. i. */
#include "kernels/attention_cpu.h"
#include "kernels/clones.h"
#include "kernels/cpu.h"
#include "kernels/functions_cpu.h"

#include <math.h>
#include <omp.h>

struct block {
    int n, head, first, queries;
    int keys; // that any of the queries sees
};

static int64_t query_at(struct attention_shape s, const struct block *b)
{
    return ((int64_t)b->n * s.tq + b->first) * row_of(s) + (int64_t)b->head * s.d;
}

static int64_t key_at(struct attention_shape s, const struct block *b)
{
    return (int64_t)b->n * s.tk * row_of(s) + (int64_t)b->head * s.d;
}

static int64_t lse_at(struct attention_shape s, const struct block *b)
{
    return ((int64_t)b->n * s.heads + b->head) * s.tq + b->first;
}

/* Queries of a block whose `arrays` score matrices fit into a thread's part of the workspace. */
static int block_queries(const kernels *k, struct attention_shape s, int arrays)
{
    const size_t part = CPU_WORKSPACE / (size_t)k->threads / sizeof(float);
    const size_t fit = part / ((size_t)s.tk * (size_t)arrays);

    return (int)MAX((size_t)1, MIN(fit, (size_t)QUERIES));
}

static bool fits(const kernels *k, struct attention_shape s, int arrays)
{
    return (size_t)s.tk * (size_t)arrays * sizeof(float) <= CPU_WORKSPACE / (size_t)k->threads;
}

static float *thread_part(const kernels *k, int thread)
{
    const size_t part = CPU_WORKSPACE / (size_t)k->threads / 64 * 64;

    return (float *)((char *)cpu_device(k)->workspace + part * (size_t)thread);
}

static struct block make_block(struct attention_shape s, int n, int head, int first, int queries)
{
    struct block b = {.n = n, .head = head, .first = first};

    b.queries = MIN(queries, s.tq - first);
    b.keys = s.causal ? MIN(s.tk, first + b.queries) : s.tk;
    return b;
}

// scores [queries, keys] = scale Q K^T
static void scores(struct attention_shape s, const struct block *b, const float *q,
                   const float *key, float *out)
{
    const struct onednn_product p = {.transpose_b = true,
                                     .m = b->queries,
                                     .n = b->keys,
                                     .k = s.d,
                                     .lda = row_of(s),
                                     .ldb = row_of(s),
                                     .ldc = b->keys,
                                     .alpha = s.scale};

    onednn_product(p, q + query_at(s, b), key + key_at(s, b), out);
}

static int keys_seen(struct attention_shape s, const struct block *b, int query)
{
    return s.causal ? MIN(b->keys, b->first + query + 1) : b->keys;
}

/* Row [keys] of scores to exp(x - shift), zeros where nothing is seen; returns their sum. */
CPU_CLONES
static float exponentials(float *row, int seen, int keys, float shift)
{
    float sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int j = 0; j < seen; j++) {
        row[j] = exp_cpu(row[j] - shift);
        sum += row[j];
    }
    for (int j = seen; j < keys; j++) {
        row[j] = 0;
    }
    return sum;
}

CPU_CLONES
static float largest(const float *row, int seen)
{
    float most = row[0];

#pragma omp simd reduction(max : most)
    for (int j = 0; j < seen; j++) {
        most = most > row[j] ? most : row[j];
    }
    return most;
}

// y rows are divided by their sums
static void normalise(struct attention_shape s, const struct block *b, const float *sums, float *y)
{
    for (int i = 0; i < b->queries; i++) {
        float *row = y + query_at(s, b) + i * row_of(s);
        const float inverse = 1 / sums[i];
        for (int c = 0; c < s.d; c++) {
            row[c] *= inverse;
        }
    }
}

static void forward_block(struct attention_shape s, const struct block *b, const float *q,
                          const float *key, const float *v, float *y, float *lse, float *p)
{
    const struct onednn_product values = {.m = b->queries,
                                          .n = s.d,
                                          .k = b->keys,
                                          .lda = b->keys,
                                          .ldb = row_of(s),
                                          .ldc = row_of(s),
                                          .alpha = 1};
    float sums[QUERIES];

    scores(s, b, q, key, p);
    for (int i = 0; i < b->queries; i++) {
        const int seen = keys_seen(s, b, i);
        float *row = p + (int64_t)i * b->keys;
        const float most = largest(row, seen);
        sums[i] = exponentials(row, seen, b->keys, most);
        if (lse != NULL) {
            lse[lse_at(s, b) + i] = most + logf(sums[i]);
        }
    }
    onednn_product(values, p, v + key_at(s, b), y + query_at(s, b));
    normalise(s, b, sums, y);
}

static void attention_forward(const kernels *k, struct attention_shape s, const float *q,
                              const float *key, const float *v, float *y, float *lse)
{
    if (attention_bf16_forward(k, s, q, key, v, y, lse)) {
        return;
    }
    if (s.tk == 0 || !fits(k, s, 1)) {
        cpu_device(k)->reference.attention_forward(k, s, q, key, v, y, lse);
        return;
    }
    const int queries = block_queries(k, s, 1);
    const int blocks = (s.tq + queries - 1) / queries, tasks = s.n * s.heads * blocks;
    const int64_t work = (int64_t)s.n * s.heads * s.tq * s.tk;

#pragma omp parallel for num_threads(cpu_threads(k, work)) schedule(static)
    for (int task = 0; task < tasks; task++) {
        const int pair = task / blocks;
        const struct block b =
            make_block(s, pair / s.heads, pair % s.heads, task % blocks * queries, queries);
        forward_block(s, &b, q, key, v, y, lse, thread_part(k, omp_get_thread_num()));
    }
}

/* ---- backward ---- */

// row i of P and dP to dS, in the place of dP: scale P (dP - D), D = dy y
CPU_CLONES
static void row_backward(const float *p, float *dp, int keys, float d, float scale)
{
    for (int j = 0; j < keys; j++) {
        dp[j] = scale * p[j] * (dp[j] - d);
    }
}

static void block_backward(struct attention_shape s, const struct block *b,
                           const struct attention_gradients *a, float *p, float *ds)
{
    const int64_t row = row_of(s), at = query_at(s, b), key = key_at(s, b);
    const struct onednn_product with_values = {.transpose_b = true,
                                               .m = b->queries,
                                               .n = b->keys,
                                               .k = s.d,
                                               .lda = row,
                                               .ldb = row,
                                               .ldc = b->keys,
                                               .alpha = 1};
    const struct onednn_product to_queries = {.m = b->queries,
                                              .n = s.d,
                                              .k = b->keys,
                                              .lda = b->keys,
                                              .ldb = row,
                                              .ldc = row,
                                              .alpha = 1,
                                              .accumulate = true};
    const struct onednn_product to_keys = {.transpose_a = true,
                                           .m = b->keys,
                                           .n = s.d,
                                           .k = b->queries,
                                           .lda = b->keys,
                                           .ldb = row,
                                           .ldc = row,
                                           .alpha = 1,
                                           .accumulate = true};

    scores(s, b, a->q, a->key, p);
    onednn_product(with_values, a->dy + at, a->v + key, ds);
    for (int i = 0; i < b->queries; i++) {
        const int64_t i_at = at + i * row;
        exponentials(p + (int64_t)i * b->keys, keys_seen(s, b, i), b->keys,
                     a->lse[lse_at(s, b) + i]);
        row_backward(p + (int64_t)i * b->keys, ds + (int64_t)i * b->keys, b->keys,
                     dot(a->dy + i_at, a->y + i_at, s.d), s.scale);
    }
    onednn_product(to_queries, ds, a->key + key, a->dq + at);
    onednn_product(to_keys, ds, a->q + at, a->dkey + key);
    onednn_product(to_keys, p, a->dy + at, a->dv + key);
}

static void attention_backward(const kernels *k, struct attention_shape s, const float *q,
                               const float *key, const float *v, const float *y, const float *lse,
                               const float *dy, float *dq, float *dkey, float *dv)
{
    const struct attention_gradients a = {q, key, v, y, lse, dy, dq, dkey, dv};

    if (attention_bf16_backward(k, s, &a)) {
        return;
    }
    if (s.tk == 0 || !fits(k, s, 2)) {
        cpu_device(k)->reference.attention_backward(k, s, q, key, v, y, lse, dy, dq, dkey, dv);
        return;
    }
    const int queries = block_queries(k, s, 2);
    const int64_t work = (int64_t)s.n * s.heads * s.tq * s.tk;

#pragma omp parallel for num_threads(cpu_threads(k, work)) schedule(static)
    for (int pair = 0; pair < s.n * s.heads; pair++) {
        float *p = thread_part(k, omp_get_thread_num());
        float *ds = p + (int64_t)queries * s.tk;
        for (int first = 0; first < s.tq; first += queries) {
            const struct block b = make_block(s, pair / s.heads, pair % s.heads, first, queries);
            block_backward(s, &b, &a, p, ds);
        }
    }
}

void cpu_fill_attention(kernels *k)
{
    k->attention_forward = attention_forward;
    k->attention_backward = attention_backward;
}
