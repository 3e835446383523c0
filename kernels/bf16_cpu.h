/* bf16_cpu.h: bfloat16 by AVX-512's instructions for it. Only on CPUs that onednn_has_bf16 tells of. */
#pragma once

#include "kernels/product_cpu.h"

#if defined __x86_64__ && defined __GNUC__
#include <immintrin.h>

#define BF16_LANES PRODUCT_LANES
#define BF16_CODE  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
// for what has to become part of its caller
#define BF16_PART static inline __attribute__((always_inline)) BF16_CODE

/* Rounds two rows of 16 floats, to the nearest even: lane i gets the pair (low [i], high [i]). */
BF16_PART __m512i bf16_pairs(__m512 low, __m512 high)
{
    const __m512i interleave =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);

    return _mm512_permutexvar_epi16(interleave, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/* 2^x = 2^n 2^r, n = x rounded, by a polynomial of r fitted to a relative error of 3e-6, a
 * thousandth of what rounding to bfloat16 takes, and exact at 0: where there is one key, its sum is 1.
 * 0 far below, infinite far above; NaN stays NaN. */
BF16_PART __m512 bf16_exp2(__m512 x)
{
    const __m512 n = _mm512_roundscale_ps(x, 0), r = _mm512_sub_ps(x, n);
    __m512 p = _mm512_set1_ps(9.582576e-3f);

    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.590683e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.402411e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.931241e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    return _mm512_scalef_ps(p, n);
}
#endif
