/* product_bf16_cpu.c: tiles of products of bfloat16; see product_bf16_cpu.h.
 *
 * A tile of 6 rows and 4 vectors of 16 lanes is kept in registers: 24 sums, 4 vectors of B and one
 * of A are 29 of 32. Smaller tiles take what is left on either side. */
#include "kernels/product_bf16_cpu.h"

#ifdef BF16_CODE

#define ROWS    6 // of a tile
#define VECTORS 4

// R rows from `row` on and V vectors from lane on; most: NULL, or [lanes] raised to the largest of C
BF16_PART void tile(const struct bf16_product *p, const int R, const int V, int row, int lane,
                    float *most)
{
    const uint32_t *a = p->a + row * p->a_row, *b = p->b + lane;
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
    for (int k = 0; k < p->k; k++, a += p->a_k, b += p->b_k) {
        __m512bh lanes[VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) {
            lanes[v] = (__m512bh)_mm512_loadu_si512(b + v * BF16_LANES);
        }
#pragma GCC unroll 6
        for (int r = 0; r < R; r++) {
            const __m512bh pair = (__m512bh)_mm512_set1_epi32((int)a[r * p->a_row]);
#pragma GCC unroll 4
            for (int v = 0; v < V; v++) {
                sum[r][v] = _mm512_dpbf16_ps(sum[r][v], pair, lanes[v]);
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

// all rows of V vectors from lane on
BF16_PART void all_rows(const struct bf16_product *p, const int V, int lane, float *most)
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

BF16_CODE void bf16_product(const struct bf16_product *p, float *most)
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

/* ---- pairs ---- */

BF16_CODE void bf16_pair_row(int d, const uint16_t *x, uint32_t *to, int64_t step)
{
    for (int i = 0; i < d / 2; i++) {
        to[i * step] = x[2 * i] | (uint32_t)x[2 * i + 1] << 16;
    }
    if (d % 2 != 0) {
        to[d / 2 * step] = x[d - 1];
    }
}

BF16_CODE void bf16_pair_rows(int d, const uint16_t *x, int64_t step, bool second, uint32_t *to)
{
    const uint16_t *other = second ? x + step : x;
    const uint32_t mask = second ? 0xffff0000u : 0;

    for (int i = 0; i < d; i++) {
        to[i] = x[i] | ((uint32_t)other[i] << 16 & mask);
    }
}
#endif
