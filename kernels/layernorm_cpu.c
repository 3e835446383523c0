/* layernorm_cpu.c: layer normalisation of rows; formulas in layernorm_reference.c. Rows are split
 * over the threads; the gain's gradient is a sum over rows and is split over its columns. */
#include "kernels/clones.h"
#include "kernels/cpu.h"

#include <math.h>

// the row that begins at `at`
CPU_LOOP void forward_loop(enum kernels_type type, int c, float epsilon, int64_t at, const cell *x,
                           const float *gain, const float *bias, cell *y, float *mean, float *rstd)
{
    float sum = 0, squares = 0;

#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < c; i++) {
        sum += cell_get(type, x, at + i);
    }

    const float average = sum / (float)c;
#pragma omp simd reduction(+ : squares)
    for (int i = 0; i < c; i++) {
        const float centred = cell_get(type, x, at + i) - average;

        squares += centred * centred;
    }

    const float scale = 1 / sqrtf(squares / (float)c + epsilon);
#pragma omp simd
    for (int i = 0; i < c; i++) {
        cell_set(type, y, at + i,
                 (cell_get(type, x, at + i) - average) * scale * gain[i] + bias[i]);
    }
    *mean = average;
    *rstd = scale;
}

CPU_CLONES static void normalize_row(enum kernels_type type, int c, float epsilon, int64_t at,
                                     const cell *x, const float *gain, const float *bias, cell *y,
                                     float *mean, float *rstd)
{
    CPU_BY_TYPE(forward_loop, type, c, epsilon, at, x, gain, bias, y, mean, rstd);
}

static void layernorm_forward(const kernels *k, struct layernorm_shape s, const cell *x,
                              const real *gain, const real *bias, cell *y, real *mean, real *rstd)
{
#pragma omp parallel for num_threads(cpu_threads(k, s.t *s.c)) schedule(static)
    for (int64_t t = 0; t < s.t; t++) {
        normalize_row(k->activation, s.c, s.epsilon, t * s.c, x, gain, bias, y, mean + t, rstd + t);
    }
}

CPU_LOOP void backward_loop(enum kernels_type type, int c, int64_t at, const cell *x,
                            const float *gain, float mean, float rstd, const cell *dy, cell *dx)
{
    float sum = 0, products = 0;

#pragma omp simd reduction(+ : sum, products)
    for (int i = 0; i < c; i++) {
        const float g = cell_get(type, dy, at + i) * gain[i];

        sum += g;
        products += g * ((cell_get(type, x, at + i) - mean) * rstd);
    }

    const float average = sum / (float)c, projection = products / (float)c;
#pragma omp simd
    for (int i = 0; i < c; i++) {
        const float xhat = (cell_get(type, x, at + i) - mean) * rstd;

        cell_add(type, dx, at + i,
                 rstd * (cell_get(type, dy, at + i) * gain[i] - average - xhat * projection));
    }
}

CPU_CLONES static void row_backward(enum kernels_type type, int c, int64_t at, const cell *x,
                                    const float *gain, float mean, float rstd, const cell *dy,
                                    cell *dx)
{
    CPU_BY_TYPE(backward_loop, type, c, at, x, gain, mean, rstd, dy, dx);
}

#define COLUMNS 64 // of the gain's gradient at a time, a multiple of a cache line

// dgain += sum over rows of dy xhat, for columns from .. from + count
CPU_LOOP void gain_loop(enum kernels_type type, struct layernorm_shape s, int from, int count,
                        const cell *x, const float *mean, const float *rstd, const cell *dy,
                        float *dgain)
{
    double sum[COLUMNS] = {0};

    for (int64_t t = 0; t < s.t; t++) {
        const int64_t at = t * s.c + from;

#pragma omp simd
        for (int i = 0; i < count; i++) {
            sum[i] +=
                cell_get(type, dy, at + i) * ((cell_get(type, x, at + i) - mean[t]) * rstd[t]);
        }
    }
    for (int i = 0; i < count; i++) {
        dgain[from + i] += (float)sum[i];
    }
}

CPU_CLONES static void gain_backward(enum kernels_type type, struct layernorm_shape s, int from,
                                     int count, const cell *x, const float *mean, const float *rstd,
                                     const cell *dy, float *dgain)
{
    CPU_BY_TYPE(gain_loop, type, s, from, count, x, mean, rstd, dy, dgain);
}

static void layernorm_backward(const kernels *k, struct layernorm_shape s, const cell *x,
                               const real *gain, const real *mean, const real *rstd, const cell *dy,
                               cell *dx, real *dgain)
{
    if (dx) {
#pragma omp parallel for num_threads(cpu_threads(k, s.t *s.c)) schedule(static)
        for (int64_t t = 0; t < s.t; t++) {
            row_backward(k->activation, s.c, t * s.c, x, gain, mean[t], rstd[t], dy, dx);
        }
    }
    if (dgain) {
#pragma omp parallel for num_threads(cpu_threads(k, s.t *s.c)) schedule(static)
        for (int from = 0; from < s.c; from += COLUMNS) {
            gain_backward(k->activation, s, from, MIN(COLUMNS, s.c - from), x, mean, rstd, dy,
                          dgain);
        }
    }
}

void cpu_fill_layernorm(kernels *k)
{
    k->layernorm_forward = layernorm_forward;
    k->layernorm_backward = layernorm_backward;
}
