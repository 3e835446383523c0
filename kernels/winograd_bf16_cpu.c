/* winograd_bf16_cpu.c: the transforms of winograd_cpu.h of bfloat16, in float and rounded once.
 *
 * Of 32 values that lie together, the even and the odd ones are the lower and the upper halves of 16
 * words; what became of both is brought together again where it is rounded. */
#include "kernels/pairs_bf16_cpu.h"
#include "kernels/winograd_cpu.h"

#ifdef BF16_CODE

#define WORD (2 * BF16_LANES) // values of a vector

BF16_PART __m512 even(__m512i words)
{
    return (__m512)_mm512_slli_epi32(words, 16);
}

BF16_PART __m512 odd(__m512i words)
{
    return (__m512)_mm512_and_si512(words, _mm512_set1_epi32((int)0xffff0000u));
}

BF16_PART __m512 widened(const uint16_t *x)
{
    const __m256i halves = _mm256_loadu_si256((const __m256i *)x);

    return (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
}

// u [16] = G g Gt
BF16_PART void weights_points(const __m512 g[9], __m512 u[WINOGRAD_POINTS])
{
    __m512 t[3][4];

#pragma GCC unroll 3
    for (int x = 0; x < 3; x++) {
        WINOGRAD_G(t[x], g[x], g[3 + x], g[6 + x]);
    }
#pragma GCC unroll 4
    for (int y = 0; y < 4; y++) {
        WINOGRAD_G(u + 4 * y, t[0][y], t[1][y], t[2][y]);
    }
}

// one output, its channels lie together: to rows of them, a point after the other `point` apart
BF16_CODE static void weights_row(const struct winograd_weights *w, int lane, uint16_t *to,
                                  int64_t point)
{
    const uint16_t *from = (const uint16_t *)w->w + lane * w->lane;

    for (int i = 0; i < w->depth; i += WORD) {
        __m512 g[2][9], u[2][WINOGRAD_POINTS];

#pragma GCC unroll 9
        for (int p = 0; p < 9; p++) {
            const __m512i words = _mm512_loadu_si512(from + p * w->tap + i);

            g[0][p] = even(words);
            g[1][p] = odd(words);
        }
        weights_points(g[0], u[0]);
        weights_points(g[1], u[1]);
#pragma GCC unroll 16
        for (int p = 0; p < WINOGRAD_POINTS; p++) {
            _mm512_storeu_si512(to + p * point + i, bf16_pairs(u[0][p], u[1][p]));
        }
    }
}

static void weights_exchanged(const struct winograd_weights *w)
{
    enum { POINT = PRODUCT_LANES * WINOGRAD_DEPTH };
    uint16_t rows[WINOGRAD_POINTS * POINT]; // [point, lane, channel]

    for (int lane = 0; lane < PRODUCT_LANES; lane++) {
        weights_row(w, lane, rows + lane * WINOGRAD_DEPTH, POINT);
    }
    for (int p = 0; p < WINOGRAD_POINTS; p++) {
        pairs_columns(w->depth, PRODUCT_LANES, rows + p * POINT, WINOGRAD_DEPTH,
                      w->to + p * w->point, WINOGRAD_LANES);
    }
}

// outputs lie together: channels i and i + 1 of them
BF16_CODE static void weights_pair(const struct winograd_weights *w, int i)
{
    __m512 g[2][9], u[2][WINOGRAD_POINTS];

#pragma GCC unroll 9
    for (int p = 0; p < 9; p++) {
        const uint16_t *from = (const uint16_t *)w->w + i * w->channel + p * w->tap;

        g[0][p] = widened(from);
        g[1][p] = widened(from + w->channel);
    }
    weights_points(g[0], u[0]);
    weights_points(g[1], u[1]);
#pragma GCC unroll 16
    for (int p = 0; p < WINOGRAD_POINTS; p++) {
        _mm512_storeu_si512(w->to + p * w->point + i / 2 * WINOGRAD_LANES,
                            bf16_pairs(u[0][p], u[1][p]));
    }
}

static void weights(const struct winograd_weights *w)
{
    if (w->channel == 1) {
        weights_exchanged(w);
        return;
    }
    for (int i = 0; i < w->depth; i += 2) {
        weights_pair(w, i);
    }
}

// v [16] = Bt d B
BF16_PART void input_points(const __m512 d[WINOGRAD_POINTS], __m512 v[WINOGRAD_POINTS])
{
    __m512 t[4][4];

#pragma GCC unroll 4
    for (int x = 0; x < 4; x++) {
        WINOGRAD_BT(t[x], d[x], d[4 + x], d[8 + x], d[12 + x]);
    }
#pragma GCC unroll 4
    for (int y = 0; y < 4; y++) {
        WINOGRAD_BT(v + 4 * y, t[0][y], t[1][y], t[2][y], t[3][y]);
    }
}

BF16_CODE static void input(const void *const from[WINOGRAD_POINTS], int c, void *to, int64_t point)
{
    for (int i = 0; i < c; i += WORD) {
        __m512 d[2][WINOGRAD_POINTS], v[2][WINOGRAD_POINTS];

#pragma GCC unroll 16
        for (int p = 0; p < WINOGRAD_POINTS; p++) {
            const __m512i words = _mm512_loadu_si512((const uint16_t *)from[p] + i);

            d[0][p] = even(words);
            d[1][p] = odd(words);
        }
        input_points(d[0], v[0]);
        input_points(d[1], v[1]);
#pragma GCC unroll 16
        for (int p = 0; p < WINOGRAD_POINTS; p++) {
            _mm512_storeu_si512((uint16_t *)to + p * point + i, bf16_pairs(v[0][p], v[1][p]));
        }
    }
}

// 16 outputs of one pixel
BF16_PART void write_pixel(__m512 y, bool add, uint16_t *to)
{
    const __m512 sum = add ? _mm512_add_ps(y, widened(to)) : y;

    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(sum));
}

BF16_CODE static void output(const float *from, int64_t point, int count, const float *bias,
                             bool add, void *const to[4])
{
    for (int i = 0; i < count; i += BF16_LANES) {
        const __m512 more = bias ? _mm512_loadu_ps(bias + i) : _mm512_setzero_ps();
        __m512 m[WINOGRAD_POINTS], t[4][2], y[2];

#pragma GCC unroll 16
        for (int p = 0; p < WINOGRAD_POINTS; p++) {
            m[p] = _mm512_loadu_ps(from + p * point + i);
        }
#pragma GCC unroll 4
        for (int x = 0; x < 4; x++) {
            WINOGRAD_AT(t[x], m[x], m[4 + x], m[8 + x], m[12 + x]);
        }
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            WINOGRAD_AT(y, t[0][j], t[1][j], t[2][j], t[3][j]);
            write_pixel(y[0] + more, add, (uint16_t *)to[2 * j] + i);
            write_pixel(y[1] + more, add, (uint16_t *)to[2 * j + 1] + i);
        }
    }
}

const struct winograd_transforms winograd_bf16 = {weights, input, output};
#endif
