/* attention_cpu.c: softmax attention by blocks of queries.
 *   forward   per block of queries and head: S = scale Q K^T, P = exp(S - max), Y = P V / sum
 *   backward  per head, block by block: P = exp(S - lse), dS = scale P (dY V^T - rowsum(dY Y)),
 *             dQ += dS K, dK += dS^T Q, dV += P^T dY
 *
 * A block's scores lie in the thread's part of the workspace; all probabilities never exist at
 * once. Forward: a thread takes any block. Backward: a thread owns a head of a picture, so that the
 * sums over its queries always run in the same order. Small products are oneDNN's, which stay on
 * the calling thread inside a parallel region. Causal: query i sees keys 0 .. i.
 *
 * That is done of floats where attention_blocks_cpu.c, which is faster, is not possible, and backward.
 * Of bfloat16, what that and attention_bf16_back_cpu.c do not do goes the same way a picture at a
 * time, as floats in the workspace. */
#include "kernels/attention_blocks_cpu.h"
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

/* Queries of a block whose `arrays` score matrices fit into a thread's part of the room. */
static int block_queries(const kernels *k, struct attention_shape s, int arrays,
                         struct onednn_room room)
{
    const size_t part = room.bytes / (size_t)k->threads / sizeof(float);
    const size_t fit = part / ((size_t)s.tk * (size_t)arrays);

    return (int)MAX((size_t)1, MIN(fit, (size_t)QUERIES));
}

static bool fits(const kernels *k, struct attention_shape s, int arrays, struct onednn_room room)
{
    return (size_t)s.tk * (size_t)arrays * sizeof(float) <= room.bytes / (size_t)k->threads;
}

static float *thread_part(const kernels *k, struct onednn_room room, int thread)
{
    const size_t part = room.bytes / (size_t)k->threads / 64 * 64;

    return (float *)((char *)room.memory + part * (size_t)thread);
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

// false where the keys of a block do not fit into the room
static bool float_forward(const kernels *k, struct attention_shape s, const float *q,
                          const float *key, const float *v, float *y, float *lse,
                          struct onednn_room room)
{
    const int64_t work = (int64_t)s.n * s.heads * s.tq * s.tk;

    if (s.tk == 0 || !fits(k, s, 1, room)) {
        return false;
    }
    const int queries = block_queries(k, s, 1, room);
    const int blocks = (s.tq + queries - 1) / queries, tasks = s.n * s.heads * blocks;

#pragma omp parallel for num_threads(cpu_threads(k, work)) schedule(static)
    for (int task = 0; task < tasks; task++) {
        const int pair = task / blocks;
        const struct block b =
            make_block(s, pair / s.heads, pair % s.heads, task % blocks * queries, queries);
        forward_block(s, &b, q, key, v, y, lse, thread_part(k, room, omp_get_thread_num()));
    }
    return true;
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

struct float_gradients {
    const float *q, *key, *v, *y, *lse, *dy;
    float *dq, *dkey, *dv;
};

static void block_backward(struct attention_shape s, const struct block *b,
                           const struct float_gradients *a, float *p, float *ds)
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
                     dot(KERNELS_F32, a->dy + i_at, a->y + i_at, s.d), s.scale);
    }
    onednn_product(to_queries, ds, a->key + key, a->dq + at);
    onednn_product(to_keys, ds, a->q + at, a->dkey + key);
    onednn_product(to_keys, p, a->dy + at, a->dv + key);
}

static bool float_backward(const kernels *k, struct attention_shape s,
                           const struct float_gradients *a, struct onednn_room room)
{
    const int64_t work = (int64_t)s.n * s.heads * s.tq * s.tk;

    if (s.tk == 0 || !fits(k, s, 2, room)) {
        return false;
    }
    const int queries = block_queries(k, s, 2, room);

#pragma omp parallel for num_threads(cpu_threads(k, work)) schedule(static)
    for (int pair = 0; pair < s.n * s.heads; pair++) {
        float *p = thread_part(k, room, omp_get_thread_num());
        float *ds = p + (int64_t)queries * s.tk;
        for (int first = 0; first < s.tq; first += queries) {
            const struct block b = make_block(s, pair / s.heads, pair % s.heads, first, queries);
            block_backward(s, &b, a, p, ds);
        }
    }
    return true;
}

/* ---- of bfloat16, a picture at a time ---- */

// cells first .. first + count as floats in the room; NULL where it is too small
static float *widen(const kernels *k, const cell *x, int64_t first, int64_t count,
                    struct onednn_room *room)
{
    float *wide = cpu_take(room, (size_t)count * sizeof *wide);

    if (wide) {
        k->convert(k, count, k->activation, kernels_at(k, x, first), KERNELS_F32, wide);
    }
    return wide;
}

static void narrow(const kernels *k, const float *wide, cell *x, int64_t first, int64_t count)
{
    k->convert(k, count, KERNELS_F32, wide, k->activation, kernels_at(k, x, first));
}

