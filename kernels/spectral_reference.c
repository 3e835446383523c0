/* spectral_reference.c: the three small steps between the two factors of a shifted weight,
 *   y = U diag(gain) Vt x,  gain = relu(sigma + scale * shift)      (SVDiff, equation 2)
 *   dshift += scale * sum over tokens of p q where gain > 0;  q = Vt x, p = Ut dy */
#include "kernels/reference.h"

static void shift_gain(const kernels *k, int count, const real *sigma, const real *shift,
                       real scale, real *gain)
{
    for (int i = 0; i < count; i++) {
        const double shifted = (double)sigma[i] + (double)scale * (double)shift[i];

        gain[i] = (real)(shifted > 0 ? shifted : 0);
    }
}

static void scale_columns(const kernels *k, int64_t t, int r, const real *x, const real *gain,
                          real *y)
{
    for (int64_t i = 0; i < t * r; i++) {
        y[i] = x[i] * gain[i % r];
    }
}

static void column_dot(const kernels *k, int64_t t, int r, const real *p, const real *q,
                       const real *gain, real scale, real *dshift)
{
    for (int i = 0; i < r; i++) {
        double sum = 0;

        for (int64_t token = 0; token < t; token++) {
            sum += (double)p[token * r + i] * (double)q[token * r + i];
        }
        if (gain[i] > 0) {
            dshift[i] += (real)(scale * sum);
        }
    }
}

void reference_fill_spectral(kernels *k)
{
    k->shift_gain = shift_gain;
    k->scale_columns = scale_columns;
    k->column_dot = column_dot;
}
