/* winograd_f32_cpu.c: the transforms of winograd_cpu.h in float, a channel or an output a lane. */
#include "kernels/isa.h"
#include "kernels/winograd_cpu.h"

#if defined __x86_64__ && defined __GNUC__
#include <immintrin.h>

// of `count` neighbours from w on; point: values of `to` from one point to the next
CPU_CLONES
static void weights_row(const float *w, int64_t tap, int count, float *restrict to, int64_t point)
{
#pragma omp simd
    for (int i = 0; i < count; i++) {
        float t[3][4], u[4][4];

#pragma GCC unroll 3
        for (int x = 0; x < 3; x++) {
            WINOGRAD_G(t[x], w[x * tap + i], w[(3 + x) * tap + i], w[(6 + x) * tap + i]);
        }
#pragma GCC unroll 4
        for (int y = 0; y < 4; y++) {
            WINOGRAD_G(u[y], t[0][y], t[1][y], t[2][y]);
        }
#pragma GCC unroll 16
        for (int p = 0; p < WINOGRAD_POINTS; p++) {
            to[p * point + i] = u[p / 4][p % 4];
        }
    }
}

// from [8, row] to [8, step] with rows and columns exchanged
__attribute__((target("avx2"))) static void exchange(const float *from, int64_t row, float *to,
                                                     int64_t step)
{
    __m256 x[8], y[8];

    for (int i = 0; i < 8; i += 2) {
        const __m256 a = _mm256_loadu_ps(from + i * row), b = _mm256_loadu_ps(from + (i + 1) * row);

        x[i] = _mm256_unpacklo_ps(a, b);
        x[i + 1] = _mm256_unpackhi_ps(a, b);
    }
    for (int i = 0; i < 8; i += 4) {
        y[i] = _mm256_shuffle_ps(x[i], x[i + 2], 0x44);
        y[i + 1] = _mm256_shuffle_ps(x[i], x[i + 2], 0xee);
        y[i + 2] = _mm256_shuffle_ps(x[i + 1], x[i + 3], 0x44);
        y[i + 3] = _mm256_shuffle_ps(x[i + 1], x[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * step, _mm256_permute2f128_ps(y[i], y[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * step, _mm256_permute2f128_ps(y[i], y[i + 4], 0x31));
    }
}

// channels lie together in w, outputs in what is made
static void weights_exchanged(const struct winograd_weights *w)
{
    enum { POINT = PRODUCT_LANES * WINOGRAD_DEPTH };
    float rows[WINOGRAD_POINTS * POINT]; // [point, lane, channel]

    for (int lane = 0; lane < PRODUCT_LANES; lane++) {
        weights_row((const float *)w->w + lane * w->lane, w->tap, w->depth,
                    rows + lane * WINOGRAD_DEPTH, POINT);
    }
    for (int p = 0; p < WINOGRAD_POINTS; p++) {
        for (int i = 0; i < w->depth; i += 8) {
            float *to = (float *)w->to + p * w->point + i * WINOGRAD_LANES;

            for (int lane = 0; lane < PRODUCT_LANES; lane += 8) {
                exchange(rows + p * POINT + lane * WINOGRAD_DEPTH + i, WINOGRAD_DEPTH, to + lane,
                         WINOGRAD_LANES);
            }
        }
    }
}

static void weights(const struct winograd_weights *w)
{
    if (w->channel == 1) {
        weights_exchanged(w);
        return;
    }
    for (int i = 0; i < w->depth; i++) {
        weights_row((const float *)w->w + i * w->channel, w->tap, PRODUCT_LANES,
                    (float *)w->to + i * WINOGRAD_LANES, w->point);
    }
}

CPU_CLONES
static void input(const void *const from[WINOGRAD_POINTS], int c, void *to, int64_t point)
{
    const float *d[WINOGRAD_POINTS];
    float *restrict rows = to;

    for (int p = 0; p < WINOGRAD_POINTS; p++) {
        d[p] = from[p];
    }
#pragma omp simd
    for (int i = 0; i < c; i++) {
        float t[4][4], v[4][4];

#pragma GCC unroll 4
        for (int x = 0; x < 4; x++) {
            WINOGRAD_BT(t[x], d[x][i], d[4 + x][i], d[8 + x][i], d[12 + x][i]);
        }
#pragma GCC unroll 4
        for (int y = 0; y < 4; y++) {
            WINOGRAD_BT(v[y], t[0][y], t[1][y], t[2][y], t[3][y]);
        }
#pragma GCC unroll 16
        for (int p = 0; p < WINOGRAD_POINTS; p++) {
            rows[p * point + i] = v[p / 4][p % 4];
        }
    }
}

CPU_CLONES
static void output(const float *from, int64_t point, int count, const float *bias, bool add,
                   void *const to[4])
{
    float *y0 = to[0], *y1 = to[1], *y2 = to[2], *y3 = to[3];

#pragma omp simd
    for (int i = 0; i < count; i++) {
        const float *m = from + i;
        const float more = bias ? bias[i] : 0;
        float t[4][2], y[2][2];

#pragma GCC unroll 4
        for (int x = 0; x < 4; x++) {
            WINOGRAD_AT(t[x], m[x * point], m[(4 + x) * point], m[(8 + x) * point],
                        m[(12 + x) * point]);
        }
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            WINOGRAD_AT(y[j], t[0][j], t[1][j], t[2][j], t[3][j]);
        }
        y0[i] = y[0][0] + more + (add ? y0[i] : 0);
        y1[i] = y[0][1] + more + (add ? y1[i] : 0);
        y2[i] = y[1][0] + more + (add ? y2[i] : 0);
        y3[i] = y[1][1] + more + (add ? y3[i] : 0);
    }
}

const struct winograd_transforms winograd_f32 = {weights, input, output};
#endif
