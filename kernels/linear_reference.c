/* linear_reference.c: y = x W^T + bias for rows of tokens; x [t, in], W [out, in], y [t, out].
 *   dx += dy W        dw += dy^T x */
#include "kernels/reference.h"
#include "kernels/weight_value.h"

static void linear_forward(const kernels *k, struct linear_shape s, const real *x,
                           struct kernels_weight w, const real *bias, real *y)
{
    for (int64_t t = 0; t < s.t; t++) {
        for (int o = 0; o < s.out; o++) {
            double sum = bias ? (double)bias[o] : 0;

            for (int i = 0; i < s.in; i++) {
                sum += rounded_for(w, x[t * s.in + i]) * weight_value(w, (int64_t)o * s.in + i);
            }
            y[t * s.out + o] = (real)sum;
        }
    }
}

static void linear_backward_input(const kernels *k, struct linear_shape s, const real *dy,
                                  struct kernels_weight w, real *dx)
{
    for (int64_t t = 0; t < s.t; t++) {
        for (int i = 0; i < s.in; i++) {
            double sum = 0;

            for (int o = 0; o < s.out; o++) {
                sum += rounded_for(w, dy[t * s.out + o]) * weight_value(w, (int64_t)o * s.in + i);
            }
            dx[t * s.in + i] += (real)sum;
        }
    }
}

static void linear_backward_weight(const kernels *k, struct linear_shape s, const real *dy,
                                   const real *x, real *dw)
{
    for (int o = 0; o < s.out; o++) {
        for (int i = 0; i < s.in; i++) {
            double sum = 0;

            for (int64_t t = 0; t < s.t; t++) {
                sum += (double)dy[t * s.out + o] * (double)x[t * s.in + i];
            }
            dw[(int64_t)o * s.in + i] += (real)sum;
        }
    }
}

void reference_fill_linear(kernels *k)
{
    k->linear_forward = linear_forward;
    k->linear_backward_input = linear_backward_input;
    k->linear_backward_weight = linear_backward_weight;
}
