/* attention_cpu.h: what the CPU's attention in float and in bfloat16 share, and the latter, where this
 * CPU and the table's precision allow it. */
#pragma once

#include "kernels/cpu.h"

#define QUERIES 64 // of a block: four vectors

static inline int64_t pairs_of(int64_t values)
{
    return (values + 1) / 2;
}

// values from one token to the next
static inline int64_t row_of(struct attention_shape s)
{
    return (int64_t)s.heads * s.d;
}

// added up in double
static inline float dot(const float *a, const float *b, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++) {
        sum += (double)a[i] * b[i];
    }
    return (float)sum;
}

static inline bool attention_bf16_possible(const kernels *k, struct attention_shape s)
{
    return !s.causal && s.tk > 0 && k->precision == KERNELS_BF16 && onednn_has_bf16();
}

/* As the entry attention_forward. False where it is not possible (another precision or CPU, causal,
 * one head's keys and values larger than the workspace); then nothing was written. */
bool attention_bf16_forward(const kernels *k, struct attention_shape s, const float *q,
                            const float *key, const float *v, float *y, float *lse);

// arguments of the entry attention_backward
struct attention_gradients {
    const float *q, *key, *v, *y, *lse, *dy;
    float *dq, *dkey, *dv;
};

// as the entry attention_backward; false as above
bool attention_bf16_backward(const kernels *k, struct attention_shape s,
                             const struct attention_gradients *a);
