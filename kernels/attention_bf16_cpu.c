/* attention_bf16_cpu.c: softmax attention with products in bfloat16, for CPUs with AVX-512's dot
 * products of it. The probabilities are never written as a whole (Dao et al. 2022, FlashAttention).
 *
 *   per block of 64 queries, over blocks of keys, everything transposed, a query a lane:
 *     S' [key, query] = K Q',  m = max(m, S'),  P' = 2^(S' - m),  l = l 2^(m_old - m) + sum P'
 *     Y' [d, query] = Y' 2^(m_old - m) + V' P'
 *   then y = Y / l and lse = m ln 2 + log l
 *
 * with S' and m scaled by scale / ln 2 in the exponents, which are powers of 2. With queries in lanes
 * no sum or maximum runs across lanes, and K is multiplied in the order in which it lies.
 *
 * Before, K [key, pairs of d] and V [pairs of keys, d] of a head of a picture are laid into the
 * workspace, for as many heads at a time as fit. Rounded are the probabilities and y; sums, maxima, l
 * and lse are float. */
#include "kernels/attention_cpu.h"
#include "kernels/product_bf16_cpu.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#ifdef BF16_CODE

#define KEYS 96 // of a block: sixteen tiles of six

// what of a head of a picture is laid out ahead
struct head {
    uint32_t *keys;   // [tk, pairs of d]
    uint32_t *values; // [pairs of tk, d]
};

// a thread's own
struct block {
    uint32_t *q;       // [pairs of d, QUERIES]
    float *scores;     // [KEYS, QUERIES]
    uint32_t *p;       // [pairs of KEYS, QUERIES]
    float *y;          // [d, QUERIES]
    float *most, *sum; // [QUERIES]
};

static bool take_head(struct onednn_room *room, struct attention_shape s, struct head *h)
{
    h->keys = cpu_take(room, (size_t)(s.tk * pairs_of(s.d)) * sizeof *h->keys);
    h->values = cpu_take(room, (size_t)(pairs_of(s.tk) * s.d) * sizeof *h->values);
    return h->keys != NULL && h->values != NULL;
}

static bool take_block(struct onednn_room *room, struct attention_shape s, struct block *b)
{
    b->q = cpu_take(room, (size_t)pairs_of(s.d) * QUERIES * sizeof *b->q);
    b->scores = cpu_take(room, sizeof(float) * KEYS * QUERIES);
    b->p = cpu_take(room, sizeof(uint32_t) * KEYS / 2 * QUERIES);
    b->y = cpu_take(room, (size_t)s.d * QUERIES * sizeof *b->y);
    b->most = cpu_take(room, sizeof(float) * QUERIES);
    b->sum = cpu_take(room, sizeof(float) * QUERIES);
    return b->q && b->scores && b->p && b->y && b->most && b->sum;
}

// keys 2 j and 2 j + 1 of a head; key, v: its first values
static void pair_keys(struct attention_shape s, const struct head *h, int64_t j,
                      const uint16_t *key, const uint16_t *v)
{
    const int64_t row = row_of(s), pairs = pairs_of(s.d);
    const bool second = 2 * j + 1 < s.tk;

    bf16_pair_row(s.d, key + 2 * j * row, h->keys + 2 * j * pairs, 1);
    if (second) {
        bf16_pair_row(s.d, key + (2 * j + 1) * row, h->keys + (2 * j + 1) * pairs, 1);
    }
    bf16_pair_rows(s.d, v + 2 * j * row, row, second, h->values + j * s.d);
}

/* ---- a block of queries ---- */

// of products of q and key to exponents of 2
static float factor_of(struct attention_shape s)
{
    return s.scale / (float)G_LN2;
}

