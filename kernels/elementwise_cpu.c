/* elementwise_cpu.c: sums of arrays, rows added to pictures, columns, nearest-neighbour scaling;
 * formulas in elementwise_reference.c and resample_reference.c. All are bound by memory. */
#include "kernels/clones.h"
#include "kernels/cpu.h"

#include <string.h>

CPU_CLONES static void add_arrays(int threads, int64_t count, const float *a, const float *b,
                                  float *y)
{
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; i++) {
        y[i] = a[i] + b[i];
    }
}

static void add(const kernels *k, int64_t count, const real *a, const real *b, real *y)
{
    add_arrays(cpu_threads(k, count), count, a, b, y);
}

CPU_CLONES static void accumulate_array(int threads, int64_t count, float factor, const float *x,
                                        float *y)
{
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; i++) {
        y[i] += factor * x[i];
    }
}

static void accumulate(const kernels *k, int64_t count, real factor, const real *x, real *y)
{
    accumulate_array(cpu_threads(k, count), count, factor, x, y);
}

CPU_CLONES static void add_row(int c, const float *x, const float *row, float *y)
{
#pragma omp simd
    for (int i = 0; i < c; i++) {
        y[i] = x[i] + row[i];
    }
}

static void add_row_forward(const kernels *k, int n, int64_t t, int c, const real *x,
                            const real *row, real *y)
{
#pragma omp parallel for num_threads(cpu_threads(k, n *t *c)) schedule(static)
    for (int64_t token = 0; token < n * t; token++) {
        add_row(c, x + token * c, row + token / t * c, y + token * c);
    }
}

#define COLUMNS 64 // summed at a time, a multiple of a cache line

// drow [count] += sum over t rows of dy, c values apart
CPU_CLONES static void sum_columns(int64_t t, int c, int count, const float *dy, float *drow)
{
    double sum[COLUMNS] = {0};

    for (int64_t token = 0; token < t; token++, dy += c) {
#pragma omp simd
        for (int i = 0; i < count; i++) {
            sum[i] += dy[i];
        }
    }
    for (int i = 0; i < count; i++) {
        drow[i] += (float)sum[i];
    }
}

static void add_row_backward(const kernels *k, int n, int64_t t, int c, const real *dy, real *drow)
{
#pragma omp parallel for collapse(2) num_threads(cpu_threads(k, n *t *c)) schedule(static)
    for (int picture = 0; picture < n; picture++) {
        for (int from = 0; from < c; from += COLUMNS) {
            sum_columns(t, c, MIN(COLUMNS, c - from), dy + picture * t * c + from,
                        drow + (int64_t)picture * c + from);
        }
    }
}

static void copy_columns(const kernels *k, int64_t t, int c, const real *x, int64_t x_stride,
                         real *y, int64_t y_stride, bool accumulate_rows)
{
#pragma omp parallel for num_threads(cpu_threads(k, t *c)) schedule(static)
    for (int64_t token = 0; token < t; token++) {
        if (accumulate_rows) {
            add_row(c, y + token * y_stride, x + token * x_stride, y + token * y_stride);
        } else {
            memcpy(y + token * y_stride, x + token * x_stride, (size_t)c * sizeof *y);
        }
    }
}

// first output row or column whose source is at least i: the smallest o with o * in / out >= i
static int first_output(int i, int in, int out)
{
    return (int)(((int64_t)i * out + in - 1) / in);
}

static void upsample_forward(const kernels *k, struct upsample_shape s, const real *x, real *y)
{
    const int64_t rows = (int64_t)s.n * s.out_h;

#pragma omp parallel for num_threads(cpu_threads(k, rows *s.out_w *s.c)) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const int64_t source = row / s.out_h * s.h + row % s.out_h * s.h / s.out_h;

        for (int j = 0; j < s.out_w; j++) {
            const int64_t from = source * s.w + (int64_t)j * s.w / s.out_w;

            memcpy(y + (row * s.out_w + j) * s.c, x + from * s.c, (size_t)s.c * sizeof *y);
        }
    }
}

// dx [c] of input pixel (n, i, j) += the output pixels that copied it
static void collect_pixel(struct upsample_shape s, int64_t n, int i, int j, const float *dy,
                          float *dx)
{
    for (int y = first_output(i, s.h, s.out_h); y < first_output(i + 1, s.h, s.out_h); y++) {
        for (int x = first_output(j, s.w, s.out_w); x < first_output(j + 1, s.w, s.out_w); x++) {
            add_row(s.c, dx, dy + ((n * s.out_h + y) * s.out_w + x) * s.c, dx);
        }
    }
}

static void upsample_backward(const kernels *k, struct upsample_shape s, const real *dy, real *dx)
{
    const int64_t rows = (int64_t)s.n * s.h;

#pragma omp parallel for num_threads(cpu_threads(k, rows *s.w *s.c)) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        for (int j = 0; j < s.w; j++) {
            collect_pixel(s, row / s.h, (int)(row % s.h), j, dy, dx + (row * s.w + j) * s.c);
        }
    }
}

void cpu_fill_elementwise(kernels *k)
{
    k->add = add;
    k->accumulate = accumulate;
    k->add_row_forward = add_row_forward;
    k->add_row_backward = add_row_backward;
    k->copy_columns = copy_columns;
    k->upsample_forward = upsample_forward;
    k->upsample_backward = upsample_backward;
}
