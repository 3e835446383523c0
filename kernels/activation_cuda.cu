/* activation_cuda.cu: y = f(x), dx += dy f'(x), and the gated GELU; formulas in
 * activation_reference.c. A thread a value; the normal distribution function is CUDA's own. */
#include "kernels/cell_cuda.h"

#define INVERSE_SQRT_2PI 0.39894228f // 1 / sqrt(2 pi)

static __device__ inline float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

static __device__ inline float silu_slope(float x)
{
    const float s = sigmoid(x);

    return s * (1 + x * (1 - s));
}

static __device__ inline float gelu_slope(float x)
{
    return normcdff(x) + x * INVERSE_SQRT_2PI * expf(-0.5f * x * x);
}

static __device__ inline float activated(enum activation a, float x)
{
    return a == ACTIVATION_SILU   ? x * sigmoid(x)
           : a == ACTIVATION_GELU ? x * normcdff(x)
                                  : x * sigmoid(1.702f * x);
}

static __device__ inline float slope(enum activation a, float x)
{
    return a == ACTIVATION_SILU   ? silu_slope(x)
           : a == ACTIVATION_GELU ? gelu_slope(x)
                                  : silu_slope(1.702f * x);
}

template <typename T>
static __global__ void activate(enum activation a, int64_t count, const T *__restrict__ x,
                                T *__restrict__ y)
{
    EACH(i, count)
    {
        put(y + i, activated(a, value_of(x[i])));
    }
}

template <typename T>
static __global__ void activate_back(enum activation a, int64_t count, const T *__restrict__ x,
                                     const T *__restrict__ dy, T *__restrict__ dx)
{
    EACH(i, count)
    {
        put_more(dx + i, value_of(dy[i]) * slope(a, value_of(x[i])));
    }
}

// x [t, 2 c] = [value | gate]
template <typename T>
static __global__ void gate_values(int64_t t, int c, const T *__restrict__ x, T *__restrict__ y)
{
    EACH_ROW(row, t)
    {
        EACH_COLUMN(i, c)
        {
            const T *at = x + row * 2 * c + i;

            put(y + row * c + i, value_of(at[0]) * activated(ACTIVATION_GELU, value_of(at[c])));
        }
    }
}

template <typename T>
static __global__ void gate_values_back(int64_t t, int c, const T *__restrict__ x,
                                        const T *__restrict__ dy, T *__restrict__ dx)
{
    EACH_ROW(row, t)
    {
        EACH_COLUMN(i, c)
        {
            const int64_t at = row * 2 * c + i;
            const float value = value_of(x[at]), gate = value_of(x[at + c]);
            const float upstream = value_of(dy[row * c + i]);

            put_more(dx + at, upstream * activated(ACTIVATION_GELU, gate));
            put_more(dx + at + c, upstream * value * gelu_slope(gate));
        }
    }
}

static void activation_forward(const kernels *k, enum activation a, int64_t count, const cell *x,
                               cell *y)
{
    if (count == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(activate<T>, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), a, count,
               (const T *)x, (T *)y);
    });
}

static void activation_backward(const kernels *k, enum activation a, int64_t count, const cell *x,
                                const cell *dy, cell *dx)
{
    if (count == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(activate_back<T>, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), a, count,
               (const T *)x, (const T *)dy, (T *)dx);
    });
}

static void geglu_forward(const kernels *k, int64_t t, int c, const cell *x, cell *y)
{
    if (t == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(gate_values<T>, cuda_row_blocks(t), cuda_row_threads(), 0, cuda_stream(k), t, c,
               (const T *)x, (T *)y);
    });
}

static void geglu_backward(const kernels *k, int64_t t, int c, const cell *x, const cell *dy,
                           cell *dx)
{
    if (t == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(gate_values_back<T>, cuda_row_blocks(t), cuda_row_threads(), 0, cuda_stream(k), t, c,
               (const T *)x, (const T *)dy, (T *)dx);
    });
}

void cuda_fill_activation(kernels *k)
{
    k->activation_forward = activation_forward;
    k->activation_backward = activation_backward;
    k->geglu_forward = geglu_forward;
    k->geglu_backward = geglu_backward;
}
