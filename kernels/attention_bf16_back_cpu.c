/* attention_bf16_back_cpu.c: the way back of attention_bf16_cpu.c.
 *
 *   per head and block of 64 queries, over blocks of keys, a query a lane:
 *     P' [key, query] = 2^(K Q' - lse / ln 2),  dS' = P' (V dY' - rowsum(dY Y)')
 *     dQ' [d, query] += K' dS',  dK [key, d] += dS' Q,  dV [key, d] += P' dY
 *   then dq += scale dQ, dkey += scale dK, dv += dV
 *
 * A thread owns a head of a picture, so that the sums over its queries always run in the same
 * order. Products take pairs along the axis that they sum over: Q, K, dY and dS are therefore laid
 * out twice, once along d or the keys and once along the queries. Rounded are P, dS and the results;
 * sums are float. */
#include "kernels/attention_cpu.h"
#include "kernels/pairs_bf16_cpu.h"

#include <omp.h>
#include <string.h>

#ifdef BF16_CODE

#define BACK_KEYS 96 // of a block: sixteen of AVX-512's tiles, six of AMX's

/* A thread's own; tk counts whole blocks, lanes are d rounded up to whole vectors, and pairs of d are
 * whole. */
struct back {
    enum product_way way;
    uint32_t *keys, *values;      // [tk, pairs of d]
    uint32_t *key_pairs;          // [blocks, lanes, pairs of BACK_KEYS]
    float *dkey, *dv;             // [tk, lanes], summed over all queries
    uint32_t *q, *dy;             // [pairs of d, QUERIES]
    uint32_t *q_pairs, *dy_pairs; // [pairs of QUERIES, lanes]
    float *scores, *dp;           // [BACK_KEYS, QUERIES]
    uint32_t *p, *ds;             // [BACK_KEYS, pairs of QUERIES]
    uint32_t *ds_pairs;           // [pairs of BACK_KEYS, QUERIES]
    float *dq;                    // [lanes, QUERIES]
    float *lse, *dot;             // [QUERIES]: of powers of two; dy y
};

static bool take_back(struct onednn_room *room, struct attention_shape s, struct back *b)
{
    const size_t tk = (size_t)(s.tk + BACK_KEYS - 1) / BACK_KEYS * BACK_KEYS;
    const size_t lanes = (size_t)whole(s.d), pairs = (size_t)whole(pairs_of(s.d));
    const struct {
        void *array;
        size_t count;
    } arrays[] = {
        {&b->keys, tk * pairs},
        {&b->values, tk * pairs},
        {&b->key_pairs, tk / 2 * lanes},
        {&b->dkey, tk * lanes},
        {&b->dv, tk * lanes},
        {&b->q, pairs * QUERIES},
        {&b->dy, pairs * QUERIES},
        {&b->q_pairs, QUERIES / 2 * lanes},
        {&b->dy_pairs, QUERIES / 2 * lanes},
        {&b->scores, BACK_KEYS * QUERIES},
        {&b->dp, BACK_KEYS * QUERIES},
        {&b->p, BACK_KEYS * QUERIES / 2},
        {&b->ds, BACK_KEYS * QUERIES / 2},
        {&b->ds_pairs, BACK_KEYS / 2 * QUERIES},
        {&b->dq, lanes * QUERIES},
        {&b->lse, QUERIES},
        {&b->dot, QUERIES},
    };

    b->way = product_way(KERNELS_BF16);
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        void *memory = cpu_take(room, arrays[i].count * sizeof(uint32_t)); // floats are as large
        if (memory == NULL) {
            return false;
        }
        memcpy(arrays[i].array, &memory, sizeof memory);
    }
    return true;
}

// x [queries, d] of one head as pairs along the queries, [pairs of QUERIES, lanes]; the rest is 0
static void pair_queries(struct attention_shape s, int queries, const uint16_t *x, uint32_t *to)
{
    const int64_t lanes = whole(s.d);

    for (int i = 0; i < QUERIES; i += 2) {
        pairs_across(s.d, MIN(2, queries - i), x + i * row_of(s), row_of(s), to + i / 2 * lanes);
    }
}

// what depends on a head's keys and values alone
static void back_begin(struct attention_shape s, const struct back *b, const uint16_t *key,
                       const uint16_t *v)
{
    const int64_t row = row_of(s), lanes = whole(s.d), pairs = whole(pairs_of(s.d));
    const size_t sums = (size_t)(s.tk * lanes) * sizeof(float);

    for (int64_t j = 0; j < s.tk; j++) {
        pairs_row(s.d, key + j * row, b->keys + j * pairs);
        pairs_row(s.d, v + j * row, b->values + j * pairs);
    }
    for (int64_t j = 0; j < s.tk; j += 2 * BF16_LANES) {
        uint32_t *block = b->key_pairs + j / BACK_KEYS * lanes * BACK_KEYS / 2;
        pairs_transposed(s.d, (int)MIN(2 * BF16_LANES, s.tk - j), key + j * row, row,
                         block + j % BACK_KEYS / 2, BACK_KEYS / 2);
    }
    memset(b->dkey, 0, sums);
    memset(b->dv, 0, sums);
}

