/* linear_cuda.cu: y = x W^T + bias for rows of tokens, dx += dy W, dw += dy^T x, each one product;
 * formulas in linear_reference.c. A bias is added in float: of 16 bits the library would take one that is
 * rounded, so that such a layer is a convolution of one pixel. */
#include "kernels/conv_cuda.h"

// rows of tokens as pixels
static struct conv_shape as_conv(struct linear_shape s)
{
    const int rows = (int)s.t;

    return {1, 1, rows, s.in, 1, rows, s.out, 1, 1, 1, 0, 0};
}

static void linear_forward(const kernels *k, struct linear_shape s, const cell *x,
                           struct kernels_weight w, const real *bias, cell *y)
{
    const struct gemm_shape shape = {s.t, s.out, s.in, false, true, false};

    if (bias != NULL && k->activation != KERNELS_F32 && s.t <= G_MAXINT32 &&
        conv_tensor(k, as_conv(s), false, x, w, bias, y)) {
        return;
    }
    const struct cuda_product p = {shape,  k->activation, w.type, k->activation, x,
                                   w.data, bias,          y,      cuda_tf32(k)};

    cuda_multiply(k, &p, cuda_workspace(k));
}

static void linear_backward_input(const kernels *k, struct linear_shape s, const cell *dy,
                                  struct kernels_weight w, cell *dx)
{
    const struct gemm_shape shape = {s.t, s.in, s.out, false, false, true};
    const struct cuda_product p = {shape,  k->activation, w.type, k->activation, dy,
                                   w.data, NULL,          dx,     cuda_tf32(k)};

    cuda_multiply(k, &p, cuda_workspace(k));
}

static void linear_backward_weight(const kernels *k, struct linear_shape s, const cell *dy,
                                   const cell *x, real *dw)
{
    const struct gemm_shape shape = {s.out, s.in, s.t, true, false, true};
    const struct cuda_product p = {shape, k->activation, k->activation, KERNELS_F32, dy, x, NULL,
                                   dw,    cuda_tf32(k)};

    cuda_multiply(k, &p, cuda_workspace(k));
}

void cuda_fill_linear(kernels *k)
{
    k->linear_forward = linear_forward;
    k->linear_backward_input = linear_backward_input;
    k->linear_backward_weight = linear_backward_weight;
}
