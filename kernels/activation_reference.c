/* activation_reference.c: y = f(x), dx += dy f'(x), and the gated GELU of the transformers:
 *   y = value * gelu(gate),  x = [value | gate] in each row
 *   dvalue += dy gelu(gate),  dgate += dy value gelu'(gate) */
#include "kernels/cell.h"
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

static void activation_forward(const kernels *k, enum activation a, int64_t count, const cell *x,
                               cell *y)
{
    const enum kernels_type type = k->activation;

    for (int64_t i = 0; i < count; i++) {
        cell_set(type, y, i, (real)activated(a, cell_get(type, x, i)));
    }
}

static void activation_backward(const kernels *k, enum activation a, int64_t count, const cell *x,
                                const cell *dy, cell *dx)
{
    const enum kernels_type type = k->activation;

    for (int64_t i = 0; i < count; i++) {
        cell_add(type, dx, i, (real)(cell_get(type, dy, i) * derivative(a, cell_get(type, x, i))));
    }
}

// where value i of [t, c] has its value in x; its gate lies c behind
static int64_t value_at(int c, int64_t i)
{
    return i / c * 2 * c + i % c;
}

static void geglu_forward(const kernels *k, int64_t t, int c, const cell *x, cell *y)
{
    const enum kernels_type type = k->activation;

    for (int64_t i = 0; i < t * c; i++) {
        const int64_t at = value_at(c, i);

        cell_set(type, y, i, (real)(cell_get(type, x, at) * gelu(cell_get(type, x, at + c))));
    }
}

static void geglu_backward(const kernels *k, int64_t t, int c, const cell *x, const cell *dy,
                           cell *dx)
{
    const enum kernels_type type = k->activation;

    for (int64_t i = 0; i < t * c; i++) {
        const int64_t at = value_at(c, i);
        const double value = cell_get(type, x, at), gate = cell_get(type, x, at + c);
        const double upstream = cell_get(type, dy, i);

        cell_add(type, dx, at, (real)(upstream * gelu(gate)));
        cell_add(type, dx, at + c, (real)(upstream * value * gelu_derivative(gate)));
    }
}

void reference_fill_activation(kernels *k)
{
    k->activation_forward = activation_forward;
    k->activation_backward = activation_backward;
    k->geglu_forward = geglu_forward;
    k->geglu_backward = geglu_backward;
}
