/* spectral_reference.c: the small steps between the two factors of a shifted weight,
 *   y = U diag(gain) Vt x,  gain = relu(sigma + scale * shift)      (SVDiff, equation 2)
 *   dshift += scale * sum over tokens of p q where gain > 0;  q = Vt x, p = Ut dy */
#include "kernels/cell.h"
#include "kernels/reference.h"

static void shift_gain(const kernels *k, int count, const real *sigma, const real *shift,
                       real scale, real *gain)
{
    for (int i = 0; i < count; i++) {
        const double shifted = (double)sigma[i] + (double)scale * (double)shift[i];

        gain[i] = (real)(shifted > 0 ? shifted : 0);
    }
}

static void scale_columns(const kernels *k, enum kernels_type type, int64_t t, int r, const void *x,
                          const real *gain, void *y)
{
    for (int64_t i = 0; i < t * r; i++) {
        cell_set(type, y, i, cell_get(type, x, i) * gain[i % r]);
    }
}

static void column_dot(const kernels *k, enum kernels_type type, int64_t t, int r, const void *p,
                       const void *q, const real *gain, real scale, real *dshift)
{
    for (int i = 0; i < r; i++) {
        double sum = 0;

        for (int64_t token = 0; token < t; token++) {
            sum +=
                (double)cell_get(type, p, token * r + i) * (double)cell_get(type, q, token * r + i);
        }
        if (gain[i] > 0) {
            dshift[i] += (real)(scale * sum);
        }
    }
}

static void shift_backward(const kernels *k, int64_t t, int r, const cell *q, const real *gain,
                           cell *p, real *dshift)
{
    column_dot(k, k->activation, t, r, p, q, gain, 1, dshift);
    scale_columns(k, k->activation, t, r, p, gain, p);
}

void reference_fill_spectral(kernels *k)
{
    k->shift_gain = shift_gain;
    k->scale_columns = scale_columns;
    k->column_dot = column_dot;
    k->shift_backward = shift_backward;
}