// products of keys first .. first + keys, and the maxima that they raise
BF16_CODE static void block_scores(struct attention_shape s, const struct head *h,
                                   const struct block *b, int first, int keys)
{
    const struct bf16_product p = {.rows = keys,
                                   .k = (int)pairs_of(s.d),
                                   .lanes = QUERIES,
                                   .a = h->keys + first * pairs_of(s.d),
                                   .a_row = pairs_of(s.d),
                                   .a_k = 1,
                                   .b = b->q,
                                   .b_k = QUERIES,
                                   .c = b->scores,
                                   .c_row = QUERIES};

    bf16_product(&p, b->most);
}

// one vector of queries: P' of all keys of the block; returns their sum
BF16_PART __m512 block_powers(const struct block *b, float scale, int lane, int keys)
{
    const __m512 factor = _mm512_set1_ps(scale);
    const __m512 most = _mm512_mul_ps(_mm512_loadu_ps(b->most + lane), factor);
    __m512 sum = _mm512_setzero_ps();

    for (int j = 0; j < keys; j += 2) {
        const float *scores = b->scores + j * QUERIES + lane;
        const __m512 low = bf16_exp2(_mm512_fmsub_ps(_mm512_loadu_ps(scores), factor, most));
        const __m512 high =
            j + 1 < keys
                ? bf16_exp2(_mm512_fmsub_ps(_mm512_loadu_ps(scores + QUERIES), factor, most))
                : _mm512_setzero_ps();

        sum = _mm512_add_ps(sum, _mm512_add_ps(low, high));
        _mm512_storeu_si512(b->p + j / 2 * QUERIES + lane, bf16_pairs(low, high));
    }
    return sum;
}

// what was summed up under an older maximum, brought under the one of now
BF16_PART void block_rescale(struct attention_shape s, const struct block *b, int lane,
                             __m512 before)
{
    const __m512 most = _mm512_loadu_ps(b->most + lane);

    if (_mm512_cmp_ps_mask(before, most, _CMP_NEQ_UQ) == 0) {
        return;
    }
    const __m512 scale = _mm512_set1_ps(factor_of(s));
    const __m512 factor = bf16_exp2(_mm512_mul_ps(_mm512_sub_ps(before, most), scale));
    _mm512_storeu_ps(b->sum + lane, _mm512_mul_ps(_mm512_loadu_ps(b->sum + lane), factor));
    for (int i = 0; i < s.d; i++) {
        float *y = b->y + i * QUERIES + lane;
        _mm512_storeu_ps(y, _mm512_mul_ps(_mm512_loadu_ps(y), factor));
    }
}

BF16_CODE static void block_keys(struct attention_shape s, const struct head *h,
                                 const struct block *b, int first, int keys)
{
    const struct bf16_product values = {.rows = s.d,
                                        .k = (int)pairs_of(keys),
                                        .lanes = QUERIES,
                                        .a = h->values + first / 2 * s.d,
                                        .a_row = 1,
                                        .a_k = s.d,
                                        .b = b->p,
                                        .b_k = QUERIES,
                                        .c = b->y,
                                        .c_row = QUERIES,
                                        .accumulate = first > 0};
    __m512 before[QUERIES / BF16_LANES];

    for (int v = 0; v < QUERIES / BF16_LANES; v++) {
        before[v] = _mm512_loadu_ps(b->most + v * BF16_LANES);
    }
    block_scores(s, h, b, first, keys);
    for (int v = 0; v < QUERIES / BF16_LANES; v++) {
        const int lane = v * BF16_LANES;
        if (first > 0) {
            block_rescale(s, b, lane, before[v]);
        }
        const __m512 sum = block_powers(b, factor_of(s), lane, keys);
        _mm512_storeu_ps(b->sum + lane, _mm512_add_ps(_mm512_loadu_ps(b->sum + lane), sum));
    }
    bf16_product(&values, NULL);
}

// y [queries, d] of the rows at y, and lse where it is wanted
static void block_finish(struct attention_shape s, const struct block *b, int queries, uint16_t *y,
                         float *lse)
{
    for (int i = 0; i < queries; i++) {
        const float inverse = 1 / b->sum[i];
        uint16_t *row = y + i * row_of(s);

        for (int c = 0; c < s.d; c++) {
            row[c] = cell_round(b->y[c * QUERIES + i] * inverse);
        }
        if (lse != NULL) {
            lse[i] = b->most[i] * s.scale + logf(b->sum[i]);
        }
    }
}

