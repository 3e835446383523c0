/* tensor_cuda.h: tiles of values of 16 bits in shared memory, and a warp's products of them on tensor cores;
 * which lane holds what is told in ptx_cuda.h.
 *
 * A tile's rows lie `stride` values apart, TENSOR_ROW of their columns: multiples of 16 bytes that bring
 * eight rows to eight different banks. Blocks have one dimension. */
#pragma once

#include "kernels/cell_cuda.h"

#define TENSOR_DEPTH        16 // columns of A and rows of B that are multiplied at a time
#define TENSOR_STEPS(depth) (((depth) + TENSOR_DEPTH - 1) / TENSOR_DEPTH)
#define TENSOR_ROW(columns) (TENSOR_STEPS(columns) * TENSOR_DEPTH + PTX_COPY / 2)

// this lane's place in C: row g, and g + 8; columns 2 t and 2 t + 1
static __device__ inline int tensor_row(void)
{
    return threadIdx.x % CUDA_WARP / 4;
}

static __device__ inline int tensor_column(void)
{
    return threadIdx.x % 4 * 2;
}

// two neighbours in a register, rounded
static __device__ inline uint32_t tensor_pair(float first, float second, f16)
{
    const __half2 pair = __floats2half2_rn(first, second);

    return *reinterpret_cast<const uint32_t *>(&pair);
}

static __device__ inline uint32_t tensor_pair(float first, float second, bf16)
{
    const __nv_bfloat162 pair = __floats2bfloat162_rn(first, second);

    return *reinterpret_cast<const uint32_t *>(&pair);
}

static __device__ inline float2 tensor_unpair(uint32_t pair, f16)
{
    return __half22float2(*reinterpret_cast<const __half2 *>(&pair));
}

static __device__ inline float2 tensor_unpair(uint32_t pair, bf16)
{
    return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u)};
}

// A [16, 16] from rows of a tile
template <typename T>
static __device__ inline void tensor_load_a(uint32_t a[4], const T *tile, int stride)
{
    const int lane = threadIdx.x % CUDA_WARP;

    ptx_load(a, tile + lane % 16 * stride + lane / 16 * 8);
}

// two B [16, 8] side by side: b[0], b[1] and b[2], b[3]; rows of the tile are their columns
template <typename T>
static __device__ inline void tensor_load_b(uint32_t b[4], const T *tile, int stride)
{
    const int lane = threadIdx.x % CUDA_WARP;

    ptx_load(b, tile + (lane / 16 * 8 + lane % 8) * stride + lane / 8 % 2 * 8);
}

// the same where rows of the tile are their rows
template <typename T>
static __device__ inline void tensor_load_b_turned(uint32_t b[4], const T *tile, int stride)
{
    const int lane = threadIdx.x % CUDA_WARP;

    ptx_load_turned(b, tile + lane % 16 * stride + lane / 16 * 8);
}

/* c [16, 8 TILES] += A B, 16 deep, with B from the tile: turned or not, as above. The tile has columns for
 * an even number of products. */
template <typename T, int TILES, bool TURNED>
static __device__ inline void tensor_multiply(float c[TILES][4], const uint32_t a[4], const T *tile,
                                              int stride)
{
#pragma unroll
    for (int i = 0; i < TILES; i += 2) {
        uint32_t b[4];

        if (TURNED) {
            tensor_load_b_turned(b, tile + i * 8, stride);
        } else {
            tensor_load_b(b, tile + i * 8 * stride, stride);
        }
        ptx_multiply(c[i], a, b, T());
        if (i + 1 < TILES) {
            ptx_multiply(c[i + 1], a, b + 2, T());
        }
    }
}

// C of two products side by side, rounded, is A of the next one: 16 of the sums c, from number 2 step on
template <typename T, int TILES>
static __device__ inline void tensor_as_a(uint32_t a[4], const float c[TILES][4], int step)
{
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float *from = c[2 * step + i / 2] + i % 2 * 2;

        a[i] = tensor_pair(from[0], from[1], T());
    }
}

/* Begins to copy rows [count, columns], `apart` values from one to the next, into a tile of ROWS rows of
 * TENSOR_ROW(COLUMNS); what is not there becomes 0, which products then add. */
template <typename T, int ROWS, int COLUMNS>
static __device__ inline void tensor_copy(T *tile, const T *from, int64_t apart, int count)
{
    constexpr int copied = PTX_COPY / 2, pieces = TENSOR_STEPS(COLUMNS) * TENSOR_DEPTH / copied;

    for (int i = threadIdx.x; i < ROWS * pieces; i += blockDim.x) {
        const int row = i / pieces, column = i % pieces * copied;
        const bool there = row < count && column < COLUMNS;

        ptx_copy(tile + row * TENSOR_ROW(COLUMNS) + column,
                 there ? from + row * apart + column : from, there);
    }
}
