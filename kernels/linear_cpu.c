/* linear_cpu.c: linear layers as matrix products: y = x W^T + bias, dx += dy W, dw += dy^T x.
 *
 * Floats go straight into dnnl_sgemm, which packs on the way and serves both directions from one
 * copy of the weight; bfloat16 into a primitive of oneDNN, which rounds each sum once. Packing
 * weights ahead was measured to gain less than 5% from 128 rows on (SPEED.md). */
#include "kernels/cpu.h"

#include <string.h>

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

// full fine-tuning is not what the CPU is for: of bfloat16 the reference's
static void linear_backward_weight(const kernels *k, struct linear_shape s, const cell *dy,
                                   const cell *x, real *dw)
{
    const struct gemm_shape product = {
        .m = s.out, .n = s.in, .k = s.t, .transpose_a = true, .accumulate = true};

    if (k->activation == KERNELS_F32) {
        k->gemm(k, product, (const float *)dy, (const float *)x, dw);
    } else {
        cpu_device(k)->reference.linear_backward_weight(k, s, dy, x, dw);
    }
}

void cpu_fill_linear(kernels *k)
{
    k->linear_forward = linear_forward;
    k->linear_backward_input = linear_backward_input;
    k->linear_backward_weight = linear_backward_weight;
}
