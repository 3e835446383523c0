/* layernorm_cpu.c: layer normalisation of rows; formulas in layernorm_reference.c. Rows are split
 * over the threads; the gain's gradient is a sum over rows and is split over its columns. */
#include "kernels/clones.h"
#include "kernels/cpu.h"

#include <math.h>

CPU_CLONES static void normalize_row(int c, float epsilon, const float *x, const float *gain,
                                     const float *bias, float *y, float *mean, float *rstd)
{
    float sum = 0, squares = 0;

#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < c; i++) {
        sum += x[i];
    }

    const float average = sum / (float)c;
#pragma omp simd reduction(+ : squares)
    for (int i = 0; i < c; i++) {
        squares += (x[i] - average) * (x[i] - average);
    }

    const float scale = 1 / sqrtf(squares / (float)c + epsilon);
#pragma omp simd
    for (int i = 0; i < c; i++) {
        y[i] = (x[i] - average) * scale * gain[i] + bias[i];
    }
    *mean = average;
    *rstd = scale;
}

static void layernorm_forward(const kernels *k, struct layernorm_shape s, const real *x,
                              const real *gain, const real *bias, real *y, real *mean, real *rstd)
{
#pragma omp parallel for num_threads(cpu_threads(k, s.t *s.c)) schedule(static)
    for (int64_t t = 0; t < s.t; t++) {
        normalize_row(s.c, s.epsilon, x + t * s.c, gain, bias, y + t * s.c, mean + t, rstd + t);
    }
}

CPU_CLONES static void row_backward(int c, const float *x, const float *gain, float mean,
                                    float rstd, const float *dy, float *dx)
{
    float sum = 0, products = 0;

#pragma omp simd reduction(+ : sum, products)
    for (int i = 0; i < c; i++) {
        const float g = dy[i] * gain[i];

        sum += g;
        products += g * ((x[i] - mean) * rstd);
    }

    const float average = sum / (float)c, projection = products / (float)c;
#pragma omp simd
    for (int i = 0; i < c; i++) {
        const float xhat = (x[i] - mean) * rstd;

        dx[i] += rstd * (dy[i] * gain[i] - average - xhat * projection);
    }
}

#define COLUMNS 64 // of the gain's gradient at a time, a multiple of a cache line

// dgain += sum over rows of dy xhat, for columns from .. from + count
CPU_CLONES static void gain_backward(struct layernorm_shape s, int from, int count, const float *x,
                                     const float *mean, const float *rstd, const float *dy,
                                     float *dgain)
{
    double sum[COLUMNS] = {0};

    for (int64_t t = 0; t < s.t; t++) {
        const int64_t at = t * s.c + from;

#pragma omp simd
        for (int i = 0; i < count; i++) {
            sum[i] += dy[at + i] * ((x[at + i] - mean[t]) * rstd[t]);
        }
    }
    for (int i = 0; i < count; i++) {
        dgain[from + i] += (float)sum[i];
    }
}

static void layernorm_backward(const kernels *k, struct layernorm_shape s, const real *x,
                               const real *gain, const real *mean, const real *rstd, const real *dy,
                               real *dx, real *dgain)
{
    if (dx) {
#pragma omp parallel for num_threads(cpu_threads(k, s.t *s.c)) schedule(static)
        for (int64_t t = 0; t < s.t; t++) {
            row_backward(s.c, x + t * s.c, gain, mean[t], rstd[t], dy + t * s.c, dx + t * s.c);
        }
    }
    if (dgain) {
#pragma omp parallel for num_threads(cpu_threads(k, s.t *s.c)) schedule(static)
        for (int from = 0; from < s.c; from += COLUMNS) {
            gain_backward(s, from, MIN(COLUMNS, s.c - from), x, mean, rstd, dy, dgain);
        }
    }
}

void cpu_fill_layernorm(kernels *k)
{
    k->layernorm_forward = layernorm_forward;
    k->layernorm_backward = layernorm_backward;
}
