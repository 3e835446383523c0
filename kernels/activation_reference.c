/* activation_reference.c: y = f(x), dx += dy f'(x), and the gated GELU of the transformers:
 *   y = value * gelu(gate),  x = [value | gate] in each row
 *   dvalue += dy gelu(gate),  dgate += dy value gelu'(gate) */
#include "kernels/functions_reference.h"
#include "kernels/reference.h"

static double activated(enum activation a, double x)
{
    switch (a) {
    case ACTIVATION_SILU:
        return silu(x);
    case ACTIVATION_GELU:
        return gelu(x);
    case ACTIVATION_QUICK_GELU:
        return quick_gelu(x);
    }
    g_assert_not_reached();
}

static double derivative(enum activation a, double x)
{
    switch (a) {
    case ACTIVATION_SILU:
        return silu_derivative(x);
    case ACTIVATION_GELU:
        return gelu_derivative(x);
    case ACTIVATION_QUICK_GELU:
        return quick_gelu_derivative(x);
    }
    g_assert_not_reached();
}

static void activation_forward(const kernels *k, enum activation a, int64_t count, const real *x,
                               real *y)
{
    for (int64_t i = 0; i < count; i++) {
        y[i] = (real)activated(a, x[i]);
    }
}

static void activation_backward(const kernels *k, enum activation a, int64_t count, const real *x,
                                const real *dy, real *dx)
{
    for (int64_t i = 0; i < count; i++) {
        dx[i] += (real)(dy[i] * derivative(a, x[i]));
    }
}

static void geglu_forward(const kernels *k, int64_t t, int c, const real *x, real *y)
{
    for (int64_t row = 0; row < t; row++, x += 2 * (int64_t)c, y += c) {
        for (int i = 0; i < c; i++) {
            y[i] = (real)(x[i] * gelu(x[c + i]));
        }
    }
}

static void geglu_backward(const kernels *k, int64_t t, int c, const real *x, const real *dy,
                           real *dx)
{
    for (int64_t row = 0; row < t; row++, x += 2 * (int64_t)c, dx += 2 * (int64_t)c, dy += c) {
        for (int i = 0; i < c; i++) {
            dx[i] += (real)(dy[i] * gelu(x[c + i]));
            dx[c + i] += (real)(dy[i] * x[i] * gelu_derivative(x[c + i]));
        }
    }
}

void reference_fill_activation(kernels *k)
{
    k->activation_forward = activation_forward;
    k->activation_backward = activation_backward;
    k->geglu_forward = geglu_forward;
    k->geglu_backward = geglu_backward;
}
