/* elementwise_reference.c: sums of arrays, rows added to pictures, and columns copied between
 * arrays of different width (concatenation and splitting of channels). */
#include "kernels/reference.h"

static void add(const kernels *k, int64_t count, const real *a, const real *b, real *y)
{
    for (int64_t i = 0; i < count; i++) {
        y[i] = a[i] + b[i];
    }
}

static void accumulate(const kernels *k, int64_t count, real factor, const real *x, real *y)
{
    for (int64_t i = 0; i < count; i++) {
        y[i] = (real)((double)y[i] + (double)factor * (double)x[i]);
    }
}

// y [n, t, c] = x + row [n, c]
static void add_row_forward(const kernels *k, int n, int64_t t, int c, const real *x,
                            const real *row, real *y)
{
    for (int64_t i = 0; i < n * t * c; i++) {
        y[i] = x[i] + row[i / (t * c) * c + i % c];
    }
}

// drow [n, c] += sum of dy over t
static void add_row_backward(const kernels *k, int n, int64_t t, int c, const real *dy, real *drow)
{
    for (int picture = 0; picture < n; picture++, dy += t * c, drow += c) {
        for (int i = 0; i < c; i++) {
            double sum = 0;

            for (int64_t token = 0; token < t; token++) {
                sum += (double)dy[token * c + i];
            }
            drow[i] += (real)sum;
        }
    }
}

static void copy_columns(const kernels *k, int64_t t, int c, const real *x, int64_t x_stride,
                         real *y, int64_t y_stride, bool accumulate_rows)
{
    for (int64_t token = 0; token < t; token++, x += x_stride, y += y_stride) {
        for (int i = 0; i < c; i++) {
            y[i] = accumulate_rows ? y[i] + x[i] : x[i];
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
