/* product_amx_cpu.c: products of bfloat16 by AMX; see product_cpu.h.
 *
 * A tile is 16 rows of 64 bytes. Four of the eight hold sums, 32 rows by 32 lanes of C, two 16 rows of
 * A and two 16 lanes of B; each load of them serves two products. */
#include "kernels/bf16_cpu.h"

#ifdef BF16_CODE

#define AMX_CODE __attribute__((target("amx-tile,amx-bf16")))
#define SIDE     16
#define WIDTH    64 // bytes of a tile's row

// what _tile_loadconfig reads: palette 1, and of each tile the bytes of a row and the rows
static const struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} configuration = {.palette = 1,
                   .bytes = {WIDTH, WIDTH, WIDTH, WIDTH, WIDTH, WIDTH, WIDTH, WIDTH},
                   .rows = {SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE}};

AMX_CODE void amx_begin(void)
{
    _tile_loadconfig(&configuration);
}

AMX_CODE void amx_end(void)
{
    _tile_release();
}

/* 16 R rows from `row` on and 16 V lanes from lane on. Sums are tiles 0 to 3, A's 4 and 5, B's 6 and
 * 7. */
AMX_CODE static inline __attribute__((always_inline)) void
block(const struct product *p, const int R, const int V, int row, int lane)
{
    const int64_t a_row = p->a_row * 4, b_row = p->b_row * 4, c_row = p->c_row * 4;
    const uint32_t *a = (const uint32_t *)p->a + row * p->a_row;
    const uint32_t *b = (const uint32_t *)p->b + lane;
    float *c = p->c + row * p->c_row + lane;

    if (p->accumulate) {
        _tile_loadd(0, c, c_row);
        if (V > 1) {
            _tile_loadd(1, c + SIDE, c_row);
        }
        if (R > 1) {
            _tile_loadd(2, c + SIDE * p->c_row, c_row);
        }
        if (R > 1 && V > 1) {
            _tile_loadd(3, c + SIDE * p->c_row + SIDE, c_row);
        }
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int k = 0; k < p->k; k += SIDE, a += SIDE, b += SIDE * p->b_row) {
        _tile_loadd(6, b, b_row);
        _tile_loadd(4, a, a_row);
        _tile_dpbf16ps(0, 4, 6);
        if (V > 1) {
            _tile_loadd(7, b + SIDE, b_row);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (R > 1) {
            _tile_loadd(5, a + SIDE * p->a_row, a_row);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (R > 1 && V > 1) {
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    _tile_stored(0, c, c_row);
    if (V > 1) {
        _tile_stored(1, c + SIDE, c_row);
    }
    if (R > 1) {
        _tile_stored(2, c + SIDE * p->c_row, c_row);
    }
    if (R > 1 && V > 1) {
        _tile_stored(3, c + SIDE * p->c_row + SIDE, c_row);
    }
}

AMX_CODE static void all_rows(const struct product *p, const int V, int lane)
{
    int row = 0;

    for (; row + SIDE < p->rows; row += 2 * SIDE) {
        if (V > 1) {
            block(p, 2, 2, row, lane);
        } else {
            block(p, 2, 1, row, lane);
        }
    }
    if (row < p->rows) {
        if (V > 1) {
            block(p, 1, 2, row, lane);
        } else {
            block(p, 1, 1, row, lane);
        }
    }
}

AMX_CODE void amx_product(const struct product *p)
{
    int lane = 0;

    for (; lane + SIDE < p->lanes; lane += 2 * SIDE) {
        all_rows(p, 2, lane);
    }
    if (lane < p->lanes) {
        all_rows(p, 1, lane);
    }
}
#endif
