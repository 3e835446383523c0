/* elementwise_cuda.cu: sums of arrays, rows added to pictures, and columns copied between arrays of
 * different width; formulas in elementwise_reference.c. */
#include "kernels/cell_cuda.h"
#include "kernels/reduce_cuda.h"

// y may be a or b
template <typename T> static __global__ void add_values(int64_t count, const T *a, const T *b, T *y)
{
    EACH(i, count)
    {
        put(y + i, value_of(a[i]) + value_of(b[i]));
    }
}

template <typename T>
static __global__ void add_factor(int64_t count, float factor, const T *__restrict__ x,
                                  T *__restrict__ y)
{
    EACH(i, count)
    {
        put(y + i, fmaf(factor, value_of(x[i]), value_of(y[i])));
    }
}

// of each picture: y [t, c] = x [t, c] + row [c]; the picture is the block's y
template <typename T>
static __global__ void add_row(int64_t t, int c, const T *__restrict__ x, const T *__restrict__ row,
                               T *__restrict__ y)
{
    EACH_ROW(token, t)
    {
        EACH_COLUMN(i, c)
        {
            const int64_t at = (blockIdx.y * t + token) * c + i;

            put(y + at, value_of(x[at]) + value_of(row[blockIdx.y * (int64_t)c + i]));
        }
    }
}

// parts [n, p.count, c] of the sums of dy [n, t, c] over t
template <typename T>
static __global__ void row_parts(int64_t t, int c, struct column_parts p, const T *__restrict__ dy,
                                 float *__restrict__ parts)
{
    SHARED(struct column_sums, sums);
    const int column = blockIdx.x * CUDA_WARP + threadIdx.x;
    const T *at = dy + blockIdx.z * t * c + column;
    const float sum =
        column_sum(t, p, column < c, sums, [=](int64_t token) { return value_of(at[token * c]); });

    if (threadIdx.y == 0 && column < c) {
        parts[((int64_t)blockIdx.z * p.count + blockIdx.y) * c + column] = sum;
    }
}

template <typename T>
static __global__ void row_add(int n, int c, int count, const float *__restrict__ parts,
                               T *__restrict__ drow)
{
    EACH(i, (int64_t)n * c)
    {
        put_more(drow + i, column_add(count, c, parts + i / c * count * c + i % c));
    }
}

template <typename T>
static __global__ void copy_rows(int64_t t, int c, const T *__restrict__ x, int64_t x_stride,
                                 T *__restrict__ y, int64_t y_stride, bool more)
{
    EACH_ROW(row, t)
    {
        EACH_COLUMN(i, c)
        {
            const T value = x[row * x_stride + i];

            if (more) {
                put_more(y + row * y_stride + i, value_of(value));
            } else {
                y[row * y_stride + i] = value;
            }
        }
    }
}

static void add(const kernels *k, int64_t count, const cell *a, const cell *b, cell *y)
{
    if (count == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(add_values<T>, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), count,
               (const T *)a, (const T *)b, (T *)y);
    });
}

static void accumulate(const kernels *k, enum kernels_type type, int64_t count, real factor,
                       const void *x, void *y)
{
    if (count == 0) {
        return;
    }
    cuda_by_type(type, [=](auto type) {
        using T = decltype(type);
        LAUNCH(add_factor<T>, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), count, factor,
               (const T *)x, (T *)y);
    });
}

static void add_row_forward(const kernels *k, int n, int64_t t, int c, const cell *x,
                            const cell *row, cell *y)
{
    if (n == 0 || t == 0) {
        return;
    }
    const dim3 grid(cuda_row_blocks(t), (unsigned)n);
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(add_row<T>, grid, cuda_row_threads(), 0, cuda_stream(k), t, c, (const T *)x,
               (const T *)row, (T *)y);
    });
}

static void add_row_backward(const kernels *k, int n, int64_t t, int c, const cell *dy, cell *drow)
{
    if (n == 0 || t == 0) {
        return;
    }
    const struct column_parts p = column_divide(t);
    struct cuda_room room = cuda_workspace(k);
    float *parts = (float *)cuda_take(&room, sizeof(float) * (size_t)n * p.count * c);
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(row_parts<T>, column_grid(c, p, n), column_threads(), sizeof(struct column_sums),
               cuda_stream(k), t, c, p, (const T *)dy, parts);
        LAUNCH(row_add<T>, cuda_blocks((int64_t)n * c), CUDA_THREADS, 0, cuda_stream(k), n, c,
               p.count, parts, (T *)drow);
    });
}

static void copy_columns(const kernels *k, int64_t t, int c, const cell *x, int64_t x_stride,
                         cell *y, int64_t y_stride, bool accumulate_rows)
{
    if (t == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(copy_rows<T>, cuda_row_blocks(t), cuda_row_threads(), 0, cuda_stream(k), t, c,
               (const T *)x, x_stride, (T *)y, y_stride, accumulate_rows);
    });
}

void cuda_fill_elementwise(kernels *k)
{
    k->add = add;
    k->accumulate = accumulate;
    k->add_row_forward = add_row_forward;
    k->add_row_backward = add_row_backward;
    k->copy_columns = copy_columns;
}
