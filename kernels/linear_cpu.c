/* linear_cpu.c: linear layers as matrix products: y = x W^T + bias, dx += dy W, dw += dy^T x.
 *
 * Floats go straight into dnnl_sgemm, which packs on the way and serves both directions from one
 * copy of the weight; bfloat16 into a primitive of oneDNN, which rounds each sum once. Packing
 * weights ahead was measured to gain less than 5% from 128 rows on (SPEED.md). */
#include "kernels/cpu.h"

#include <string.h>

#define SQUARE 32                 // values on a side that are turned at a time
#define TURNED ((int64_t)1 << 20) // values of a gradient that are turned before a product

// each row of y [t, out] becomes the bias
static void fill_rows(const kernels *k, int64_t t, int64_t out, const float *bias, float *y)
{
#pragma omp parallel for num_threads(cpu_threads(k, t *out)) schedule(static)
    for (int64_t row = 0; row < t; row++) {
        memcpy(y + row * out, bias, (size_t)out * sizeof *y);
    }
}

static bool bf16_product(const kernels *k, struct gemm_shape s, const cell *a, const void *b,
                         const float *bias, enum kernels_type to, void *c, struct onednn_room room)
{
    const struct onednn_matmul call = {
        .m = s.m,
        .n = s.n,
        .k = s.k,
        .transpose_b = s.transpose_b,
        .accumulate = s.accumulate,
        .to = to,
        .a = a,
        .b = b,
        .bias = bias,
        .c = c,
    };

    cpu_use_threads_for(k, (double)s.m * s.n * s.k);
    const bool done = onednn_has_bf16() && onednn_matmul(cpu_device(k)->dnnl, &call, room);
    cpu_use_threads(k);
    return done;
}

bool cpu_product(const kernels *k, struct gemm_shape s, const cell *a, struct kernels_weight b,
                 const float *bias, enum kernels_type to, void *c, struct onednn_room room)
{
    if (b.type != k->activation || s.m == 0) {
        return false;
    }
    if (b.type == KERNELS_BF16) {
        return bf16_product(k, s, a, b.data, bias, to, c, room);
    }
    if (bias) {
        fill_rows(k, s.m, s.n, bias, c);
        s.accumulate = true;
    }
    k->gemm(k, s, (const float *)a, b.data, c);
    return true;
}

static void linear_forward(const kernels *k, struct linear_shape s, const cell *x,
                           struct kernels_weight w, const real *bias, cell *y)
{
    const struct gemm_shape product = {.m = s.t, .n = s.out, .k = s.in, .transpose_b = true};

    if (!cpu_product(k, product, x, w, bias, k->activation, y, cpu_workspace(k))) {
        cpu_device(k)->reference.linear_forward(k, s, x, w, bias, y);
    }
}

static void linear_backward_input(const kernels *k, struct linear_shape s, const cell *dy,
                                  struct kernels_weight w, cell *dx)
{
    const struct gemm_shape product = {.m = s.t, .n = s.in, .k = s.out, .accumulate = true};

    if (!cpu_product(k, product, dy, w, NULL, k->activation, dx, cpu_workspace(k))) {
        cpu_device(k)->reference.linear_backward_input(k, s, dy, w, dx);
    }
}

// dy [t, out] of 16 bits a value becomes turned [out, t], a square that stays in cache at a time
static void turn(const kernels *k, int64_t t, int64_t out, const cell *dy, cell *turned)
{
    const uint16_t *from = (const uint16_t *)dy;
    uint16_t *to = (uint16_t *)turned;
    const int64_t across = (out + SQUARE - 1) / SQUARE, down = (t + SQUARE - 1) / SQUARE;

#pragma omp parallel for num_threads(cpu_threads(k, t *out)) schedule(static)
    for (int64_t square = 0; square < across * down; square++) {
        const int64_t o = square / down * SQUARE, r = square % down * SQUARE;
        for (int64_t i = o; i < MIN(o + SQUARE, out); i++) {
            for (int64_t j = r; j < MIN(r + SQUARE, t); j++) {
                to[i * t + j] = from[j * out + i];
            }
        }
    }
}

/* bfloat16: the library multiplies plain matrices alone (oneDNN 2.6 divides by zero where it describes some that are
 * turned), so dy is turned here, as many rows at a time as TURNED holds. False where nothing was added. */
static bool bf16_gradient(const kernels *k, struct linear_shape s, const cell *dy, const cell *x,
                          real *dw, struct onednn_room room)
{
    const int64_t rows = MIN(s.t, MAX(TURNED / s.out, 1));
    cell *turned = cpu_take(&room, (size_t)(rows * s.out) * sizeof(uint16_t));

    for (int64_t first = 0; first < s.t && turned != NULL; first += rows) {
        const int64_t count = MIN(rows, s.t - first);
        const struct gemm_shape product = {.m = s.out, .n = s.in, .k = count, .accumulate = true};
        const struct kernels_weight factor = {.data = kernels_at(k, x, first * s.in),
                                              .type = k->activation};
        turn(k, count, s.out, kernels_at(k, dy, first * s.out), turned);
        if (!cpu_product(k, product, turned, factor, NULL, KERNELS_F32, dw, room)) {
            const struct linear_shape rest = {.t = s.t - first, .in = s.in, .out = s.out};
            cpu_device(k)->reference.linear_backward_weight(
                k, rest, kernels_at(k, dy, first * s.out), factor.data, dw);
            return true;
        }
    }
    return turned != NULL;
}

void cpu_linear_gradient(const kernels *k, struct linear_shape s, const cell *dy, const cell *x,
                         real *dw, struct onednn_room room)
{
    const struct gemm_shape product = {
        .m = s.out, .n = s.in, .k = s.t, .transpose_a = true, .accumulate = true};

    if (k->activation == KERNELS_F32) {
        k->gemm(k, product, (const float *)dy, (const float *)x, dw);
    } else if (s.out == 0 || k->activation != KERNELS_BF16 ||
               !bf16_gradient(k, s, dy, x, dw, room)) {
        cpu_device(k)->reference.linear_backward_weight(k, s, dy, x, dw);
    }
}

static void linear_backward_weight(const kernels *k, struct linear_shape s, const cell *dy,
                                   const cell *x, real *dw)
{
    cpu_linear_gradient(k, s, dy, x, dw, cpu_workspace(k));
}

void cpu_fill_linear(kernels *k)
{
    k->linear_forward = linear_forward;
    k->linear_backward_input = linear_backward_input;
    k->linear_backward_weight = linear_backward_weight;
}
