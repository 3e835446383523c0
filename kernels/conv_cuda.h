/* conv_cuda.h: what the files of CUDA's convolutions share; formulas in conv_reference.c. */
#pragma once

#include "kernels/cell_cuda.h"

/* Where the kernel's row or column i leads from row or column `at`: of the output to the input, or (BACK)
 * from the input to the output that met it there. -1 where nothing is. */
template <bool BACK>
static __device__ inline int conv_source(int at, int i, int pad, int stride, int limit)
{
    const int position = BACK ? at + pad - i : at * stride + i - pad;
    const int source = BACK ? position / stride : position;

    return position < 0 || (BACK && position % stride != 0) || source >= limit ? -1 : source;
}

/* y = x * W + bias, or dx += dy * W where back, on tensor cores, all in 16 bits of one type, or floats in tf32.
 * False where rows of channels do not lie as they are copied, and nothing was done. */
bool conv_tensor(const kernels *k, struct conv_shape s, bool back, const cell *from,
                 struct kernels_weight w, const real *bias, cell *to);
