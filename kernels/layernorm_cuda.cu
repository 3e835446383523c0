/* layernorm_cuda.cu: normalisation of each row, a warp a row; formulas in layernorm_reference.c. The
 * gains' slopes are sums over the rows, in parts. */
#include "kernels/cell_cuda.h"
#include "kernels/reduce_cuda.h"

template <typename T>
static __global__ void layernorm_rows(struct layernorm_shape s, const T *__restrict__ x,
                                      const float *__restrict__ gain,
                                      const float *__restrict__ bias, T *__restrict__ y,
                                      float *__restrict__ mean, float *__restrict__ rstd)
{
    EACH_ROW(row, s.t)
    {
        const T *from = x + row * s.c;
        float sum = 0, squares = 0;

        EACH_COLUMN(i, s.c)
        {
            sum += value_of(from[i]);
        }
        const float average = warp_sum(sum) / (float)s.c;
        EACH_COLUMN(i, s.c)
        {
            const float centred = value_of(from[i]) - average;

            squares += centred * centred;
        }
        const float scale = rsqrtf(warp_sum(squares) / (float)s.c + s.epsilon);
        EACH_COLUMN(i, s.c)
        {
            put(y + row * s.c + i, (value_of(from[i]) - average) * scale * gain[i] + bias[i]);
        }
        if (threadIdx.x == 0) {
            mean[row] = average;
            rstd[row] = scale;
        }
    }
}

template <typename T>
static __global__ void
layernorm_slopes(struct layernorm_shape s, const T *__restrict__ x, const float *__restrict__ gain,
                 const float *__restrict__ mean, const float *__restrict__ rstd,
                 const T *__restrict__ dy, T *__restrict__ dx)
{
    EACH_ROW(row, s.t)
    {
        const int64_t at = row * s.c;
        float sum = 0, product = 0;

        EACH_COLUMN(i, s.c)
        {
            const float g = value_of(dy[at + i]) * gain[i];

            sum += g;
            product += g * (value_of(x[at + i]) - mean[row]) * rstd[row];
        }
        const float average = warp_sum(sum) / (float)s.c;
        const float projection = warp_sum(product) / (float)s.c;
        EACH_COLUMN(i, s.c)
        {
            const float g = value_of(dy[at + i]) * gain[i];
            const float xhat = (value_of(x[at + i]) - mean[row]) * rstd[row];

            put_more(dx + at + i, rstd[row] * (g - average - xhat * projection));
        }
    }
}

// parts [p.count, c] of the sums of dy xhat over the rows
template <typename T>
static __global__ void gain_parts(struct layernorm_shape s, struct column_parts p,
                                  const T *__restrict__ x, const float *__restrict__ mean,
                                  const float *__restrict__ rstd, const T *__restrict__ dy,
                                  float *__restrict__ parts)
{
    SHARED(struct column_sums, sums);
    const int column = blockIdx.x * CUDA_WARP + threadIdx.x;
    const float sum = column_sum(s.t, p, column < s.c, sums, [=](int64_t row) {
        const int64_t at = row * s.c + column;
        return value_of(dy[at]) * (value_of(x[at]) - mean[row]) * rstd[row];
    });

    if (threadIdx.y == 0 && column < s.c) {
        parts[blockIdx.y * (int64_t)s.c + column] = sum;
    }
}

static __global__ void gain_add(int c, int count, const float *__restrict__ parts,
                                float *__restrict__ dgain)
{
    EACH(i, c)
    {
        dgain[i] += column_add(count, c, parts + i);
    }
}

static void layernorm_forward(const kernels *k, struct layernorm_shape s, const cell *x,
                              const real *gain, const real *bias, cell *y, real *mean, real *rstd)
{
    if (s.t == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(layernorm_rows<T>, cuda_row_blocks(s.t), cuda_row_threads(), 0, cuda_stream(k), s,
               (const T *)x, gain, bias, (T *)y, mean, rstd);
    });
}

static void layernorm_backward(const kernels *k, struct layernorm_shape s, const cell *x,
                               const real *gain, const real *mean, const real *rstd, const cell *dy,
                               cell *dx, real *dgain)
{
    if (s.t == 0) {
        return;
    }
    const struct column_parts p = column_divide(s.t);
    struct cuda_room room = cuda_workspace(k);
    float *parts = (float *)cuda_take(&room, sizeof(float) * (size_t)p.count * s.c);
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        if (dx != NULL) {
            LAUNCH(layernorm_slopes<T>, cuda_row_blocks(s.t), cuda_row_threads(), 0, cuda_stream(k),
                   s, (const T *)x, gain, mean, rstd, (const T *)dy, (T *)dx);
        }
        if (dgain != NULL) {
            LAUNCH(gain_parts<T>, column_grid(s.c, p, 1), column_threads(),
                   sizeof(struct column_sums), cuda_stream(k), s, p, (const T *)x, mean, rstd,
                   (const T *)dy, parts);
            LAUNCH(gain_add, cuda_blocks(s.c), CUDA_THREADS, 0, cuda_stream(k), s.c, p.count, parts,
                   dgain);
        }
    });
}

void cuda_fill_layernorm(kernels *k)
{
    k->layernorm_forward = layernorm_forward;
    k->layernorm_backward = layernorm_backward;
}
