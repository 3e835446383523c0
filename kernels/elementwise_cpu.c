/* elementwise_cpu.c: sums of arrays, rows added to pictures, columns, nearest-neighbour scaling;
 * formulas in elementwise_reference.c and resample_reference.c. All are bound by memory. */
#include "kernels/clones.h"
#include "kernels/cpu.h"

#include <string.h>

// y [i + y_from] = a [i + a_from] + b [i + b_from]
CPU_LOOP void add_loop(enum kernels_type type, int64_t count, const cell *a, int64_t a_from,
                       const cell *b, int64_t b_from, cell *y, int64_t y_from)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        cell_set(type, y, y_from + i,
                 cell_get(type, a, a_from + i) + cell_get(type, b, b_from + i));
    }
}

CPU_CLONES static void add_values(enum kernels_type type, int64_t count, const cell *a,
                                  int64_t a_from, const cell *b, int64_t b_from, cell *y,
                                  int64_t y_from)
{
    CPU_BY_TYPE(add_loop, type, count, a, a_from, b, b_from, y, y_from);
}

static void add(const kernels *k, int64_t count, const cell *a, const cell *b, cell *y)
{
#pragma omp parallel num_threads(cpu_threads(k, count))
    {
        const struct cpu_share s = cpu_share(count);

        add_values(k->activation, s.last - s.first, a, s.first, b, s.first, y, s.first);
    }
}

CPU_LOOP void accumulate_loop(enum kernels_type type, struct cpu_share s, float factor,
                              const void *x, void *y)
{
#pragma omp simd
    for (int64_t i = s.first; i < s.last; i++) {
        cell_add(type, y, i, factor * cell_get(type, x, i));
    }
}

CPU_CLONES static void accumulate_share(enum kernels_type type, struct cpu_share s, float factor,
                                        const void *x, void *y)
{
    CPU_BY_TYPE(accumulate_loop, type, s, factor, x, y);
}

static void accumulate(const kernels *k, enum kernels_type type, int64_t count, real factor,
                       const void *x, void *y)
{
#pragma omp parallel num_threads(cpu_threads(k, count))
    accumulate_share(type, cpu_share(count), factor, x, y);
}

static void add_row_forward(const kernels *k, int n, int64_t t, int c, const cell *x,
                            const cell *row, cell *y)
{
#pragma omp parallel for num_threads(cpu_threads(k, n *t *c)) schedule(static)
    for (int64_t token = 0; token < n * t; token++) {
        add_values(k->activation, c, x, token * c, row, token / t * c, y, token * c);
    }
}

#define COLUMNS 64 // summed at a time, a multiple of a cache line

// drow [to .. to + count] += sum over t rows of dy, c values apart, the first at `from`
CPU_LOOP void sum_loop(enum kernels_type type, int64_t t, int c, int count, const cell *dy,
                       int64_t from, cell *drow, int64_t to)
{
    double sum[COLUMNS] = {0};

    for (int64_t token = 0; token < t; token++, from += c) {
#pragma omp simd
        for (int i = 0; i < count; i++) {
            sum[i] += cell_get(type, dy, from + i);
        }
    }
    for (int i = 0; i < count; i++) {
        cell_add(type, drow, to + i, (float)sum[i]);
    }
}

CPU_CLONES static void sum_columns(enum kernels_type type, int64_t t, int c, int count,
                                   const cell *dy, int64_t from, cell *drow, int64_t to)
{
    CPU_BY_TYPE(sum_loop, type, t, c, count, dy, from, drow, to);
}

static void add_row_backward(const kernels *k, int n, int64_t t, int c, const cell *dy, cell *drow)
{
#pragma omp parallel for collapse(2) num_threads(cpu_threads(k, n *t *c)) schedule(static)
    for (int picture = 0; picture < n; picture++) {
        for (int from = 0; from < c; from += COLUMNS) {
            sum_columns(k->activation, t, c, MIN(COLUMNS, c - from), dy, picture * t * c + from,
                        drow, (int64_t)picture * c + from);
        }
    }
}

