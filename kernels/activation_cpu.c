/* activation_cpu.c: activations and the gated GELU as vector loops; formulas in
 * activation_reference.c. */
#include "kernels/clones.h"
#include "kernels/cpu.h"
#include "kernels/functions_cpu.h"

CPU_LOOP float activated(enum activation a, float x)
{
    return a == ACTIVATION_SILU   ? silu_cpu(x)
           : a == ACTIVATION_GELU ? gelu_cpu(x)
                                  : quick_gelu_cpu(x);
}

CPU_LOOP float derivative(enum activation a, float x)
{
    return a == ACTIVATION_SILU   ? silu_derivative_cpu(x)
           : a == ACTIVATION_GELU ? gelu_derivative_cpu(x)
                                  : quick_gelu_derivative_cpu(x);
}

CPU_LOOP void forward_loop(enum kernels_type type, enum activation a, struct cpu_share s,
                           const cell *x, cell *y)
{
#pragma omp simd
    for (int64_t i = s.first; i < s.last; i++) {
        cell_set(type, y, i, activated(a, cell_get(type, x, i)));
    }
}

CPU_LOOP void backward_loop(enum kernels_type type, enum activation a, struct cpu_share s,
                            const cell *x, const cell *dy, cell *dx)
{
#pragma omp simd
    for (int64_t i = s.first; i < s.last; i++) {
        cell_add(type, dx, i, cell_get(type, dy, i) * derivative(a, cell_get(type, x, i)));
    }
}

// each function a loop of its own, too
#define BY_ACTIVATION(loop, type, a, ...)                                                          \
    switch (a) {                                                                                   \
    case ACTIVATION_SILU:                                                                          \
        CPU_BY_TYPE(loop, type, ACTIVATION_SILU, __VA_ARGS__);                                     \
        break;                                                                                     \
    case ACTIVATION_GELU:                                                                          \
        CPU_BY_TYPE(loop, type, ACTIVATION_GELU, __VA_ARGS__);                                     \
        break;                                                                                     \
    case ACTIVATION_QUICK_GELU:                                                                    \
        CPU_BY_TYPE(loop, type, ACTIVATION_QUICK_GELU, __VA_ARGS__);                               \
        break;                                                                                     \
    }

CPU_CLONES static void forward_share(enum kernels_type type, enum activation a, struct cpu_share s,
                                     const cell *x,
                                     cell *y){BY_ACTIVATION(forward_loop, type, a, s, x, y)}

CPU_CLONES static void backward_share(enum kernels_type type, enum activation a, struct cpu_share s,
                                      const cell *x, const cell *dy, cell *dx)
{
    BY_ACTIVATION(backward_loop, type, a, s, x, dy, dx)
}

static void activation_forward(const kernels *k, enum activation a, int64_t count, const cell *x,
                               cell *y)
{
#pragma omp parallel num_threads(cpu_threads(k, count))
    forward_share(k->activation, a, cpu_share(count), x, y);
}

static void activation_backward(const kernels *k, enum activation a, int64_t count, const cell *x,
                                const cell *dy, cell *dx)
{
#pragma omp parallel num_threads(cpu_threads(k, count))
    backward_share(k->activation, a, cpu_share(count), x, dy, dx);
}

/* ---- gated GELU ---- */

CPU_LOOP void geglu_loop(enum kernels_type type, struct cpu_share s, int c, const cell *x, cell *y)
{
    for (int64_t row = s.first; row < s.last; row++) {
        const int64_t value = row * 2 * c, gate = value + c, to = row * c;

#pragma omp simd
        for (int i = 0; i < c; i++) {
            cell_set(type, y, to + i,
                     cell_get(type, x, value + i) * gelu_cpu(cell_get(type, x, gate + i)));
        }
    }
}

CPU_CLONES static void geglu_share(enum kernels_type type, struct cpu_share s, int c, const cell *x,
                                   cell *y)
{
    CPU_BY_TYPE(geglu_loop, type, s, c, x, y);
}

static void geglu_forward(const kernels *k, int64_t t, int c, const cell *x, cell *y)
{
#pragma omp parallel num_threads(cpu_threads(k, t *c))
    geglu_share(k->activation, cpu_share(t), c, x, y);
}

CPU_LOOP void geglu_backward_loop(enum kernels_type type, struct cpu_share s, int c, const cell *x,
                                  const cell *dy, cell *dx)
{
    for (int64_t row = s.first; row < s.last; row++) {
        const int64_t value = row * 2 * c, gate = value + c, from = row * c;

#pragma omp simd
        for (int i = 0; i < c; i++) {
            float bell;
            const float upstream = cell_get(type, dy, from + i);
            const float g = cell_get(type, x, gate + i), normal = normal_cpu(g, &bell);

            cell_add(type, dx, value + i, upstream * g * normal);
            cell_add(type, dx, gate + i,
                     upstream * cell_get(type, x, value + i) *
                         (normal + g * CPU_INVERSE_SQRT_2PI * bell));
        }
    }
}

CPU_CLONES static void geglu_backward_share(enum kernels_type type, struct cpu_share s, int c,
                                            const cell *x, const cell *dy, cell *dx)
{
    CPU_BY_TYPE(geglu_backward_loop, type, s, c, x, dy, dx);
}

static void geglu_backward(const kernels *k, int64_t t, int c, const cell *x, const cell *dy,
                           cell *dx)
{
#pragma omp parallel num_threads(cpu_threads(k, t *c))
    geglu_backward_share(k->activation, cpu_share(t), c, x, dy, dx);
}

void cpu_fill_activation(kernels *k)
{
    k->activation_forward = activation_forward;
    k->activation_backward = activation_backward;
    k->geglu_forward = geglu_forward;
    k->geglu_backward = geglu_backward;
}
