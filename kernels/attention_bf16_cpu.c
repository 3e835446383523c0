/* attention_bf16_cpu.c: what attention_blocks_cpu.c asks of bfloat16, for CPUs with AVX-512's dot products
 * of it: keys and values as pairs, and powers of 2, which are rounded to bfloat16, for those of e:
 *
 *   e^(scale (S - m)) = 2^(scale / ln 2 (S - m)) */
#include "kernels/attention_blocks_cpu.h"
#include "kernels/pairs_bf16_cpu.h"

#ifdef BF16_CODE

static int64_t words(int values)
{
    return pairs_of(values);
}

static int64_t room(int values)
{
    return whole(pairs_of(values));
}

static void lay_keys(struct attention_shape s, int keys, const void *key, const void *v,
                     uint32_t *to_keys, uint32_t *to_values)
{
    const int64_t row = row_of(s);

    for (int j = 0; j < keys; j++) {
        pairs_row(s.d, (const uint16_t *)key + j * row, to_keys + j * room(s.d));
    }
    for (int j = 0; j < keys; j += 2 * BF16_LANES) {
        pairs_transposed(s.d, MIN(2 * BF16_LANES, keys - j), (const uint16_t *)v + j * row, row,
                         to_values + j / 2, KEYS / 2);
    }
}

static void lay_queries(struct attention_shape s, int queries, const void *q, uint32_t *to)
{
    for (int i = 0; i < QUERIES; i += BF16_LANES) {
        pairs_columns(s.d, queries - i, (const uint16_t *)q + i * row_of(s), row_of(s), to + i,
                      QUERIES);
    }
}

// one vector of queries; returns their sum
BF16_PART __m512 powers_of(__m512 factor, int keys, const float *scores, __m512 most, uint32_t *to)
{
    __m512 sum = _mm512_setzero_ps();

    most = _mm512_mul_ps(most, factor);
    for (int j = 0; j < keys; j += 2, scores += 2 * QUERIES) {
        const __m512 low = bf16_exp2(_mm512_fmsub_ps(_mm512_loadu_ps(scores), factor, most));
        const __m512 high =
            j + 1 < keys
                ? bf16_exp2(_mm512_fmsub_ps(_mm512_loadu_ps(scores + QUERIES), factor, most))
                : _mm512_setzero_ps();

        sum = _mm512_add_ps(sum, _mm512_add_ps(low, high));
        _mm512_storeu_si512(to + j / 2 * QUERIES, bf16_pairs(low, high));
    }
    for (int64_t i = words(keys); i < room(keys); i++) {
        _mm512_storeu_si512(to + i * QUERIES, _mm512_setzero_si512());
    }
    return sum;
}

BF16_CODE static void powers(float scale, int keys, const float *scores, const float *most,
                             uint32_t *to, float *sum)
{
    const __m512 factor = _mm512_set1_ps(scale / (float)G_LN2);

    for (int lane = 0; lane < QUERIES; lane += BF16_LANES) {
        const __m512 more =
            powers_of(factor, keys, scores + lane, _mm512_loadu_ps(most + lane), to + lane);

        _mm512_storeu_ps(sum + lane, _mm512_add_ps(_mm512_loadu_ps(sum + lane), more));
    }
}

BF16_CODE static void rescale(float scale, int d, const float *before, const float *most,
                              float *sum, float *y)
{
    const __m512 to_power = _mm512_set1_ps(scale / (float)G_LN2);

    for (int lane = 0; lane < QUERIES; lane += BF16_LANES) {
        const __m512 old = _mm512_loadu_ps(before + lane), now = _mm512_loadu_ps(most + lane);

        if (_mm512_cmp_ps_mask(old, now, _CMP_NEQ_UQ) == 0) {
            continue;
        }
        const __m512 factor = bf16_exp2(_mm512_mul_ps(_mm512_sub_ps(old, now), to_power));
        _mm512_storeu_ps(sum + lane, _mm512_mul_ps(_mm512_loadu_ps(sum + lane), factor));
        for (int i = 0; i < d; i++) {
            float *row = y + i * QUERIES + lane;
            _mm512_storeu_ps(row, _mm512_mul_ps(_mm512_loadu_ps(row), factor));
        }
    }
}

static void finish(struct attention_shape s, int queries, const float *y, const float *inverse,
                   void *to)
{
    for (int i = 0; i < queries; i += BF16_LANES) {
        pairs_back(s.d, MIN(BF16_LANES, queries - i), y + i, QUERIES, inverse + i, false,
                   (uint16_t *)to + i * row_of(s), row_of(s));
    }
}

const struct attention_values attention_bf16 = {
    .type = KERNELS_BF16,
    .words = words,
    .room = room,
    .lay_keys = lay_keys,
    .lay_queries = lay_queries,
    .powers = powers,
    .rescale = rescale,
    .finish = finish,
};
#endif
