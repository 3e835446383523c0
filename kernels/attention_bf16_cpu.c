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
#include "kernels/pairs_bf16_cpu.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#ifdef BF16_CODE

#define KEYS       96 // of a block: sixteen of AVX-512's tiles, six of AMX's
#define FEW_KEYS   32 // at a time where the first cache, with more, would hold up AMX:
#define FEW_VALUES 80 // heads with at most so many

// what of a head of a picture is laid out ahead, for each block of keys; d and its pairs whole
struct head {
    uint32_t *keys;   // [blocks, KEYS, pairs of d]
    uint32_t *values; // [blocks, d, pairs of KEYS]
};

// a thread's own; d and its pairs whole
struct block {
    enum product_way way;
    uint32_t *q;       // [pairs of d, QUERIES]
    float *scores;     // [KEYS, QUERIES]
    uint32_t *p;       // [pairs of KEYS, QUERIES]
    float *y;          // [d, QUERIES]
    float *most, *sum; // [QUERIES]
};

static int64_t blocks_of(int tokens, int size)
{
    return (tokens + size - 1) / size;
}

// of a block of keys
static int64_t keys_pairs(struct attention_shape s)
{
    return KEYS * whole(pairs_of(s.d));
}

static int64_t values_pairs(struct attention_shape s)
{
    return whole(s.d) * KEYS / 2;
}

static bool take_head(struct onednn_room *room, struct attention_shape s, struct head *h)
{
    const int64_t blocks = blocks_of(s.tk, KEYS);

    h->keys = cpu_take(room, (size_t)(blocks * keys_pairs(s)) * sizeof *h->keys);
    h->values = cpu_take(room, (size_t)(blocks * values_pairs(s)) * sizeof *h->values);
    return h->keys != NULL && h->values != NULL;
}

static bool take_block(struct onednn_room *room, struct attention_shape s, struct block *b)
{
    b->way = product_way(KERNELS_BF16);
    b->q = cpu_take(room, (size_t)whole(pairs_of(s.d)) * QUERIES * sizeof *b->q);
    b->scores = cpu_take(room, sizeof(float) * KEYS * QUERIES);
    b->p = cpu_take(room, sizeof(uint32_t) * KEYS / 2 * QUERIES);
    b->y = cpu_take(room, (size_t)whole(s.d) * QUERIES * sizeof *b->y);
    b->most = cpu_take(room, sizeof(float) * QUERIES);
    b->sum = cpu_take(room, sizeof(float) * QUERIES);
    return b->q && b->scores && b->p && b->y && b->most && b->sum;
}

// block number `block` of a head's keys and values, which begin at key and v
static void lay_keys(struct attention_shape s, const struct head *h, int64_t block,
                     const uint16_t *key, const uint16_t *v)
{
    const int64_t first = block * KEYS, row = row_of(s), pairs = whole(pairs_of(s.d));
    const int keys = (int)MIN(KEYS, s.tk - first);
    uint32_t *to_keys = h->keys + block * keys_pairs(s);
    uint32_t *to_values = h->values + block * values_pairs(s);

    for (int j = 0; j < keys; j++) {
        pairs_row(s.d, key + (first + j) * row, to_keys + j * pairs);
    }
    for (int j = 0; j < keys; j += 2 * BF16_LANES) {
        pairs_transposed(s.d, MIN(2 * BF16_LANES, keys - j), v + (first + j) * row, row,
                         to_values + j / 2, KEYS / 2);
    }
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
    const struct product p = {.rows = keys,
                              .k = (int)pairs_of(s.d),
                              .lanes = QUERIES,
                              .way = b->way,
                              .a = h->keys + first * whole(pairs_of(s.d)),
                              .a_row = whole(pairs_of(s.d)),
                              .b = b->q,
                              .b_row = QUERIES,
                              .c = b->scores,
                              .c_row = QUERIES};

    product_run(&p, b->most);
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
    for (int64_t i = pairs_of(keys); i < whole(pairs_of(keys)); i++) {
        _mm512_storeu_si512(b->p + i * QUERIES + lane, _mm512_setzero_si512());
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
    const struct product values = {.rows = s.d,
                                   .k = (int)pairs_of(keys),
                                   .lanes = QUERIES,
                                   .way = b->way,
                                   .a = h->values + first / KEYS * values_pairs(s) +
                                        first % KEYS / 2,
                                   .a_row = KEYS / 2,
                                   .b = b->p,
                                   .b_row = QUERIES,
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
    product_run(&values, NULL);
}

// y [queries, d] of the rows at y, and lse where it is wanted
static void block_finish(struct attention_shape s, const struct block *b, int queries, uint16_t *y,
                         float *lse)
{
    float inverse[QUERIES];

    for (int i = 0; i < QUERIES; i++) {
        inverse[i] = 1 / b->sum[i];
    }
    for (int i = 0; i < queries; i += BF16_LANES) {
        pairs_back(s.d, MIN(BF16_LANES, queries - i), b->y + i, QUERIES, inverse + i, false,
                   y + i * row_of(s), row_of(s));
    }
    for (int i = 0; lse != NULL && i < queries; i++) {
        lse[i] = b->most[i] * s.scale + logf(b->sum[i]);
    }
}

// queries first .. of one head; q, y: that head's first values, lse its first
static void block_forward(struct attention_shape s, const struct head *h, const struct block *b,
                          int first, const uint16_t *q, uint16_t *y, float *lse)
{
    const int queries = MIN(QUERIES, s.tq - first);
    const int step = b->way == PRODUCT_AMX && s.d <= FEW_VALUES ? FEW_KEYS : KEYS;
    const int64_t row = row_of(s);

    for (int i = 0; i < QUERIES; i += BF16_LANES) { // lanes without a query become 0
        pairs_columns(s.d, queries - i, q + (first + i) * row, row, b->q + i, QUERIES);
    }
    for (int i = 0; i < QUERIES; i++) {
        b->most[i] = -INFINITY;
        b->sum[i] = 0;
    }
    for (int from = 0; from < s.tk; from += step) {
        block_keys(s, h, b, from, MIN(step, s.tk - from));
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
    const int64_t key_blocks = blocks_of(s.tk, KEYS), q_blocks = blocks_of(s.tq, QUERIES);
    const int threads = cpu_threads(k, (int64_t)count * s.tq * s.tk);

#pragma omp parallel num_threads(threads)
    {
        const struct block *b = &blocks[omp_get_thread_num()];

#pragma omp for schedule(static)
        for (int64_t i = 0; i < count * key_blocks; i++) {
            const int pair = first + (int)(i / key_blocks);
            const int64_t at = pair / s.heads * s.tk * row_of(s) + (int64_t)(pair % s.heads) * s.d;
            lay_keys(s, &heads[pair - first], i % key_blocks, a->key + at, a->v + at);
        }
        product_begin(b->way);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < count * q_blocks; i++) {
            const int pair = first + (int)(i / q_blocks);
            const int64_t at = pair / s.heads * s.tq * row_of(s) + (int64_t)(pair % s.heads) * s.d;
            block_forward(s, &heads[pair - first], b, (int)(i % q_blocks) * QUERIES, a->q + at,
                          a->y + at, a->lse != NULL ? a->lse + (int64_t)pair * s.tq : NULL);
        }
        product_end(b->way);
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
