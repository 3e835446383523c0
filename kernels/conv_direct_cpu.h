/* conv_direct_cpu.h: convolutions by oneDNN's direct code. */
#pragma once

#include "kernels/cpu.h"

/* Forward. False where it does not pay (fewer output pixels than it takes to bring the weights into
 * the library's layout) or is not possible; then nothing was written. */
bool conv_direct_forward(const kernels *k, struct conv_shape s, const cell *x,
                         struct kernels_weight w, const float *bias, cell *y);

/* dx += dy w, for stride 1: the forward convolution of dy with the kernel turned around and its
 * channels exchanged. False as above. */
bool conv_direct_backward(const kernels *k, struct conv_shape s, const cell *dy,
                          struct kernels_weight w, cell *dx);
