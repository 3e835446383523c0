/* conv_cuda.cu: convolutions as products of gathered rows; formulas in conv_reference.c.
 *
 *   forward   rows [output pixel, (i, j, c)] of x        y = rows W^T + bias,  W [out, (i, j, c)]
 *   weight    the same rows                              dW += dy^T rows
 *   input     rows [input pixel, (o, i, j)] of dy        dx += rows W,  W [(o, i, j), c]
 *
 * Where channels lie well the first and the last are conv_tensor_cuda.cu's, which gathers nothing in
 * memory. W is the weight as it is stored each time. As many rows at a time as half of the workspace holds; the
 * other half is the product's. A kernel of one pixel needs no rows: they are the picture. */
#include "kernels/conv_cuda.h"

template <typename T> static __device__ inline T zero_of()
{
    T zero;

    put(&zero, 0);
    return zero;
}

// rows [count, kh kw c] of the output pixels from `first` on
template <typename T>
static __global__ void gather_forward(struct conv_shape s, int64_t first, int64_t count,
                                      const T *__restrict__ x, T *__restrict__ rows)
{
    const int taps = s.kh * s.kw;

    EACH_ROW(row, count * taps)
    { // of one tap
        const int tap = (int)(row % taps);
        const int64_t pixel = first + row / taps, line = pixel / s.out_w;
        const int at_x =
            conv_source<false>((int)(pixel % s.out_w), tap % s.kw, s.pad_left, s.stride, s.w);
        const int at_y =
            conv_source<false>((int)(line % s.out_h), tap / s.kw, s.pad_top, s.stride, s.h);
        const bool inside = at_x >= 0 && at_y >= 0;
        const T *from = x + ((line / s.out_h * s.h + at_y) * s.w + at_x) * s.c;

        EACH_COLUMN(c, s.c)
        {
            rows[row * s.c + c] = inside ? from[c] : zero_of<T>();
        }
    }
}

// rows [count, out kh kw] of the input pixels from `first` on
template <typename T>
static __global__ void gather_backward(struct conv_shape s, int64_t first, int64_t count,
                                       const T *__restrict__ dy, T *__restrict__ rows)
{
    const int taps = s.kh * s.kw;

    EACH_ROW(row, count)
    {
        const int64_t pixel = first + row, line = pixel / s.w;
        const int x = (int)(pixel % s.w), y = (int)(line % s.h);

        EACH_COLUMN(i, s.out * taps)
        {
            const int tap = i % taps;
            const int oy = conv_source<true>(y, tap / s.kw, s.pad_top, s.stride, s.out_h);
            const int ox = conv_source<true>(x, tap % s.kw, s.pad_left, s.stride, s.out_w);
            const int64_t from = (line / s.h * s.out_h + oy) * s.out_w + ox;

            rows[row * s.out * taps + i] =
                oy >= 0 && ox >= 0 ? dy[from * s.out + i / taps] : zero_of<T>();
        }
    }
}

static bool is_plain(struct conv_shape s)
{
    return s.kh == 1 && s.kw == 1 && s.stride == 1 && s.pad_top == 0 && s.pad_left == 0 &&
           s.out_h == s.h && s.out_w == s.w;
}

// rows at a time; values: of each
static int64_t rows_at_a_time(const kernels *k, int64_t values)
{
    return (int64_t)(CUDA_WORKSPACE / 2 / ((size_t)values * kernels_size(k->activation)));
}

// a picture's pixels from `first` on as rows, and where they are
static const void *take_forward_rows(const kernels *k, struct conv_shape s, int64_t first,
                                     int64_t count, const cell *x)
{
    void *rows = cuda_device(k)->workspace;

    if (is_plain(s)) {
        return kernels_at(k, x, first * s.c);
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(gather_forward<T>, cuda_row_blocks(count * s.kh * s.kw), cuda_row_threads(), 0,
               cuda_stream(k), s, first, count, (const T *)x, (T *)rows);
    });
    return rows;
}

static const void *take_backward_rows(const kernels *k, struct conv_shape s, int64_t first,
                                      int64_t count, const cell *dy)
{
    void *rows = cuda_device(k)->workspace;

    if (is_plain(s)) {
        return kernels_at(k, dy, first * s.out);
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(gather_backward<T>, cuda_row_blocks(count), cuda_row_threads(), 0, cuda_stream(k), s,
               first, count, (const T *)dy, (T *)rows);
    });
    return rows;
}

static struct cuda_room product_room(const kernels *k)
{
    return {cuda_device(k)->workspace + CUDA_WORKSPACE / 2, CUDA_WORKSPACE / 2};
}

static void conv_forward(const kernels *k, struct conv_shape s, const cell *x,
                         struct kernels_weight w, const real *bias, cell *y)
{
    const int64_t pixels = (int64_t)s.n * s.out_h * s.out_w, values = (int64_t)s.kh * s.kw * s.c;
    const int64_t most = rows_at_a_time(k, values);

    if (conv_tensor(k, s, false, x, w, bias, y)) {
        return;
    }
    for (int64_t first = 0; first < pixels; first += most) {
        const int64_t count = MIN(most, pixels - first);
        const struct gemm_shape shape = {count, s.out, values, false, true, false};
        const struct cuda_product p = {shape,
                                       k->activation,
                                       w.type,
                                       k->activation,
                                       take_forward_rows(k, s, first, count, x),
                                       w.data,
                                       bias,
                                       kernels_at(k, y, first * s.out),
                                       cuda_tf32(k)};

        cuda_multiply(k, &p, product_room(k));
    }
}

static void conv_backward_input(const kernels *k, struct conv_shape s, const cell *dy,
                                struct kernels_weight w, cell *dx)
{
    const int64_t pixels = (int64_t)s.n * s.h * s.w, values = (int64_t)s.out * s.kh * s.kw;
    const int64_t most = rows_at_a_time(k, values);

    if (conv_tensor(k, s, true, dy, w, NULL, dx)) {
        return;
    }
    for (int64_t first = 0; first < pixels; first += most) {
        const int64_t count = MIN(most, pixels - first);
        const struct gemm_shape shape = {count, s.c, values, false, false, true};
        const struct cuda_product p = {shape,
                                       k->activation,
                                       w.type,
                                       k->activation,
                                       take_backward_rows(k, s, first, count, dy),
                                       w.data,
                                       NULL,
                                       kernels_at(k, dx, first * s.c),
                                       cuda_tf32(k)};

        cuda_multiply(k, &p, product_room(k));
    }
}

static void conv_backward_weight(const kernels *k, struct conv_shape s, const cell *dy,
                                 const cell *x, real *dw)
{
    const int64_t pixels = (int64_t)s.n * s.out_h * s.out_w, values = (int64_t)s.kh * s.kw * s.c;
    const int64_t most = rows_at_a_time(k, values);

    for (int64_t first = 0; first < pixels; first += most) {
        const int64_t count = MIN(most, pixels - first);
        const struct gemm_shape shape = {s.out, values, count, true, false, true};
        const struct cuda_product p = {shape,
                                       k->activation,
                                       k->activation,
                                       KERNELS_F32,
                                       kernels_at(k, dy, first * s.out),
                                       take_forward_rows(k, s, first, count, x),
                                       NULL,
                                       dw,
                                       cuda_tf32(k)};

        cuda_multiply(k, &p, product_room(k));
    }
}

void cuda_fill_conv(kernels *k)
{
    k->conv_forward = conv_forward;
    k->conv_backward_input = conv_backward_input;
    k->conv_backward_weight = conv_backward_weight;
}
