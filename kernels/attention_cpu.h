/* attention_cpu.h: what the CPU's attention in float and in bfloat16 share, and the latter, where this
 * CPU and the table's precision allow it. */
#pragma once

#include "kernels/cell.h"
#include "kernels/cpu.h"

#define QUERIES 64 // of a block: four vectors

// values from one token to the next
static inline int64_t row_of(struct attention_shape s)
{
    return (int64_t)s.heads * s.d;
}

// of n values of a type, added up in double
static inline float dot(enum kernels_type type, const void *a, const void *b, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++) {
        sum += (double)cell_get(type, a, i) * cell_get(type, b, i);
    }
    return (float)sum;
}

// maxima are those of the products before they are scaled
static inline bool attention_bf16_possible(const kernels *k, struct attention_shape s)
{
    return !s.causal && s.tk > 0 && s.scale > 0 && k->activation == KERNELS_BF16 &&
           onednn_has_bf16();
}

// arguments of the entry attention_backward
struct attention_gradients {
    const cell *q, *key, *v, *y;
    const float *lse;
    const cell *dy;
    cell *dq, *dkey, *dv;
};

/* As the entry attention_backward. False where it is not possible (another type or CPU, causal, one
 * head's keys and values larger than the workspace); then nothing was written. */
bool attention_bf16_backward(const kernels *k, struct attention_shape s,
                             const struct attention_gradients *a);
