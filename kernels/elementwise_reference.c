/* elementwise_reference.c: sums of arrays, rows added to pictures, and columns copied between
 * arrays of different width (concatenation and splitting of channels). */
#include "kernels/cell.h"
#include "kernels/reference.h"

static void add(const kernels *k, int64_t count, const cell *a, const cell *b, cell *y)
{
    const enum kernels_type type = k->activation;

    for (int64_t i = 0; i < count; i++) {
        cell_set(type, y, i, cell_get(type, a, i) + cell_get(type, b, i));
    }
}

static void accumulate(const kernels *k, enum kernels_type type, int64_t count, real factor,
                       const void *x, void *y)
{
    for (int64_t i = 0; i < count; i++) {
        cell_set(
            type, y, i,
            (real)((double)cell_get(type, y, i) + (double)factor * (double)cell_get(type, x, i)));
    }
}

// y [n, t, c] = x + row [n, c]
static void add_row_forward(const kernels *k, int n, int64_t t, int c, const cell *x,
                            const cell *row, cell *y)
{
    const enum kernels_type type = k->activation;

    for (int64_t i = 0; i < n * t * c; i++) {
        cell_set(type, y, i, cell_get(type, x, i) + cell_get(type, row, i / (t * c) * c + i % c));
    }
}

// drow [n, c] += sum of dy over t
static void add_row_backward(const kernels *k, int n, int64_t t, int c, const cell *dy, cell *drow)
{
    const enum kernels_type type = k->activation;

    for (int64_t i = 0; i < (int64_t)n * c; i++) {
        const int64_t first = i / c * t * c + i % c;
        double sum = 0;

        for (int64_t token = 0; token < t; token++) {
            sum += (double)cell_get(type, dy, first + token * c);
        }
        cell_add(type, drow, i, (real)sum);
    }
}

static void copy_columns(const kernels *k, int64_t t, int c, const cell *x, int64_t x_stride,
                         cell *y, int64_t y_stride, bool accumulate_rows)
{
    const enum kernels_type type = k->activation;

    for (int64_t token = 0; token < t; token++) {
        for (int i = 0; i < c; i++) {
            const real value = cell_get(type, x, token * x_stride + i);
            const int64_t to = token * y_stride + i;

            cell_set(type, y, to, accumulate_rows ? cell_get(type, y, to) + value : value);
        }
    }
}

void reference_fill_elementwise(kernels *k)
{
    k->add = add;
    k->accumulate = accumulate;
    k->add_row_forward = add_row_forward;
    k->add_row_backward = add_row_backward;
    k->copy_columns = copy_columns;
}
