/* layernorm_reference.c: normalisation of each row of x [t, c].
 *   forward   y = (x - mean) * rstd * gain + bias;  rstd = 1 / sqrt(var + eps)
 *   backward  g = dy gain,  xhat = (x - mean) * rstd
 *             dx += rstd * (g - avg(g) - xhat * avg(g xhat)),  dgain += sum over rows of dy xhat
 * mean and rstd are kept from the forward pass, [t]. */
#include "kernels/reference.h"

#include <math.h>

static void layernorm_forward(const kernels *k, struct layernorm_shape s, const real *x,
                              const real *gain, const real *bias, real *y, real *mean, real *rstd)
{
    for (int64_t t = 0; t < s.t; t++, x += s.c, y += s.c) {
        double average = 0, variance = 0;

        for (int c = 0; c < s.c; c++) {
            average += (double)x[c] / s.c;
        }
        for (int c = 0; c < s.c; c++) {
            variance += ((double)x[c] - average) * ((double)x[c] - average) / s.c;
        }

        const double scale = 1 / sqrt(variance + (double)s.epsilon);
        for (int c = 0; c < s.c; c++) {
            y[c] = (real)(((double)x[c] - average) * scale * gain[c] + bias[c]);
        }
        mean[t] = (real)average;
        rstd[t] = (real)scale;
    }
}

static void row_backward(struct layernorm_shape s, const real *x, const real *gain, double mean,
                         double rstd, const real *dy, real *dx)
{
    double average = 0, projection = 0;

    for (int c = 0; c < s.c; c++) {
        const double g = (double)dy[c] * gain[c];

        average += g / s.c;
        projection += g * ((double)x[c] - mean) * rstd / s.c;
    }
    for (int c = 0; c < s.c; c++) {
        const double g = (double)dy[c] * gain[c];
        const double xhat = ((double)x[c] - mean) * rstd;

        dx[c] += (real)(rstd * (g - average - xhat * projection));
    }
}

static void layernorm_backward(const kernels *k, struct layernorm_shape s, const real *x,
                               const real *gain, const real *mean, const real *rstd, const real *dy,
                               real *dx, real *dgain)
{
    for (int64_t t = 0; dx && t < s.t; t++) {
        row_backward(s, x + t * s.c, gain, mean[t], rstd[t], dy + t * s.c, dx + t * s.c);
    }
    for (int c = 0; dgain && c < s.c; c++) {
        double sum = 0;

        for (int64_t t = 0; t < s.t; t++) {
            sum += (double)dy[t * s.c + c] * ((double)x[t * s.c + c] - mean[t]) * rstd[t];
        }
        dgain[c] += (real)sum;
    }
}

void reference_fill_layernorm(kernels *k)
{
    k->layernorm_forward = layernorm_forward;
    k->layernorm_backward = layernorm_backward;
}
