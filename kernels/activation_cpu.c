/* activation_cpu.c: activations and the gated GELU as vector loops; formulas in
 * activation_reference.c. */
#include "kernels/clones.h"
#include "kernels/cpu.h"
#include "kernels/functions_cpu.h"

// defines FUNCTION_forward: y = FUNCTION(x), and FUNCTION_backward: dx += dy FUNCTION'(x)
#define DEFINE_ACTIVATION(FUNCTION)                                                                \
    CPU_CLONES static void FUNCTION##_forward(int threads, int64_t count, const float *x,          \
                                              float *y)                                            \
    {                                                                                              \
        _Pragma("omp parallel for simd num_threads(threads) schedule(static)") for (int64_t i = 0; \
                                                                                    i < count;     \
                                                                                    i++)           \
        {                                                                                          \
            y[i] = FUNCTION##_cpu(x[i]);                                                           \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    CPU_CLONES static void FUNCTION##_backward(int threads, int64_t count, const float *x,         \
                                               const float *dy, float *dx)                         \
    {                                                                                              \
        _Pragma("omp parallel for simd num_threads(threads) schedule(static)") for (int64_t i = 0; \
                                                                                    i < count;     \
                                                                                    i++)           \
        {                                                                                          \
            dx[i] += dy[i] * FUNCTION##_derivative_cpu(x[i]);                                      \
        }                                                                                          \
    }

DEFINE_ACTIVATION(silu)
DEFINE_ACTIVATION(gelu)
DEFINE_ACTIVATION(quick_gelu)

static void activation_forward(const kernels *k, enum activation a, int64_t count, const real *x,
                               real *y)
{
    const int threads = cpu_threads(k, count);

    switch (a) {
    case ACTIVATION_SILU:
        silu_forward(threads, count, x, y);
        break;
    case ACTIVATION_GELU:
        gelu_forward(threads, count, x, y);
        break;
    case ACTIVATION_QUICK_GELU:
        quick_gelu_forward(threads, count, x, y);
        break;
    }
}

static void activation_backward(const kernels *k, enum activation a, int64_t count, const real *x,
                                const real *dy, real *dx)
{
    const int threads = cpu_threads(k, count);

    switch (a) {
    case ACTIVATION_SILU:
        silu_backward(threads, count, x, dy, dx);
        break;
    case ACTIVATION_GELU:
        gelu_backward(threads, count, x, dy, dx);
        break;
    case ACTIVATION_QUICK_GELU:
        quick_gelu_backward(threads, count, x, dy, dx);
        break;
    }
}

CPU_CLONES static void geglu_rows(int threads, int64_t t, int c, const float *x, float *y)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < t; row++) {
        const float *value = x + row * 2 * c, *gate = value + c;
        float *to = y + row * c;

#pragma omp simd
        for (int i = 0; i < c; i++) {
            to[i] = value[i] * gelu_cpu(gate[i]);
        }
    }
}

static void geglu_forward(const kernels *k, int64_t t, int c, const real *x, real *y)
{
    geglu_rows(cpu_threads(k, t * c), t, c, x, y);
}

CPU_CLONES static void geglu_rows_backward(int threads, int64_t t, int c, const float *x,
                                           const float *dy, float *dx)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < t; row++) {
        const float *value = x + row * 2 * c, *gate = value + c, *from = dy + row * c;
        float *dvalue = dx + row * 2 * c, *dgate = dvalue + c;

#pragma omp simd
        for (int i = 0; i < c; i++) {
            float bell;
            const float g = gate[i], normal = normal_cpu(g, &bell);

            dvalue[i] += from[i] * g * normal;
            dgate[i] += from[i] * value[i] * (normal + g * CPU_INVERSE_SQRT_2PI * bell);
        }
    }
}

static void geglu_backward(const kernels *k, int64_t t, int c, const real *x, const real *dy,
                           real *dx)
{
    geglu_rows_backward(cpu_threads(k, t * c), t, c, x, dy, dx);
}

void cpu_fill_activation(kernels *k)
{
    k->activation_forward = activation_forward;
    k->activation_backward = activation_backward;
    k->geglu_forward = geglu_forward;
    k->geglu_backward = geglu_backward;
}
