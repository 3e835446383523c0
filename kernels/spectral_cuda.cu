/* spectral_cuda.cu: the small steps between the two factors of a shifted weight; formulas in
 * spectral_reference.c. */
#include "kernels/cell_cuda.h"
#include "kernels/reduce_cuda.h"

// gain may be sigma or shift
static __global__ void gain_values(int count, const float *sigma, const float *shift, float scale,
                                   float *gain)
{
    EACH(i, count)
    {
        gain[i] = fmaxf(fmaf(scale, shift[i], sigma[i]), 0);
    }
}

// y may be x
template <typename T>
static __global__ void scale_values(int64_t t, int r, const T *x, const float *__restrict__ gain,
                                    T *y)
{
    EACH_ROW(row, t)
    {
        EACH_COLUMN(i, r)
        {
            put(y + row * r + i, value_of(x[row * r + i]) * gain[i]);
        }
    }
}

// parts [d.count, r] of the sums of p q over t
template <typename T>
static __global__ void dot_parts(int64_t t, int r, struct column_parts d, const T *__restrict__ p,
                                 const T *__restrict__ q, float *__restrict__ parts)
{
    SHARED(struct column_sums, sums);
    const int column = blockIdx.x * CUDA_WARP + threadIdx.x;
    const float sum = column_sum(t, d, column < r, sums, [=](int64_t row) {
        return value_of(p[row * r + column]) * value_of(q[row * r + column]);
    });

    if (threadIdx.y == 0 && column < r) {
        parts[blockIdx.y * (int64_t)r + column] = sum;
    }
}

// the same, with p scaled as it is read, each value by the thread that sums it
template <typename T>
static __global__ void back_parts(int64_t t, int r, struct column_parts d, const T *__restrict__ q,
                                  const float *__restrict__ gain, T *__restrict__ p,
                                  float *__restrict__ parts)
{
    SHARED(struct column_sums, sums);
    const int column = blockIdx.x * CUDA_WARP + threadIdx.x;
    const float factor = column < r ? gain[column] : 0;
    const float sum = column_sum(t, d, column < r, sums, [=](int64_t row) {
        const float value = value_of(p[row * r + column]);

        put(p + row * r + column, value * factor);
        return value * value_of(q[row * r + column]);
    });

    if (threadIdx.y == 0 && column < r) {
        parts[blockIdx.y * (int64_t)r + column] = sum;
    }
}

static __global__ void dot_add(int r, int count, const float *__restrict__ parts,
                               const float *__restrict__ gain, float scale,
                               float *__restrict__ dshift)
{
    EACH(i, r)
    {
        if (gain[i] > 0) {
            dshift[i] += scale * column_add(count, r, parts + i);
        }
    }
}

static void shift_gain(const kernels *k, int count, const real *sigma, const real *shift,
                       real scale, real *gain)
{
    if (count > 0) {
        LAUNCH(gain_values, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), count, sigma,
               shift, scale, gain);
    }
}

static void scale_columns(const kernels *k, enum kernels_type type, int64_t t, int r, const void *x,
                          const real *gain, void *y)
{
    if (t == 0) {
        return;
    }
    cuda_by_type(type, [=](auto type) {
        using T = decltype(type);
        LAUNCH(scale_values<T>, cuda_row_blocks(t), cuda_row_threads(), 0, cuda_stream(k), t, r,
               (const T *)x, gain, (T *)y);
    });
}

static void column_dot(const kernels *k, enum kernels_type type, int64_t t, int r, const void *p,
                       const void *q, const real *gain, real scale, real *dshift)
{
    if (t == 0) {
        return;
    }
    const struct column_parts d = column_divide(t);
    struct cuda_room room = cuda_workspace(k);
    float *parts = (float *)cuda_take(&room, sizeof(float) * (size_t)d.count * r);
    cuda_by_type(type, [=](auto type) {
        using T = decltype(type);
        LAUNCH(dot_parts<T>, column_grid(r, d, 1), column_threads(), sizeof(struct column_sums),
               cuda_stream(k), t, r, d, (const T *)p, (const T *)q, parts);
    });
    LAUNCH(dot_add, cuda_blocks(r), CUDA_THREADS, 0, cuda_stream(k), r, d.count, parts, gain, scale,
           dshift);
}

static void shift_backward(const kernels *k, int64_t t, int r, const cell *q, const real *gain,
                           cell *p, real *dshift)
{
    if (t == 0) {
        return;
    }
    const struct column_parts d = column_divide(t);
    struct cuda_room room = cuda_workspace(k);
    float *parts = (float *)cuda_take(&room, sizeof(float) * (size_t)d.count * r);
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(back_parts<T>, column_grid(r, d, 1), column_threads(), sizeof(struct column_sums),
               cuda_stream(k), t, r, d, (const T *)q, gain, (T *)p, parts);
    });
    LAUNCH(dot_add, cuda_blocks(r), CUDA_THREADS, 0, cuda_stream(k), r, d.count, parts, gain, 1,
           dshift);
}

void cuda_fill_spectral(kernels *k)
{
    k->shift_gain = shift_gain;
    k->scale_columns = scale_columns;
    k->column_dot = column_dot;
    k->shift_backward = shift_backward;
}