// what depends on a block's queries alone; lanes without one get probabilities of 0
static void back_queries(struct attention_shape s, const struct back *b, int queries,
                         const uint16_t *q, const uint16_t *y, const uint16_t *dy, const float *lse)
{
    const int64_t row = row_of(s);

    for (int i = 0; i < QUERIES; i += BF16_LANES) {
        pairs_columns(s.d, queries - i, q + i * row, row, b->q + i, QUERIES);
        pairs_columns(s.d, queries - i, dy + i * row, row, b->dy + i, QUERIES);
    }
    for (int i = 0; i < QUERIES; i++) {
        b->lse[i] = i < queries ? lse[i] / (float)G_LN2 : 1e30f;
        b->dot[i] = i < queries ? dot(KERNELS_BF16, y + i * row, dy + i * row, s.d) : 0;
    }
    pair_queries(s, queries, q, b->q_pairs);
    pair_queries(s, queries, dy, b->dy_pairs);
    memset(b->dq, 0, (size_t)whole(s.d) * QUERIES * sizeof *b->dq);
}

// a [keys, pairs of d] of keys first .. on, with one of the block's [pairs of d, QUERIES]
static void back_scores(struct attention_shape s, enum product_way way, int keys, const uint32_t *a,
                        const uint32_t *b, float *c)
{
    product_run(&(struct product){.rows = keys,
                                  .k = (int)pairs_of(s.d),
                                  .lanes = QUERIES,
                                  .way = way,
                                  .a = a,
                                  .a_row = whole(pairs_of(s.d)),
                                  .b = b,
                                  .b_row = QUERIES,
                                  .c = c,
                                  .c_row = QUERIES},
                NULL);
}

/* Of key j and one vector of queries: P and dS / scale = P (dP - dy y). */
BF16_PART void back_vector(const struct back *b, __m512 factor, int j, int lane, __m512 *p,
                           __m512 *ds)
{
    const __m512 score = _mm512_loadu_ps(b->scores + j * QUERIES + lane);
    const __m512 dp = _mm512_loadu_ps(b->dp + j * QUERIES + lane);

    *p = bf16_exp2(_mm512_fmsub_ps(score, factor, _mm512_loadu_ps(b->lse + lane)));
    *ds = _mm512_mul_ps(*p, _mm512_sub_ps(dp, _mm512_loadu_ps(b->dot + lane)));
}

// a row of 32 queries of key j into p and ds; the gradients are returned
BF16_PART void back_half_row(const struct back *b, __m512 factor, int j, int lane, __m512 ds[2])
{
    const int64_t at = (j * QUERIES + lane) / 2;
    __m512 p[2];

    back_vector(b, factor, j, lane, &p[0], &ds[0]);
    back_vector(b, factor, j, lane + BF16_LANES, &p[1], &ds[1]);
    _mm512_storeu_si512(b->p + at, (__m512i)_mm512_cvtne2ps_pbh(p[1], p[0]));
    _mm512_storeu_si512(b->ds + at, (__m512i)_mm512_cvtne2ps_pbh(ds[1], ds[0]));
}

