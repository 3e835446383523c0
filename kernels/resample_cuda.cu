/* resample_cuda.cu: nearest-neighbour scaling of [n, h, w, c] to [n, out_h, out_w, c]; formulas in
 * resample_reference.c. Forward a row is an output pixel, which looks its source up; backward an input
 * pixel, which collects the rectangle of output pixels that came from it. */
#include "kernels/cell_cuda.h"

template <typename T>
static __global__ void upsample(struct upsample_shape s, const T *__restrict__ x, T *__restrict__ y)
{
    EACH_ROW(pixel, (int64_t)s.n * s.out_h * s.out_w)
    {
        const int64_t line = pixel / s.out_w, from_x = pixel % s.out_w * s.w / s.out_w;
        const int64_t from_y = line % s.out_h * s.h / s.out_h;
        const T *from = x + ((line / s.out_h * s.h + from_y) * s.w + from_x) * s.c;

        EACH_COLUMN(i, s.c)
        {
            y[pixel * s.c + i] = from[i];
        }
    }
}

// the first output line (or column) whose source is not before that one: out / in of it, rounded up
static __device__ inline int first_from(int64_t source, int in, int out)
{
    return (int)((source * out + in - 1) / in);
}

template <typename T>
static __global__ void upsample_back(struct upsample_shape s, const T *__restrict__ dy,
                                     T *__restrict__ dx)
{
    EACH_ROW(pixel, (int64_t)s.n * s.h * s.w)
    {
        const int64_t line = pixel / s.w, x = pixel % s.w, y = line % s.h;
        const int left = first_from(x, s.w, s.out_w), right = first_from(x + 1, s.w, s.out_w);
        const int top = first_from(y, s.h, s.out_h), bottom = first_from(y + 1, s.h, s.out_h);

        EACH_COLUMN(c, s.c)
        {
            float sum = 0;

            for (int i = top; i < bottom; i++) {
                for (int j = left; j < right; j++) {
                    sum +=
                        value_of(dy[((line / s.h * s.out_h + i) * s.out_w + j) * (int64_t)s.c + c]);
                }
            }
            put_more(dx + pixel * s.c + c, sum);
        }
    }
}

static void upsample_forward(const kernels *k, struct upsample_shape s, const cell *x, cell *y)
{
    if (s.n == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(upsample<T>, cuda_row_blocks((int64_t)s.n * s.out_h * s.out_w), cuda_row_threads(),
               0, cuda_stream(k), s, (const T *)x, (T *)y);
    });
}

static void upsample_backward(const kernels *k, struct upsample_shape s, const cell *dy, cell *dx)
{
    if (s.n == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(upsample_back<T>, cuda_row_blocks((int64_t)s.n * s.h * s.w), cuda_row_threads(), 0,
               cuda_stream(k), s, (const T *)dy, (T *)dx);
    });
}

void cuda_fill_resample(kernels *k)
{
    k->upsample_forward = upsample_forward;
    k->upsample_backward = upsample_backward;
}
