/* spectral_cpu.c: the steps between the two factors of a shifted weight, and the sums of the
 * optimiser; formulas in spectral_reference.c and optimizer_reference.c. What is small (gains, the
 * optimiser's step, embeddings, the loss) stays with the reference. */
#include "kernels/clones.h"
#include "kernels/cpu.h"

#include <omp.h>

CPU_CLONES static void scale_row(int r, const float *x, const float *gain, float *y)
{
#pragma omp simd
    for (int i = 0; i < r; i++) {
        y[i] = x[i] * gain[i];
    }
}

static void scale_columns(const kernels *k, int64_t t, int r, const real *x, const real *gain,
                          real *y)
{
#pragma omp parallel for num_threads(cpu_threads(k, t *r)) schedule(static)
    for (int64_t row = 0; row < t; row++) {
        scale_row(r, x + row * r, gain, y + row * r);
    }
}

#define COLUMNS 64 // summed at a time, a multiple of a cache line

// dshift [count] += scale * sum over t rows of p q, where gain > 0
CPU_CLONES static void dot_columns(int64_t t, int r, int count, const float *p, const float *q,
                                   const float *gain, float scale, float *dshift)
{
    double sum[COLUMNS] = {0};

    for (int64_t row = 0; row < t; row++, p += r, q += r) {
#pragma omp simd
        for (int i = 0; i < count; i++) {
            sum[i] += (double)p[i] * (double)q[i];
        }
    }
    for (int i = 0; i < count; i++) {
        if (gain[i] > 0) {
            dshift[i] += (float)(scale * sum[i]);
        }
    }
}

static void column_dot(const kernels *k, int64_t t, int r, const real *p, const real *q,
                       const real *gain, real scale, real *dshift)
{
#pragma omp parallel for num_threads(cpu_threads(k, t *r)) schedule(static)
    for (int from = 0; from < r; from += COLUMNS) {
        dot_columns(t, r, MIN(COLUMNS, r - from), p + from, q + from, gain + from, scale,
                    dshift + from);
    }
}

CPU_CLONES static double sum_squares_of(int64_t count, const float *x)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sum;
}

// each thread sums its share; the shares are added in the order of the threads
static void sum_squares(const kernels *k, int64_t count, const real *x, double *sum)
{
    double *parts = cpu_device(k)->workspace;
    const int threads = cpu_threads(k, count);

#pragma omp parallel for num_threads(threads) schedule(static)
    for (int thread = 0; thread < threads; thread++) {
        const int64_t first = count * thread / threads, last = count * (thread + 1) / threads;

        parts[thread] = sum_squares_of(last - first, x + first);
    }
    *sum = 0;
    for (int thread = 0; thread < threads; thread++) {
        *sum += parts[thread];
    }
}

void cpu_fill_spectral(kernels *k)
{
    k->scale_columns = scale_columns;
    k->column_dot = column_dot;
    k->sum_squares = sum_squares;
}
