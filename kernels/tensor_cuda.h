/* tensor_cuda.h: tiles of values in shared memory, and a warp's products of them on tensor cores; which
 * lane holds what is told in ptx_cuda.h. Values have 16 bits, or are floats of which ten bits of mantissa are
 * multiplied, where a type T is float.
 *
 * A tile's rows lie `stride` values apart, TENSOR_ROW of their columns: multiples of 16 bytes that bring
 * eight rows to eight different banks. Blocks have one dimension. */
#pragma once

#include "kernels/cell_cuda.h"

// values of a copy and of a row that is loaded; columns of A and rows of B that are multiplied at a time
#define TENSOR_PIECE(T)        (PTX_COPY / (int)sizeof(T))
#define TENSOR_DEPTH(T)        (2 * TENSOR_PIECE(T))
#define TENSOR_STEPS(T, depth) (((depth) + TENSOR_DEPTH(T) - 1) / TENSOR_DEPTH(T))
#define TENSOR_ROW(T, columns) (TENSOR_STEPS(T, columns) * TENSOR_DEPTH(T) + TENSOR_PIECE(T))

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

// two neighbours in memory, from a place that is aligned to both
template <typename T> static __device__ inline float2 tensor_get(const T *from)
{
    return tensor_unpair(*(const uint32_t *)from, T());
}

static __device__ inline float2 tensor_get(const float *from)
{
    return *(const float2 *)from;
}

template <typename T> static __device__ inline void tensor_put(T *to, float first, float second)
{
    *(uint32_t *)to = tensor_pair(first, second, T());
}

static __device__ inline void tensor_put(float *to, float first, float second)
{
    *(float2 *)to = make_float2(first, second);
}

// four registers of factors as they are multiplied
template <typename T> static __device__ inline void tensor_round(uint32_t m[4], T)
{
}

static __device__ inline void tensor_round(uint32_t m[4], float)
{
#pragma unroll
    for (int i = 0; i < 4; i++) {
        m[i] = ptx_round(m[i]);
    }
}

// A [16, depth] from rows of a tile
template <typename T>
static __device__ inline void tensor_load_a(uint32_t a[4], const T *tile, int stride)
{
    const int lane = threadIdx.x % CUDA_WARP;

    ptx_load(a, tile + lane % 16 * stride + lane / 16 * TENSOR_PIECE(T));
    tensor_round(a, T());
}

// two B [depth, 8] side by side: b[0], b[1] and b[2], b[3]; rows of the tile are their columns
template <typename T>
static __device__ inline void tensor_load_b(uint32_t b[4], const T *tile, int stride)
{
    const int lane = threadIdx.x % CUDA_WARP;

    ptx_load(b, tile + (lane / 16 * 8 + lane % 8) * stride + lane / 8 % 2 * TENSOR_PIECE(T));
    tensor_round(b, T());
}

// the same where rows of the tile are their rows
template <typename T>
static __device__ inline void tensor_load_b_turned(uint32_t b[4], const T *tile, int stride)
{
    const int lane = threadIdx.x % CUDA_WARP;

    ptx_load_turned(b, tile + lane % 16 * stride + lane / 16 * 8);
}

/* Of floats, which no instruction turns: rows `first` and `second` of this lane, of so many B. A stride has to
 * see to it that eight columns of four rows come from different banks. */
static __device__ inline void tensor_load_b_rows(uint32_t b[4], const float *tile, int stride,
                                                 int first, int second, int count)
{
    const float *column = tile + tensor_row();

#pragma unroll
    for (int i = 0; i < 2 * count; i++) {
        b[i] = ptx_round(__float_as_uint(column[(i % 2 ? second : first) * stride + i / 2 * 8]));
    }
}

static __device__ inline void tensor_load_b_turned(uint32_t b[4], const float *tile, int stride)
{
    tensor_load_b_rows(b, tile, stride, tensor_column() / 2, tensor_column() / 2 + 4, 2);
}

/* One or two of the same for an A that tensor_as_a made, whose depth has another order of floats: 0, 2, 4, 6,
 * 1, 3, 5, 7. A stride of TENSOR_ROW brings these rows to different banks. */
template <typename T>
static __device__ inline void tensor_load_b_of_sums(uint32_t b[4], const T *tile, int stride, int)
{
    tensor_load_b_turned(b, tile, stride);
}

static __device__ inline void tensor_load_b_of_sums(uint32_t b[4], const float *tile, int stride,
                                                    int count)
{
    tensor_load_b_rows(b, tile, stride, tensor_column(), tensor_column() + 1, count);
}

/* c [16, 8 TILES] += A B, as deep as one product is, with B from the tile, whose rows are B's columns; or its
 * rows, where A is what tensor_as_a made (OF_SUMS). The tile has columns for an even number of products. */
template <typename T, int TILES, bool OF_SUMS>
static __device__ inline void tensor_multiply(float c[TILES][4], const uint32_t a[4], const T *tile,
                                              int stride)
{
#pragma unroll
    for (int i = 0; i < TILES; i += 2) {
        uint32_t b[4];

        if (OF_SUMS) {
            tensor_load_b_of_sums(b, tile + i * 8, stride, i + 1 < TILES ? 2 : 1);
        } else {
            tensor_load_b(b, tile + i * 8 * stride, stride);
        }
        ptx_multiply(c[i], a, b, T());
        if (i + 1 < TILES) {
            ptx_multiply(c[i + 1], a, b + 2, T());
        }
    }
}

/* C of two products side by side, rounded, is A of the next one: 16 of the sums c, from number 2 step on. Of
 * floats C of one product is A, in the order that its lanes have it. */
template <typename T>
static __device__ inline void tensor_as_a(uint32_t a[4], const float (*c)[4], int step, T)
{
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float *from = c[2 * step + i / 2] + i % 2 * 2;

        a[i] = tensor_pair(from[0], from[1], T());
    }
}

static __device__ inline void tensor_as_a(uint32_t a[4], const float (*c)[4], int step, float)
{
#pragma unroll
    for (int i = 0; i < 4; i++) {
        a[i] = ptx_round(__float_as_uint(c[step][i % 2 * 2 + i / 2]));
    }
}

/* Begins to copy rows [count, columns], `apart` values from one to the next, into a tile of ROWS rows of
 * TENSOR_ROW(COLUMNS); what is not there becomes 0, which products then add. */
template <typename T, int ROWS, int COLUMNS>
static __device__ inline void tensor_copy(T *tile, const T *from, int64_t apart, int count)
{
    constexpr int copied = TENSOR_PIECE(T), pieces = 2 * TENSOR_STEPS(T, COLUMNS);

    for (int i = threadIdx.x; i < ROWS * pieces; i += blockDim.x) {
        const int row = i / pieces, column = i % pieces * copied;
        const bool there = row < count && column < COLUMNS;

        ptx_copy(tile + row * TENSOR_ROW(T, COLUMNS) + column,
                 there ? from + row * apart + column : from, there);
    }
}
