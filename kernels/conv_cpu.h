/* conv_cpu.h: the two fast ways of convolutions that conv_cpu.c asks first. Each returns false where it
 * does not pay or is not possible (another shape, CPU or type of weights); then nothing was written. */
#pragma once

#include "kernels/cpu.h"

// y = x * w + bias, or dx += dy w, by oneDNN's direct code; bias may be NULL
bool conv_direct_forward(const kernels *k, struct conv_shape s, const cell *x,
                         struct kernels_weight w, const float *bias, cell *y);
bool conv_direct_backward(const kernels *k, struct conv_shape s, const cell *dy,
                          struct kernels_weight w, cell *dx);

// the same for 3x3 kernels of stride 1, with less than half of the multiplications
bool conv_winograd_forward(const kernels *k, struct conv_shape s, const cell *x,
                           struct kernels_weight w, const float *bias, cell *y);
bool conv_winograd_backward(const kernels *k, struct conv_shape s, const cell *dy,
                            struct kernels_weight w, cell *dx);

/* The forward convolution that takes dy to dx where the stride is 1, with the kernel turned around and
 * its channels exchanged. */
static inline struct conv_shape conv_turned(struct conv_shape s)
{
    return (struct conv_shape){
        .n = s.n,
        .h = s.out_h,
        .w = s.out_w,
        .c = s.out,
        .out_h = s.h,
        .out_w = s.w,
        .out = s.c,
        .kh = s.kh,
        .kw = s.kw,
        .stride = s.stride,
        .pad_top = s.kh - 1 - s.pad_top,
        .pad_left = s.kw - 1 - s.pad_left,
    };
}
