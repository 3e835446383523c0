/* attention_cuda.h: what the files of CUDA's attention share; formulas in attention_reference.c.
 *
 * A row is a token of one head, d values that lie heads * d apart. Statistics are [n, heads, tq]. */
#pragma once

#include "kernels/cell_cuda.h"
#include "kernels/reduce_cuda.h"

#include <math.h>

#define ATTENTION_TILED 160 // the widest head of the tiled kernels

// first value of a token's row in [n, tokens, heads * d]; token: n * tokens + its number
static __device__ inline int64_t attention_row(struct attention_shape s, int64_t token, int head)
{
    return (token * s.heads + head) * s.d;
}

// whether query i sees key j
static __device__ inline bool attention_sees(struct attention_shape s, int i, int j)
{
    return !s.causal || j <= i;
}

/* Both directions of the way back are one sum: with own rows a, b and others a', b',
 *   score = a a',  dp = b b',  p = exp(scale score - lse),  ds = p (dp - D)
 *   da += scale * the sum of ds a'        db += the sum of p b'
 * Own are queries with (q, dy), others keys with (key, v), and da is dq; or the other way round, where
 * da is dkey and db is dv. lse and D are those of the query of a pair. */
template <typename T> struct attention_side {
    const T *a, *b;
    int tokens;
};

template <typename T> struct attention_back {
    struct attention_side<T> own, other;
    const float *lse, *d;
    T *da, *db; // db: NULL for queries
};

/* On tensor cores, for values of 16 bits, or floats in tf32, that lie as they are copied: heads of 40, 64, 80
 * and 160 channels. False where it is no such case, and nothing was done. */
static inline bool attention_rounds(const kernels *k)
{
    return k->activation != KERNELS_F32 || cuda_tf32(k);
}

static inline bool attention_aligned(const void *a, const void *b, const void *c, const void *d)
{
    return (((uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d) % PTX_COPY) == 0;
}

template <typename T>
bool attention_tensor_forward(const kernels *k, struct attention_shape s, const T *q, const T *key,
                              const T *v, T *y, float *lse);
template <typename T>
bool attention_tensor_backward(const kernels *k, struct attention_shape s,
                               struct attention_back<T> back, bool keys);

// y and lse, which may be NULL; heads of any width
template <typename T>
void attention_wide_forward(const kernels *k, struct attention_shape s, const T *q, const T *key,
                            const T *v, T *y, float *lse);
template <typename T>
void attention_wide_backward(const kernels *k, struct attention_shape s,
                             struct attention_back<T> back, bool keys);

// the entry's; fills D in the workspace first
void attention_backward(const kernels *k, struct attention_shape s, const cell *q, const cell *key,
                        const cell *v, const cell *y, const real *lse, const cell *dy, cell *dq,
                        cell *dkey, cell *dv);