// P and dS of the block's keys, dS also as pairs along the keys
BF16_CODE static void back_powers(struct attention_shape s, const struct back *b, int keys)
{
    const __m512 factor = _mm512_set1_ps(s.scale / (float)G_LN2);

    for (int j = 0; j < keys; j += 2) {
        for (int lane = 0; lane < QUERIES; lane += 2 * BF16_LANES) {
            __m512 low[2], high[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
            uint32_t *pairs = b->ds_pairs + j / 2 * QUERIES + lane;

            back_half_row(b, factor, j, lane, low);
            if (j + 1 < keys) {
                back_half_row(b, factor, j + 1, lane, high);
            }
            _mm512_storeu_si512(pairs, bf16_pairs(low[0], high[0]));
            _mm512_storeu_si512(pairs + BF16_LANES, bf16_pairs(low[1], high[1]));
        }
    }
    for (int64_t i = pairs_of(keys); i < whole(pairs_of(keys)); i++) {
        memset(b->ds_pairs + i * QUERIES, 0, QUERIES * sizeof *b->ds_pairs);
    }
}

// sum [keys, lanes] += a [keys, pairs of QUERIES] b [pairs of QUERIES, lanes]
static void back_sum(struct attention_shape s, enum product_way way, int keys, const uint32_t *a,
                     const uint32_t *b, float *sum)
{
    product_run(&(struct product){.rows = keys,
                                  .k = QUERIES / 2,
                                  .lanes = (int)whole(s.d),
                                  .way = way,
                                  .a = a,
                                  .a_row = QUERIES / 2,
                                  .b = b,
                                  .b_row = whole(s.d),
                                  .c = sum,
                                  .c_row = whole(s.d),
                                  .accumulate = true},
                NULL);
}

// of keys first .. first + keys
static void back_keys(struct attention_shape s, const struct back *b, int first, int keys)
{
    const int64_t pairs = whole(pairs_of(s.d)), lanes = whole(s.d);
    const struct product to_queries = {.rows = s.d,
                                       .k = (int)pairs_of(keys),
                                       .lanes = QUERIES,
                                       .way = b->way,
                                       .a = b->key_pairs + first / 2 * lanes,
                                       .a_row = BACK_KEYS / 2,
                                       .b = b->ds_pairs,
                                       .b_row = QUERIES,
                                       .c = b->dq,
                                       .c_row = QUERIES,
                                       .accumulate = true};

    back_scores(s, b->way, keys, b->keys + first * pairs, b->q, b->scores);
    back_scores(s, b->way, keys, b->values + first * pairs, b->dy, b->dp);
    back_powers(s, b, keys);
    product_run(&to_queries, NULL);
    back_sum(s, b->way, keys, b->ds, b->q_pairs, b->dkey + first * lanes);
    back_sum(s, b->way, keys, b->p, b->dy_pairs, b->dv + first * lanes);
}

// dkey and dv of a head get what all queries gave
static void back_finish(struct attention_shape s, const struct back *b, uint16_t *dkey,
                        uint16_t *dv)
{
    const int64_t lanes = whole(s.d), row = row_of(s);

    for (int64_t j = 0; j < s.tk; j++) {
        pairs_add(s.d, b->dkey + j * lanes, s.scale, dkey + j * row);
        pairs_add(s.d, b->dv + j * lanes, 1, dv + j * row);
    }
}

// dq of a block of queries gets what all keys gave
static void back_finish_queries(struct attention_shape s, const struct back *b, int queries,
                                uint16_t *dq)
{
    float scales[BF16_LANES];

    for (int i = 0; i < BF16_LANES; i++) {
        scales[i] = s.scale;
    }
    for (int i = 0; i < queries; i += BF16_LANES) {
        pairs_back(s.d, MIN(BF16_LANES, queries - i), b->dq + i, QUERIES, scales, true,
                   dq + i * row_of(s), row_of(s));
    }
}

// one head of one picture, whose first values lie at q_at and k_at, its lse at lse_at
static void back_head(struct attention_shape s, const struct back *b,
                      const struct attention_gradients *a, int64_t q_at, int64_t k_at,
                      int64_t lse_at)
{
    const uint16_t *q = (const uint16_t *)a->q, *key = (const uint16_t *)a->key,
                   *v = (const uint16_t *)a->v, *y = (const uint16_t *)a->y,
                   *dy = (const uint16_t *)a->dy;

    back_begin(s, b, key + k_at, v + k_at);
    for (int first = 0; first < s.tq; first += QUERIES) {
        const int queries = MIN(QUERIES, s.tq - first);
        const int64_t at = q_at + first * row_of(s);

        back_queries(s, b, queries, q + at, y + at, dy + at, a->lse + lse_at + first);
        for (int from = 0; from < s.tk; from += BACK_KEYS) {
            back_keys(s, b, from, MIN(BACK_KEYS, s.tk - from));
        }
        back_finish_queries(s, b, queries, (uint16_t *)a->dq + at);
    }
    back_finish(s, b, (uint16_t *)a->dkey + k_at, (uint16_t *)a->dv + k_at);
}

bool attention_bf16_backward(const kernels *k, struct attention_shape s,
                             const struct attention_gradients *a)
{
    // a static schedule gives the first threads a head each where there are more threads than heads
    const int busy = MIN(k->threads, s.n * s.heads);
    g_autofree struct back *backs = g_new(struct back, MAX(busy, 1));
    const enum product_way way = product_way(KERNELS_BF16);
    struct onednn_room room = cpu_workspace(k);

    if (!attention_bf16_possible(k, s)) {
        return false;
    }
    for (int i = 0; i < busy; i++) {
        if (!take_back(&room, s, &backs[i])) {
            return false;
        }
    }
#pragma omp parallel num_threads(cpu_threads(k, (int64_t)s.n *s.heads *s.tq *s.tk))
    {
        product_begin(way);
#pragma omp for schedule(static)
        for (int pair = 0; pair < s.n * s.heads; pair++) {
            const int64_t n = pair / s.heads, head = (int64_t)(pair % s.heads) * s.d;
            back_head(s, &backs[omp_get_thread_num()], a, n * s.tq * row_of(s) + head,
                      n * s.tk * row_of(s) + head, (int64_t)pair * s.tq);
        }
        product_end(way);
    }
    return true;
}

#else

bool attention_bf16_backward(const kernels *k, struct attention_shape s,
                             const struct attention_gradients *a)
{
    return false;
}
#endif
