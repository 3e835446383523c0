/* linear_cpu.c: linear layers as matrix products: y = x W^T + bias, dx += dy W, dw += dy^T x. */
#include "kernels/cpu.h"

#include <string.h>

// each row of y [t, out] becomes the bias
static void fill_rows(const kernels *k, struct linear_shape s, const real *bias, real *y)
{
#pragma omp parallel for num_threads(k->threads) schedule(static)
    for (int64_t t = 0; t < s.t; t++) {
        memcpy(y + t * s.out, bias, (size_t)s.out * sizeof(real));
    }
}

static void linear_forward(const kernels *k, struct linear_shape s, const real *x,
                           struct kernels_weight w, const real *bias, real *y)
{
    if (w.type != KERNELS_F32) {
        cpu_device(k)->reference.linear_forward(k, s, x, w, bias, y);
        return;
    }
    if (bias) {
        fill_rows(k, s, bias, y);
    }
    k->gemm(k,
            (struct gemm_shape){
                .m = s.t, .n = s.out, .k = s.in, .transpose_b = true, .accumulate = bias != NULL},
            x, w.data, y);
}

static void linear_backward_input(const kernels *k, struct linear_shape s, const real *dy,
                                  struct kernels_weight w, real *dx)
{
    if (w.type != KERNELS_F32) {
        cpu_device(k)->reference.linear_backward_input(k, s, dy, w, dx);
        return;
    }
    k->gemm(k, (struct gemm_shape){.m = s.t, .n = s.in, .k = s.out, .accumulate = true}, dy, w.data,
            dx);
}

static void linear_backward_weight(const kernels *k, struct linear_shape s, const real *dy,
                                   const real *x, real *dw)
{
    k->gemm(k,
            (struct gemm_shape){
                .m = s.out, .n = s.in, .k = s.t, .transpose_a = true, .accumulate = true},
            dy, x, dw);
}

void cpu_fill_linear(kernels *k)
{
    k->linear_forward = linear_forward;
    k->linear_backward_input = linear_backward_input;
    k->linear_backward_weight = linear_backward_weight;
}
