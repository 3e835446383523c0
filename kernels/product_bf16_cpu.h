/* product_bf16_cpu.h: small products of bfloat16 on one thread, by AMX's tiles or by AVX-512's dot
 * products.
 *
 *   C [rows, lanes] = A [rows, k] B [k, lanes], or +=; sums are float
 *
 * k counts pairs: two neighbouring bfloat16 in 32 bits, the first in the low half, are multiplied
 * with such a pair and added up by one instruction. A's rows hold them one behind the other, B's
 * rows a pair a lane. Tiles take whole multiples of 16: all three have room for rows and k rounded up
 * to that, in which A and B go on with zeros along k. Only on CPUs that onednn_has_bf16 tells of. */
#pragma once

#include "kernels/kernels.h"

#if defined __x86_64__ && defined __GNUC__
#include <immintrin.h>

#define BF16_LANES 16
#define BF16_CODE  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
// for what has to become part of its caller
#define BF16_PART static inline __attribute__((always_inline)) BF16_CODE

// distances between rows in pairs, those of C in floats
struct bf16_product {
    bool tiles;
    int rows, k, lanes; // lanes: a multiple of BF16_LANES
    const uint32_t *a, *b;
    int64_t a_row, b_row, c_row;
    float *c;
    bool accumulate;
};

// Runs it. most: NULL, or [lanes], each raised to the largest of its column of C.
void bf16_product(const struct bf16_product *p, float *most);

/* Before and after a thread's products; tiles: whether they are to be by AMX, only on CPUs that
 * onednn_has_amx tells of. */
void bf16_begin(bool tiles);
void bf16_end(bool tiles);

// product_amx_cpu.c: what these are with tiles
void amx_begin(void);
void amx_end(void);
void amx_product(const struct bf16_product *p);

/* Rounds two rows of 16 floats, to the nearest even: lane i gets the pair (low [i], high [i]). */
BF16_PART __m512i bf16_pairs(__m512 low, __m512 high)
{
    const __m512i interleave =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);

    return _mm512_permutexvar_epi16(interleave, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/* 2^x = 2^n 2^r, n = x rounded, by a polynomial of r fitted to a relative error of 3e-6, a
 * thousandth of what rounding to bfloat16 takes. 0 far below, infinite far above; NaN stays NaN. */
BF16_PART __m512 bf16_exp2(__m512 x)
{
    const __m512 n = _mm512_roundscale_ps(x, 0), r = _mm512_sub_ps(x, n);
    __m512 p = _mm512_set1_ps(9.570102e-3f);

    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.591786e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.402474e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.931218e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.99999928f));
    return _mm512_scalef_ps(p, n);
}
#endif