static bool widened_forward(const kernels *k, struct attention_shape one, const cell *q,
                            const cell *key, const cell *v, cell *y, float *lse, int64_t n)
{
    const int64_t queries = one.tq * row_of(one), keys = one.tk * row_of(one);
    struct onednn_room room = cpu_workspace(k);
    const float *wide_q = widen(k, q, n * queries, queries, &room);
    const float *wide_key = widen(k, key, n * keys, keys, &room);
    const float *wide_v = widen(k, v, n * keys, keys, &room);
    float *wide_y = cpu_take(&room, (size_t)queries * sizeof *wide_y);
    float *kept = lse ? lse + n * one.heads * one.tq : NULL;

    if (!wide_q || !wide_key || !wide_v || !wide_y ||
        !float_forward(k, one, wide_q, wide_key, wide_v, wide_y, kept, room)) {
        return false;
    }
    narrow(k, wide_y, y, n * queries, queries);
    return true;
}

static bool widened_backward(const kernels *k, struct attention_shape one,
                             const struct attention_gradients *a, int64_t n)
{
    const int64_t queries = one.tq * row_of(one), keys = one.tk * row_of(one);
    const int64_t q = n * queries, key = n * keys;
    struct onednn_room room = cpu_workspace(k);
    const struct float_gradients wide = {.q = widen(k, a->q, q, queries, &room),
                                         .key = widen(k, a->key, key, keys, &room),
                                         .v = widen(k, a->v, key, keys, &room),
                                         .y = widen(k, a->y, q, queries, &room),
                                         .lse = a->lse + n * one.heads * one.tq,
                                         .dy = widen(k, a->dy, q, queries, &room),
                                         .dq = widen(k, a->dq, q, queries, &room),
                                         .dkey = widen(k, a->dkey, key, keys, &room),
                                         .dv = widen(k, a->dv, key, keys, &room)};

    if (!wide.q || !wide.key || !wide.v || !wide.y || !wide.dy || !wide.dq || !wide.dkey ||
        !wide.dv || !float_backward(k, one, &wide, room)) {
        return false;
    }
    narrow(k, wide.dq, a->dq, q, queries);
    narrow(k, wide.dkey, a->dkey, key, keys);
    narrow(k, wide.dv, a->dv, key, keys);
    return true;
}

static struct attention_shape one_picture(struct attention_shape s)
{
    s.n = MIN(s.n, 1);
    return s;
}

/* ---- the entries ---- */

static bool forward(const kernels *k, struct attention_shape s, const cell *q, const cell *key,
                    const cell *v, cell *y, float *lse)
{
    const struct attention_values *values =
        k->activation == KERNELS_F32 ? &attention_f32 : &attention_bf16;
    bool done = attention_blocks_forward(k, values, s, q, key, v, y, lse);

    if (!done && k->activation == KERNELS_F32) {
        return float_forward(k, s, (const float *)q, (const float *)key, (const float *)v,
                             (float *)y, lse, cpu_workspace(k));
    }
    for (int n = 0; !done && n < s.n; n++) {
        if (!widened_forward(k, one_picture(s), q, key, v, y, lse, n)) {
            return false; // the first already
        }
    }
    return true;
}

static void attention_forward(const kernels *k, struct attention_shape s, const cell *q,
                              const cell *key, const cell *v, cell *y, real *lse)
{
    if (!forward(k, s, q, key, v, y, lse)) {
        cpu_device(k)->reference.attention_forward(k, s, q, key, v, y, lse);
    }
}

static bool backward(const kernels *k, struct attention_shape s,
                     const struct attention_gradients *a)
{
    if (k->activation == KERNELS_F32) {
        const struct float_gradients all = {.q = (const float *)a->q,
                                            .key = (const float *)a->key,
                                            .v = (const float *)a->v,
                                            .y = (const float *)a->y,
                                            .lse = a->lse,
                                            .dy = (const float *)a->dy,
                                            .dq = (float *)a->dq,
                                            .dkey = (float *)a->dkey,
                                            .dv = (float *)a->dv};
        return float_backward(k, s, &all, cpu_workspace(k));
    }
    bool done = attention_bf16_backward(k, s, a);
    for (int n = 0; !done && n < s.n; n++) {
        if (!widened_backward(k, one_picture(s), a, n)) {
            return false; // the first already
        }
    }
    return true;
}

static void attention_backward(const kernels *k, struct attention_shape s, const cell *q,
                               const cell *key, const cell *v, const cell *y, const real *lse,
                               const cell *dy, cell *dq, cell *dkey, cell *dv)
{
    const struct attention_gradients a = {q, key, v, y, lse, dy, dq, dkey, dv};

    if (!backward(k, s, &a)) {
        cpu_device(k)->reference.attention_backward(k, s, q, key, v, y, lse, dy, dq, dkey, dv);
    }
}

void cpu_fill_attention(kernels *k)
{
    k->attention_forward = attention_forward;
    k->attention_backward = attention_backward;
}
