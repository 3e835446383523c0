/* pairs_bf16_cpu.c: see pairs_bf16_cpu.h. */
#include "kernels/pairs_bf16_cpu.h"

#ifdef BF16_CODE

#define SIDE BF16_LANES

/* x [16, 16] of 32 bits, transposed: by fours within lanes of 128 bits, then those lanes. */
BF16_PART void transpose(__m512i x[SIDE])
{
    __m512i y[SIDE];

#pragma GCC unroll 4
    for (int i = 0; i < SIDE; i += 4) {
        const __m512i a = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        const __m512i b = _mm512_unpackhi_epi32(x[i], x[i + 1]);
        const __m512i c = _mm512_unpacklo_epi32(x[i + 2], x[i + 3]);
        const __m512i d = _mm512_unpackhi_epi32(x[i + 2], x[i + 3]);

        y[i] = _mm512_unpacklo_epi64(a, c);
        y[i + 1] = _mm512_unpackhi_epi64(a, c);
        y[i + 2] = _mm512_unpacklo_epi64(b, d);
        y[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const __m512i a = _mm512_shuffle_i32x4(y[i], y[i + 4], 0x88);
        const __m512i b = _mm512_shuffle_i32x4(y[i], y[i + 4], 0xdd);
        const __m512i c = _mm512_shuffle_i32x4(y[i + 8], y[i + 12], 0x88);
        const __m512i d = _mm512_shuffle_i32x4(y[i + 8], y[i + 12], 0xdd);

        x[i] = _mm512_shuffle_i32x4(a, c, 0x88);
        x[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
        x[i + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
        x[i + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

// lanes of count values from `first` on
BF16_PART __mmask32 halves(int count, int first)
{
    const int left = count - first;

    return left >= 32 ? 0xffffffffu : left > 0 ? (1u << left) - 1 : 0;
}

BF16_PART __mmask16 lanes(int count, int first)
{
    return (__mmask16)(halves(count, first) & 0xffff);
}

// 16 pairs of a token from value c on
BF16_PART __m512i pairs_at(int d, const uint16_t *x, int c)
{
    return _mm512_maskz_loadu_epi16(halves(d, c), x + c);
}

// 16 values from c on of two tokens, the second one's in the upper halves; NULL: zeros
BF16_PART __m512i pairs_between(int d, const uint16_t *low, const uint16_t *high, int c)
{
    const __mmask16 mask = lanes(d, c);
    const __m256i zero = _mm256_setzero_si256();
    const __m256i a = low ? _mm256_maskz_loadu_epi16(mask, low + c) : zero;
    const __m256i b = high ? _mm256_maskz_loadu_epi16(mask, high + c) : zero;

    return _mm512_or_si512(_mm512_cvtepu16_epi32(a),
                           _mm512_slli_epi32(_mm512_cvtepu16_epi32(b), 16));
}

BF16_CODE void pairs_row(int d, const uint16_t *x, uint32_t *to)
{
    for (int c = 0; c < d; c += 2 * SIDE) {
        _mm512_storeu_si512(to + c / 2, pairs_at(d, x, c));
    }
}

BF16_CODE void pairs_columns(int d, int tokens, const uint16_t *x, int64_t row, uint32_t *to,
                             int64_t step)
{
    for (int c = 0; c < d; c += 2 * SIDE) {
        __m512i block[SIDE];

        for (int i = 0; i < SIDE; i++) {
            block[i] = i < tokens ? pairs_at(d, x + i * row, c) : _mm512_setzero_si512();
        }
        transpose(block);
        for (int i = 0; i < SIDE; i++) {
            _mm512_storeu_si512(to + (c / 2 + i) * step, block[i]);
        }
    }
}

BF16_CODE void pairs_across(int d, int tokens, const uint16_t *x, int64_t row, uint32_t *to)
{
    for (int c = 0; c < d; c += SIDE) {
        _mm512_storeu_si512(
            to + c, pairs_between(d, tokens > 0 ? x : NULL, tokens > 1 ? x + row : NULL, c));
    }
}

BF16_CODE void pairs_transposed(int d, int tokens, const uint16_t *x, int64_t row, uint32_t *to,
                                int64_t step)
{
    for (int c = 0; c < d; c += SIDE) {
        __m512i block[SIDE];

        for (int i = 0; i < SIDE; i++) {
            const uint16_t *pair = x + 2 * i * row;

            block[i] = pairs_between(d, 2 * i < tokens ? pair : NULL,
                                     2 * i + 1 < tokens ? pair + row : NULL, c);
        }
        transpose(block);
        for (int i = 0; i < SIDE; i++) {
            _mm512_storeu_si512(to + (c + i) * step, block[i]);
        }
    }
}

// values c .. c + 16 of a token, added to where `add`, are rounded
BF16_PART void round_to(int d, int c, __m512 y, bool add, uint16_t *to)
{
    const __mmask16 mask = lanes(d, c);

    if (add) {
        const __m256i before = _mm256_maskz_loadu_epi16(mask, to + c);
        y = _mm512_add_ps(y, (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(before), 16));
    }
    _mm256_mask_storeu_epi16(to + c, mask, (__m256i)_mm512_cvtneps_pbh(y));
}

BF16_CODE void pairs_back(int d, int tokens, const float *y, int64_t step, const float *factor,
                          bool add, uint16_t *to, int64_t row)
{
    const __m512 factors = _mm512_loadu_ps(factor);

    for (int c = 0; c < d; c += SIDE) {
        __m512i block[SIDE];

        for (int i = 0; i < SIDE; i++) {
            block[i] = c + i < d
                           ? (__m512i)_mm512_mul_ps(_mm512_loadu_ps(y + (c + i) * step), factors)
                           : _mm512_setzero_si512();
        }
        transpose(block);
        for (int i = 0; i < tokens; i++) {
            round_to(d, c, (__m512)block[i], add, to + i * row);
        }
    }
}

BF16_CODE void pairs_add(int d, const float *y, float factor, uint16_t *to)
{
    for (int c = 0; c < d; c += SIDE) {
        const __m512 value = _mm512_maskz_loadu_ps(lanes(d, c), y + c);

        round_to(d, c, _mm512_mul_ps(value, _mm512_set1_ps(factor)), true, to);
    }
}
#endif