// count values of x from x_from on to y_from of y
static void copy_values(const kernels *k, int64_t count, const cell *x, int64_t x_from, cell *y,
                        int64_t y_from)
{
    memcpy(kernels_at(k, y, y_from), kernels_at(k, x, x_from),
           (size_t)count * kernels_size(k->activation));
}

static void copy_columns(const kernels *k, int64_t t, int c, const cell *x, int64_t x_stride,
                         cell *y, int64_t y_stride, bool accumulate_rows)
{
#pragma omp parallel for num_threads(cpu_threads(k, t *c)) schedule(static)
    for (int64_t token = 0; token < t; token++) {
        const int64_t from = token * x_stride, to = token * y_stride;

        if (accumulate_rows) {
            add_values(k->activation, c, y, to, x, from, y, to);
        } else {
            copy_values(k, c, x, from, y, to);
        }
    }
}

// first output row or column whose source is at least i: the smallest o with o * in / out >= i
static int first_output(int i, int in, int out)
{
    return (int)(((int64_t)i * out + in - 1) / in);
}

static void upsample_forward(const kernels *k, struct upsample_shape s, const cell *x, cell *y)
{
    const int64_t rows = (int64_t)s.n * s.out_h;

#pragma omp parallel for num_threads(cpu_threads(k, rows *s.out_w *s.c)) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const int64_t source = row / s.out_h * s.h + row % s.out_h * s.h / s.out_h;

        for (int j = 0; j < s.out_w; j++) {
            const int64_t from = source * s.w + (int64_t)j * s.w / s.out_w;

            copy_values(k, s.c, x, from * s.c, y, (row * s.out_w + j) * s.c);
        }
    }
}

// the output pixels [top .. bottom, left .. right] of picture n that copied one input pixel
struct copies {
    int64_t n;
    int top, bottom, left, right;
};

// dx [to .. to + count] += channels from .. from + count of the copies
CPU_LOOP void collect_loop(enum kernels_type type, struct upsample_shape s, struct copies p,
                           int from, int count, const cell *dy, cell *dx, int64_t to)
{
    float sum[COLUMNS];

    for (int i = 0; i < count; i++) {
        sum[i] = cell_get(type, dx, to + i);
    }
    for (int y = p.top; y < p.bottom; y++) {
        for (int x = p.left; x < p.right; x++) {
            const int64_t at = ((p.n * s.out_h + y) * s.out_w + x) * s.c + from;

#pragma omp simd
            for (int i = 0; i < count; i++) {
                sum[i] += cell_get(type, dy, at + i);
            }
        }
    }
    for (int i = 0; i < count; i++) {
        cell_set(type, dx, to + i, sum[i]);
    }
}

CPU_CLONES static void collect_pixel(enum kernels_type type, struct upsample_shape s,
                                     struct copies p, const cell *dy, cell *dx, int64_t to)
{
    for (int from = 0; from < s.c; from += COLUMNS) {
        CPU_BY_TYPE(collect_loop, type, s, p, from, MIN(COLUMNS, s.c - from), dy, dx, to + from);
    }
}

static void upsample_backward(const kernels *k, struct upsample_shape s, const cell *dy, cell *dx)
{
    const int64_t rows = (int64_t)s.n * s.h;

#pragma omp parallel for num_threads(cpu_threads(k, rows *s.w *s.c)) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const int i = (int)(row % s.h);

        for (int j = 0; j < s.w; j++) {
            const struct copies p = {
                row / s.h, first_output(i, s.h, s.out_h), first_output(i + 1, s.h, s.out_h),
                first_output(j, s.w, s.out_w), first_output(j + 1, s.w, s.out_w)};

            collect_pixel(k->activation, s, p, dy, dx, (row * s.w + j) * s.c);
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
