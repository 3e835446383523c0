/* product_avx2_cpu.c: products of floats by AVX2; see product_cpu.h.
 *
 * A tile of 6 rows and 16 lanes is kept in registers: 12 sums, two vectors of B and one of A are 15 of
 * 16. */
#include "kernels/product_cpu.h"

#if defined __x86_64__ && defined __GNUC__
#include <immintrin.h>

#define AVX2_CODE __attribute__((target("avx2,fma")))
#define ROWS      6
#define HALF      8

// R rows from `row` on
AVX2_CODE static inline __attribute__((always_inline)) void tile(const struct product *p,
                                                                 const int R, int row, int lane)
{
    const float *a = (const float *)p->a + row * p->a_row, *b = (const float *)p->b + lane;
    float *c = p->c + row * p->c_row + lane;
    __m256 low[ROWS], high[ROWS];

#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
        low[r] = p->accumulate ? _mm256_loadu_ps(c + r * p->c_row) : _mm256_setzero_ps();
        high[r] = p->accumulate ? _mm256_loadu_ps(c + r * p->c_row + HALF) : _mm256_setzero_ps();
    }
    for (int k = 0; k < p->k; k++, a++, b += p->b_row) {
        const __m256 b_low = _mm256_loadu_ps(b), b_high = _mm256_loadu_ps(b + HALF);
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) {
            const __m256 one = _mm256_broadcast_ss(a + r * p->a_row);

            low[r] = _mm256_fmadd_ps(one, b_low, low[r]);
            high[r] = _mm256_fmadd_ps(one, b_high, high[r]);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
        _mm256_storeu_ps(c + r * p->c_row, low[r]);
        _mm256_storeu_ps(c + r * p->c_row + HALF, high[r]);
    }
}

AVX2_CODE void avx2_product(const struct product *p)
{
    for (int lane = 0; lane < p->lanes; lane += PRODUCT_LANES) {
        int row = 0;

        for (; row + ROWS <= p->rows; row += ROWS) {
            tile(p, ROWS, row, lane);
        }
        for (; row < p->rows; row++) {
            tile(p, 1, row, lane);
        }
    }
}
#endif
