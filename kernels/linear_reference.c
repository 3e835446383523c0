/* linear_reference.c: y = x W^T + bias for rows of tokens; x [t, in], W [out, in], y [t, out].
 *   dx += dy W        dw += dy^T x */
#include "kernels/cell.h"
#include "kernels/reference.h"

static void linear_forward(const kernels *k, struct linear_shape s, const cell *x,
                           struct kernels_weight w, const real *bias, cell *y)
{
    const enum kernels_type type = k->activation;

    for (int64_t t = 0; t < s.t; t++) {
        for (int o = 0; o < s.out; o++) {
            double sum = bias ? (double)bias[o] : 0;

            for (int i = 0; i < s.in; i++) {
                sum += (double)cell_get(type, x, t * s.in + i) *
                       cell_get(w.type, w.data, (int64_t)o * s.in + i);
            }
            cell_set(type, y, t * s.out + o, (real)sum);
        }
    }
}

static void linear_backward_input(const kernels *k, struct linear_shape s, const cell *dy,
                                  struct kernels_weight w, cell *dx)
{
    const enum kernels_type type = k->activation;

    for (int64_t t = 0; t < s.t; t++) {
        for (int i = 0; i < s.in; i++) {
            double sum = 0;

            for (int o = 0; o < s.out; o++) {
                sum += (double)cell_get(type, dy, t * s.out + o) *
                       cell_get(w.type, w.data, (int64_t)o * s.in + i);
            }
            cell_add(type, dx, t * s.in + i, (real)sum);
        }
    }
}

static void linear_backward_weight(const kernels *k, struct linear_shape s, const cell *dy,
                                   const cell *x, real *dw)
{
    const enum kernels_type type = k->activation;

    for (int o = 0; o < s.out; o++) {
        for (int i = 0; i < s.in; i++) {
            double sum = 0;

            for (int64_t t = 0; t < s.t; t++) {
                sum += (double)cell_get(type, dy, t * s.out + o) *
                       (double)cell_get(type, x, t * s.in + i);
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
