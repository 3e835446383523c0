/* product_avx512_cpu.c: products by AVX-512, of floats and of pairs of bfloat16; see product_cpu.h.
 *
 * A tile of 6 rows and 4 vectors of 16 lanes is kept in registers: 24 sums, 4 vectors of B and one
 * of A are 29 of 32. Smaller tiles take what is left on either side. All is compiled for CPUs with
 * bfloat16; what products of floats reach has none of its instructions. */
#include "kernels/bf16_cpu.h"

#ifdef BF16_CODE

#define ROWS    6 // of a tile
#define VECTORS 4

// R rows from `row` on and V vectors from lane on; most: NULL, or [lanes] raised to the largest of C
BF16_PART void tile_of(const struct product *p, const bool floats, const int R, const int V,
                       int row, int lane, float *most)
{
    const uint32_t *a = (const uint32_t *)p->a + row * p->a_row;
    const uint32_t *b = (const uint32_t *)p->b + lane;
    float *c = p->c + row * p->c_row + lane;
    __m512 sum[ROWS][VECTORS];

#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) {
            sum[r][v] = p->accumulate ? _mm512_loadu_ps(c + r * p->c_row + v * BF16_LANES)
                                      : _mm512_setzero_ps();
        }
    }
    for (int k = 0; k < p->k; k++, a++, b += p->b_row) {
        __m512i lanes[VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) {
            lanes[v] = _mm512_loadu_si512(b + v * BF16_LANES);
        }
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) {
            const __m512i one = _mm512_set1_epi32((int)a[r * p->a_row]);
#pragma GCC unroll 4
            for (int v = 0; v < V; v++) {
                sum[r][v] = floats ? _mm512_fmadd_ps((__m512)one, (__m512)lanes[v], sum[r][v])
                                   : _mm512_dpbf16_ps(sum[r][v], (__m512bh)one, (__m512bh)lanes[v]);
            }
        }
    }
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
        __m512 top = most ? _mm512_loadu_ps(most + lane + v * BF16_LANES) : _mm512_setzero_ps();
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) {
            _mm512_storeu_ps(c + r * p->c_row + v * BF16_LANES, sum[r][v]);
            top = _mm512_max_ps(top, sum[r][v]);
        }
        if (most) {
            _mm512_storeu_ps(most + lane + v * BF16_LANES, top);
        }
    }
}

BF16_PART void tile(const struct product *p, const int R, const int V, int row, int lane,
                    float *most)
{
    if (p->way == PRODUCT_AVX512) {
        tile_of(p, true, R, V, row, lane, most);
    } else {
        tile_of(p, false, R, V, row, lane, most);
    }
}

// all rows of V vectors from lane on
BF16_PART void all_rows(const struct product *p, const int V, int lane, float *most)
{
    int row = 0;

    for (; row + ROWS <= p->rows; row += ROWS) {
        tile(p, ROWS, V, row, lane, most);
    }
    switch (p->rows - row) {
    case 5:
        tile(p, 5, V, row, lane, most);
        break;
    case 4:
        tile(p, 4, V, row, lane, most);
        break;
    case 3:
        tile(p, 3, V, row, lane, most);
        break;
    case 2:
        tile(p, 2, V, row, lane, most);
        break;
    case 1:
        tile(p, 1, V, row, lane, most);
        break;
    default:
        break;
    }
}

// raises most [lanes] to the largest of each column of C
BF16_CODE void avx512_raise(const struct product *p, float *most)
{
    for (int lane = 0; lane < p->lanes; lane += BF16_LANES) {
        __m512 top = _mm512_loadu_ps(most + lane);

        for (int row = 0; row < p->rows; row++) {
            top = _mm512_max_ps(top, _mm512_loadu_ps(p->c + row * p->c_row + lane));
        }
        _mm512_storeu_ps(most + lane, top);
    }
}

BF16_CODE void avx512_product(const struct product *p, float *most)
{
    int lane = 0;

    for (; lane + VECTORS * BF16_LANES <= p->lanes; lane += VECTORS * BF16_LANES) {
        all_rows(p, VECTORS, lane, most);
    }
    switch ((p->lanes - lane) / BF16_LANES) {
    case 3:
        all_rows(p, 3, lane, most);
        break;
    case 2:
        all_rows(p, 2, lane, most);
        break;
    case 1:
        all_rows(p, 1, lane, most);
        break;
    default:
        break;
    }
}
#endif
