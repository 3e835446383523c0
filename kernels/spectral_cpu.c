/* spectral_cpu.c: the steps between the two factors of a shifted weight, and the sums of the
 * optimiser; formulas in spectral_reference.c and optimizer_reference.c. What is small (gains, the
 * optimiser's step, embeddings, the loss) stays with the reference. */
#include "kernels/clones.h"
#include "kernels/cpu.h"

#include <omp.h>

CPU_LOOP void scale_loop(enum kernels_type type, struct cpu_share s, int r, const void *x,
                         const float *gain, void *y)
{
    for (int64_t row = s.first; row < s.last; row++) {
#pragma omp simd
        for (int i = 0; i < r; i++) {
            cell_set(type, y, row * r + i, cell_get(type, x, row * r + i) * gain[i]);
        }
    }
}

CPU_CLONES static void scale_share(enum kernels_type type, struct cpu_share s, int r, const void *x,
                                   const float *gain, void *y)
{
    CPU_BY_TYPE(scale_loop, type, s, r, x, gain, y);
}

static void scale_columns(const kernels *k, enum kernels_type type, int64_t t, int r, const void *x,
                          const real *gain, void *y)
{
#pragma omp parallel num_threads(cpu_threads(k, t *r))
    scale_share(type, cpu_share(t), r, x, gain, y);
}

#define COLUMNS 64 // summed at a time, a multiple of a cache line

// dshift [from .. from + count] += scale * sum over t rows of p q, where gain > 0
CPU_LOOP void dot_loop(enum kernels_type type, int64_t t, int r, int from, int count, const void *p,
                       const void *q, const float *gain, float scale, float *dshift)
{
    double sum[COLUMNS] = {0};

    for (int64_t at = from; at < t * r; at += r) {
#pragma omp simd
        for (int i = 0; i < count; i++) {
            sum[i] += (double)cell_get(type, p, at + i) * (double)cell_get(type, q, at + i);
        }
    }
    for (int i = 0; i < count; i++) {
        if (gain[from + i] > 0) {
            dshift[from + i] += (float)(scale * sum[i]);
        }
    }
}

CPU_CLONES static void dot_columns(enum kernels_type type, int64_t t, int r, int from, int count,
                                   const void *p, const void *q, const float *gain, float scale,
                                   float *dshift)
{
    CPU_BY_TYPE(dot_loop, type, t, r, from, count, p, q, gain, scale, dshift);
}

static void column_dot(const kernels *k, enum kernels_type type, int64_t t, int r, const void *p,
                       const void *q, const real *gain, real scale, real *dshift)
{
#pragma omp parallel for num_threads(cpu_threads(k, t *r)) schedule(static)
    for (int from = 0; from < r; from += COLUMNS) {
        dot_columns(type, t, r, from, MIN(COLUMNS, r - from), p, q, gain, scale, dshift);
    }
}

// the same of p and q, with p scaled as it is read
CPU_LOOP void back_loop(enum kernels_type type, int64_t t, int r, int from, int count,
                        const void *q, const float *gain, void *p, float *dshift)
{
    double sum[COLUMNS] = {0};

    for (int64_t at = from; at < t * r; at += r) {
#pragma omp simd
        for (int i = 0; i < count; i++) {
            const float value = cell_get(type, p, at + i);

            sum[i] += (double)value * (double)cell_get(type, q, at + i);
            cell_set(type, p, at + i, value * gain[from + i]);
        }
    }
    for (int i = 0; i < count; i++) {
        if (gain[from + i] > 0) {
            dshift[from + i] += (float)sum[i];
        }
    }
}

CPU_CLONES static void back_columns(enum kernels_type type, int64_t t, int r, int from, int count,
                                    const void *q, const float *gain, void *p, float *dshift)
{
    CPU_BY_TYPE(back_loop, type, t, r, from, count, q, gain, p, dshift);
}

static void shift_backward(const kernels *k, int64_t t, int r, const cell *q, const real *gain,
                           cell *p, real *dshift)
{
#pragma omp parallel for num_threads(cpu_threads(k, t *r)) schedule(static)
    for (int from = 0; from < r; from += COLUMNS) {
        back_columns(k->activation, t, r, from, MIN(COLUMNS, r - from), q, gain, p, dshift);
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
    k->shift_backward = shift_backward;
    k->sum_squares = sum_squares;
}
