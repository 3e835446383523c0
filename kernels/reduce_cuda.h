/* reduce_cuda.h: sums over a warp, over a block and over the rows of a matrix, in an order that the shape
 * alone decides. */
#pragma once

#include "kernels/cuda.h"

#define ALL_LANES 0xffffffffu

/* ---- a warp ---- */

template <typename T> static __device__ inline T warp_sum(T x)
{
    for (int bit = CUDA_WARP / 2; bit > 0; bit /= 2) {
        x += __shfl_xor_sync(ALL_LANES, x, bit);
    }
    return x;
}

template <typename T> static __device__ inline T warp_max(T x)
{
    for (int bit = CUDA_WARP / 2; bit > 0; bit /= 2) {
        x = max(x, __shfl_xor_sync(ALL_LANES, x, bit));
    }
    return x;
}

/* ---- a block of one dimension ---- */

// shared memory for what follows: a value of each warp
template <typename T> struct block_parts {
    T of[CUDA_WARP];
};

/* What all threads of the block together make of x, for each of them: F::warp of each warp's, then of
 * the warps'; where there is no warp F::nothing. parts may be used again at once. */
template <typename F, typename T>
static __device__ inline T block_fold(T x, struct block_parts<T> *parts)
{
    const int lane = threadIdx.x % CUDA_WARP, warp = threadIdx.x / CUDA_WARP;
    const int warps = blockDim.x / CUDA_WARP;

    x = F::warp(x);
    if (lane == 0) {
        parts->of[warp] = x;
    }
    __syncthreads();
    x = F::warp(lane < warps ? parts->of[lane] : F::template nothing<T>());
    __syncthreads();
    return x;
}

struct fold_sum {
    template <typename T> static __device__ inline T warp(T x)
    {
        return warp_sum(x);
    }
    template <typename T> static __device__ inline T nothing(void)
    {
        return 0;
    }
};

struct fold_max {
    template <typename T> static __device__ inline T warp(T x)
    {
        return warp_max(x);
    }
    template <typename T> static __device__ inline T nothing(void)
    {
        return -INFINITY;
    }
};

template <typename T> static __device__ inline T block_sum(T x, struct block_parts<T> *parts)
{
    return block_fold<fold_sum>(x, parts);
}

template <typename T> static __device__ inline T block_max(T x, struct block_parts<T> *parts)
{
    return block_fold<fold_max>(x, parts);
}

/* ---- the columns of a matrix ---- */

#define COLUMN_ROWS  8  // threads of a block above each other
#define COLUMN_PARTS 64 // of the rows, at most
#define COLUMN_FEW   64 // rows that are not worth two parts

/* How rows are divided: into `count` parts of `rows` rows, the last of what is left. A block of (32, 8)
 * threads sums 32 columns over a part; a second launch adds the parts in their order. */
struct column_parts {
    int count;
    int64_t rows;
};

static inline struct column_parts column_divide(int64_t rows)
{
    const int64_t each = cuda_ceil(rows, CLAMP(rows / COLUMN_FEW, 1, COLUMN_PARTS));

    return {(int)cuda_ceil(rows, each), each};
}

static inline dim3 column_grid(int columns, struct column_parts p, int matrices)
{
    return dim3((unsigned)cuda_ceil(columns, CUDA_WARP), (unsigned)p.count, (unsigned)matrices);
}

static inline dim3 column_threads(void)
{
    return dim3(CUDA_WARP, COLUMN_ROWS);
}

struct column_sums {
    float of[COLUMN_ROWS][CUDA_WARP + 1];
};

// the sum over the block's threads that stand above each other, for those of the first row; sums may be used again at once
static __device__ inline float column_fold(float sum, struct column_sums *sums)
{
    sums->of[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0) {
        for (int i = 1; i < COLUMN_ROWS; i++) {
            sum += sums->of[i][threadIdx.x];
        }
    }
    __syncthreads();
    return sum;
}

/* The sum of value(row) over the block's part of the rows, for the threads of the first row; column is
 * the thread's and may lie behind the last one. sums may be used again at once. */
template <typename F>
static __device__ inline float column_sum(int64_t rows, struct column_parts p, bool inside,
                                          struct column_sums *sums, F value)
{
    const int64_t first = blockIdx.y * p.rows, last = min(first + p.rows, rows);
    float sum = 0;

    for (int64_t row = first + threadIdx.y; inside && row < last; row += COLUMN_ROWS) {
        sum += value(row);
    }
    return column_fold(sum, sums);
}

// the sum of a column's parts, `stride` values apart
static __device__ inline float column_add(int count, int64_t stride, const float *parts)
{
    float sum = 0;

    for (int i = 0; i < count; i++) {
        sum += parts[i * stride];
    }
    return sum;
}
