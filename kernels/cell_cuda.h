/* cell_cuda.h: reading and writing one value of a type that is stored, on the device; the one place
 * that knows how cells are stored there. Kernels are templates over the type; a further type is one
 * more line in each of the functions here. */
#pragma once

#include "kernels/cuda.h"

typedef __nv_bfloat16 bf16;
typedef __half f16;

static __device__ inline float value_of(float x)
{
    return x;
}

static __device__ inline float value_of(bf16 x)
{
    return __bfloat162float(x);
}

static __device__ inline float value_of(f16 x)
{
    return __half2float(x);
}

// rounds what was computed, to the nearest even
static __device__ inline void put(float *to, float value)
{
    *to = value;
}

static __device__ inline void put(bf16 *to, float value)
{
    *to = __float2bfloat16_rn(value);
}

static __device__ inline void put(f16 *to, float value)
{
    *to = __float2half_rn(value);
}

// the sum is rounded once
template <typename T> static __device__ inline void put_more(T *to, float value)
{
    put(to, value_of(*to) + value);
}

/* Calls f with a value of the type: cuda_by_type(type, [=](auto type) { using T = decltype(type); ...})
 * launches the kernel of that type. */
template <typename F> static inline void cuda_by_type(enum kernels_type type, F f)
{
    if (type == KERNELS_BF16) {
        f(bf16());
    } else if (type == KERNELS_F16) {
        f(f16());
    } else {
        f(float());
    }
}

// where the type is known at the launch only: value i of x, and what value i of y becomes
static __device__ inline float value_at(enum kernels_type type, const void *x, int64_t i)
{
    return type == KERNELS_BF16  ? value_of(((const bf16 *)x)[i])
           : type == KERNELS_F16 ? value_of(((const f16 *)x)[i])
                                 : ((const float *)x)[i];
}

static __device__ inline void put_at(enum kernels_type type, void *y, int64_t i, float value)
{
    if (type == KERNELS_BF16) {
        put((bf16 *)y + i, value);
    } else if (type == KERNELS_F16) {
        put((f16 *)y + i, value);
    } else {
        put((float *)y + i, value);
    }
}
