/* gemm_cuda.cu: C [m, n] = A [m, k] B [k, n] in float, in tf32 too, since weights are made by it, and values of one type as those of another;
 * formulas in gemm_reference.c. */
#include "kernels/cell_cuda.h"

static void gemm(const kernels *k, struct gemm_shape s, const real *a, const real *b, real *c)
{
    const struct cuda_product p = {s, KERNELS_F32, KERNELS_F32, KERNELS_F32, a, b, NULL, c, false};

    cuda_multiply(k, &p, cuda_workspace(k));
}

// value i of another type, whatever bits it has: CUDA's own conversion makes one NaN of all
static __device__ inline void convert_value(float x, bf16 *y)
{
    const uint32_t bits = __float_as_uint(x), nearest = bits + 0x7fffu + (bits >> 16 & 1);

    *(uint16_t *)y = (uint16_t)((isnan(x) ? bits | 0x400000u : nearest) >> 16);
}

static __device__ inline void convert_value(float x, f16 *y)
{
    const uint32_t quiet = (__float_as_uint(x) >> 16 & 0x8000u) | 0x7e00u;

    put(y, x);
    if (isnan(x)) {
        *(uint16_t *)y = (uint16_t)quiet;
    }
}

template <typename T> static __device__ inline void convert_value(T x, T *y)
{
    *y = x;
}

static __device__ inline void convert_value(bf16 x, float *y)
{
    *y = value_of(x);
}

static __device__ inline void convert_value(f16 x, float *y)
{
    const uint32_t bits = *(const uint16_t *)&x;
    const uint32_t nan = (bits & 0x8000u) << 16 | 0x7f800000u | (bits & 0x3ffu) << 13;

    *y = isnan(value_of(x)) ? __uint_as_float(nan) : value_of(x);
}

static __device__ inline void convert_value(bf16 x, f16 *y)
{
    convert_value(value_of(x), y);
}

static __device__ inline void convert_value(f16 x, bf16 *y)
{
    float value;

    convert_value(x, &value);
    convert_value(value, y);
}

template <typename From, typename To>
static __global__ void convert_values(int64_t count, const From *__restrict__ x, To *__restrict__ y)
{
    EACH(i, count)
    {
        convert_value(x[i], y + i);
    }
}

static void convert(const kernels *k, int64_t count, enum kernels_type from, const void *x,
                    enum kernels_type to, void *y)
{
    if (count == 0) {
        return;
    }
    cuda_by_type(from, [=](auto from_type) {
        cuda_by_type(to, [=](auto to_type) {
            using From = decltype(from_type);
            using To = decltype(to_type);
            const auto kernel = convert_values<From, To>;

            LAUNCH(kernel, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), count,
                   (const From *)x, (To *)y);
        });
    });
}

void cuda_fill_gemm(kernels *k)
{
    k->gemm = gemm;
    k->convert = convert;
}