// queries first .. of one head; q, y: that head's first values, lse its first
static void block_forward(struct attention_shape s, const struct head *h, const struct block *b,
                          int first, const uint16_t *q, uint16_t *y, float *lse)
{
    const int queries = MIN(QUERIES, s.tq - first);
    const int64_t row = row_of(s);

    memset(b->q, 0, (size_t)pairs_of(s.d) * QUERIES * sizeof *b->q); // lanes without a query
    for (int i = 0; i < queries; i++) {
        bf16_pair_row(s.d, q + (first + i) * row, b->q + i, QUERIES);
    }
    for (int i = 0; i < QUERIES; i++) {
        b->most[i] = -INFINITY;
        b->sum[i] = 0;
    }
    for (int from = 0; from < s.tk; from += KEYS) {
        block_keys(s, h, b, from, MIN(KEYS, s.tk - from));
    }
    block_finish(s, b, queries, y + first * row, lse != NULL ? lse + first : NULL);
}

/* ---- all of them ---- */

struct arrays {
    const uint16_t *q, *key, *v;
    uint16_t *y;
    float *lse;
};

// pairs of picture and head from `first` on, whose keys and values are laid into heads
static void run_heads(const kernels *k, struct attention_shape s, const struct arrays *a,
                      const struct head *heads, int first, int count, const struct block *blocks)
{
    const int64_t key_pairs = pairs_of(s.tk), q_blocks = (s.tq + QUERIES - 1) / QUERIES;
    const int threads = cpu_threads(k, (int64_t)count * s.tq * s.tk);

#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
        for (int64_t i = 0; i < count * key_pairs; i++) {
            const int pair = first + (int)(i / key_pairs);
            const int64_t at = pair / s.heads * s.tk * row_of(s) + (int64_t)(pair % s.heads) * s.d;
            pair_keys(s, &heads[pair - first], i % key_pairs, a->key + at, a->v + at);
        }
#pragma omp for schedule(static)
        for (int64_t i = 0; i < count * q_blocks; i++) {
            const int pair = first + (int)(i / q_blocks);
            const int64_t at = pair / s.heads * s.tq * row_of(s) + (int64_t)(pair % s.heads) * s.d;
            block_forward(s, &heads[pair - first], &blocks[omp_get_thread_num()],
                          (int)(i % q_blocks) * QUERIES, a->q + at, a->y + at,
                          a->lse != NULL ? a->lse + (int64_t)pair * s.tq : NULL);
        }
    }
}

bool attention_bf16_forward(const kernels *k, struct attention_shape s, const cell *q,
                            const cell *key, const cell *v, cell *y, float *lse)
{
    const struct arrays a = {(const uint16_t *)q, (const uint16_t *)key, (const uint16_t *)v,
                             (uint16_t *)y, lse};
    const int pairs = s.n * s.heads;
    g_autofree struct block *blocks = g_new(struct block, k->threads);
    g_autofree struct head *heads = g_new(struct head, MAX(pairs, 1));
    struct onednn_room room = cpu_workspace(k);
    int fit = 0;

    if (!attention_bf16_possible(k, s)) {
        return false;
    }
    for (int i = 0; i < k->threads; i++) {
        if (!take_block(&room, s, &blocks[i])) {
            return false;
        }
    }
    while (fit < pairs && take_head(&room, s, &heads[fit])) {
        fit++;
    }
    for (int first = 0; fit > 0 && first < pairs; first += fit) {
        run_heads(k, s, &a, heads, first, MIN(fit, pairs - first), blocks);
    }
    return fit > 0;
}

#else

bool attention_bf16_forward(const kernels *k, struct attention_shape s, const cell *q,
                            const cell *key, const cell *v, cell *y, float *lse)
{
    return false;
}
#endif
