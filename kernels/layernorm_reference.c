/* layernorm_reference.c: normalisation of each row of x [t, c].
 *   forward   y = (x - mean) * rstd * gain + bias;  rstd = 1 / sqrt(var + eps)
 *   backward  g = dy gain,  xhat = (x - mean) * rstd
 *             dx += rstd * (g - avg(g) - xhat * avg(g xhat)),  dgain += sum over rows of dy xhat
 * mean and rstd are kept from the forward pass, [t]. */
#include "kernels/cell.h"
#include "kernels/reference.h"

#include <math.h>

static void layernorm_forward(const kernels *k, struct layernorm_shape s, const cell *x,
                              const real *gain, const real *bias, cell *y, real *mean, real *rstd)
{
    const enum kernels_type type = k->activation;

    for (int64_t t = 0, at = 0; t < s.t; t++, at += s.c) {
        double average = 0, variance = 0;

        for (int c = 0; c < s.c; c++) {
            average += (double)cell_get(type, x, at + c) / s.c;
        }
        for (int c = 0; c < s.c; c++) {
            const double centred = (double)cell_get(type, x, at + c) - average;

            variance += centred * centred / s.c;
        }

        const double scale = 1 / sqrt(variance + (double)s.epsilon);
        for (int c = 0; c < s.c; c++) {
            const double xhat = ((double)cell_get(type, x, at + c) - average) * scale;

            cell_set(type, y, at + c, (real)(xhat * gain[c] + bias[c]));
        }
        mean[t] = (real)average;
        rstd[t] = (real)scale;
    }
}

// the row that begins at `at`
static void row_backward(enum kernels_type type, struct layernorm_shape s, int64_t at,
                         const cell *x, const real *gain, double mean, double rstd, const cell *dy,
                         cell *dx)
{
    double average = 0, projection = 0;

    for (int c = 0; c < s.c; c++) {
        const double g = (double)cell_get(type, dy, at + c) * gain[c];

        average += g / s.c;
        projection += g * ((double)cell_get(type, x, at + c) - mean) * rstd / s.c;
    }
    for (int c = 0; c < s.c; c++) {
        const double g = (double)cell_get(type, dy, at + c) * gain[c];
        const double xhat = ((double)cell_get(type, x, at + c) - mean) * rstd;

        cell_add(type, dx, at + c, (real)(rstd * (g - average - xhat * projection)));
    }
}

static void layernorm_backward(const kernels *k, struct layernorm_shape s, const cell *x,
                               const real *gain, const real *mean, const real *rstd, const cell *dy,
                               cell *dx, real *dgain)
{
    const enum kernels_type type = k->activation;

    for (int64_t t = 0; dx && t < s.t; t++) {
        row_backward(type, s, t * s.c, x, gain, mean[t], rstd[t], dy, dx);
    }
    for (int c = 0; dgain && c < s.c; c++) {
        double sum = 0;

        for (int64_t t = 0; t < s.t; t++) {
            sum += (double)cell_get(type, dy, t * s.c + c) *
                   ((double)cell_get(type, x, t * s.c + c) - mean[t]) * rstd[t];
        }
        dgain[c] += (real)sum;
    }
}

void reference_fill_layernorm(kernels *k)
{
    k->layernorm_forward = layernorm_forward;
    k->layernorm_backward = layernorm_backward;
}
