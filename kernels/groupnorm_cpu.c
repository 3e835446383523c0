/* groupnorm_cpu.c: group normalisation of channels-last tokens; formulas in groupnorm_reference.c.
 *
 * Both directions go over the values twice: once for sums per channel, in double, each thread over
 * its share of the tokens; once for the result, with one factor a channel. In between one thread
 * adds the threads' sums in their order and turns them into sums per group. */
#include "kernels/clones.h"
#include "kernels/cpu.h"
#include "kernels/functions_cpu.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Two sums of each channel of each picture and thread, in the workspace: first and second
 * [thread, n, c]. */
static double *sums_at(const kernels *k, struct groupnorm_shape s, int which, int thread, int n)
{
    const int64_t index = ((int64_t)which * k->threads + thread) * s.n + n;

    return (double *)cpu_device(k)->workspace + index * s.c;
}

// adds the threads' sums into those of thread 0
static void add_threads(const kernels *k, struct groupnorm_shape s, int threads)
{
    for (int which = 0; which < 2; which++) {
        double *total = sums_at(k, s, which, 0, 0);

        for (int thread = 1; thread < threads; thread++) {
            const double *part = sums_at(k, s, which, thread, 0);

            for (int64_t i = 0; i < (int64_t)s.n * s.c; i++) {
                total[i] += part[i];
            }
        }
    }
}

/* ---- forward ---- */

// sum and sum of squares of each channel over tokens of x [.., c]
CPU_LOOP void sum_loop(enum kernels_type type, struct cpu_share s, int c, const cell *x,
                       double *sum, double *squares)
{
    memset(sum, 0, (size_t)c * sizeof *sum);
    memset(squares, 0, (size_t)c * sizeof *squares);
    for (int64_t at = s.first * c; at < s.last * c; at += c) {
#pragma omp simd
        for (int i = 0; i < c; i++) {
            const double value = cell_get(type, x, at + i);

            sum[i] += value;
            squares[i] += value * value;
        }
    }
}

CPU_CLONES static void sum_channels(enum kernels_type type, struct cpu_share s, int c,
                                    const cell *x, double *sum, double *squares)
{
    CPU_BY_TYPE(sum_loop, type, s, c, x, sum, squares);
}

// mean and rstd [n, groups] of the sums of thread 0
static void measure_groups(const kernels *k, struct groupnorm_shape s, float *mean, float *rstd)
{
    const int width = s.c / s.groups;
    const double count = (double)s.t * width;

    for (int i = 0; i < s.n * s.groups; i++) {
        const double *sums = sums_at(k, s, 0, 0, 0) + (int64_t)i * width;
        const double *squares = sums_at(k, s, 1, 0, 0) + (int64_t)i * width;
        double sum = 0, square = 0;

        for (int c = 0; c < width; c++) {
            sum += sums[c];
            square += squares[c];
        }

        const double average = sum / count;
        mean[i] = (float)average;
        rstd[i] = (float)(1 / sqrt(fmax(square / count - average * average, 0) + s.epsilon));
    }
}

// y = (x - mean) * rstd * gain + bias, all per channel
CPU_LOOP void normalize_loop(enum kernels_type type, struct cpu_share s, int c, bool silu,
                             const cell *x, const float *mean, const float *factor,
                             const float *bias, cell *y)
{
    for (int64_t at = s.first * c; at < s.last * c; at += c) {
        if (silu) {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                cell_set(type, y, at + i,
                         silu_cpu((cell_get(type, x, at + i) - mean[i]) * factor[i] + bias[i]));
            }
        } else {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                cell_set(type, y, at + i,
                         (cell_get(type, x, at + i) - mean[i]) * factor[i] + bias[i]);
            }
        }
    }
}

CPU_CLONES static void normalize(enum kernels_type type, struct cpu_share s, int c, bool silu,
                                 const cell *x, const float *mean, const float *factor,
                                 const float *bias, cell *y)
{
    CPU_BY_TYPE(normalize_loop, type, s, c, silu, x, mean, factor, bias, y);
}

// tokens of a share in picture n, counted through all pictures
static struct cpu_share share_in(struct groupnorm_shape s, int n, struct cpu_share share)
{
    return (struct cpu_share){n * s.t + share.first, n * s.t + share.last};
}

/* Per channel of picture n, from per group: mean and rstd * gain. One thread's scratch of 4 c
 * floats lies behind the sums. */
static float *channel_scratch(const kernels *k, struct groupnorm_shape s, int thread)
{
    return (float *)sums_at(k, s, 2, 0, 0) + (int64_t)thread * 4 * s.c;
}

static void normalize_share(const kernels *k, struct groupnorm_shape s, int thread, int n,
                            struct cpu_share share, const cell *x, const float *gain,
                            const float *bias, const float *mean, const float *rstd, cell *y)
{
    float *means = channel_scratch(k, s, thread), *factors = means + s.c;

    for (int c = 0; c < s.c; c++) {
        const int group = n * s.groups + c / (s.c / s.groups);

        means[c] = mean[group];
        factors[c] = rstd[group] * gain[c];
    }
    normalize(k->activation, share_in(s, n, share), s.c, s.silu, x, means, factors, bias, y);
}

static void groupnorm_forward(const kernels *k, struct groupnorm_shape s, const cell *x,
                              const real *gain, const real *bias, cell *y, real *mean, real *rstd)
{
#pragma omp parallel num_threads(cpu_threads(k, s.n *s.t *s.c))
    {
        const int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        const struct cpu_share share = cpu_share(s.t);

        for (int n = 0; n < s.n; n++) {
            sum_channels(k->activation, share_in(s, n, share), s.c, x, sums_at(k, s, 0, thread, n),
                         sums_at(k, s, 1, thread, n));
        }
#pragma omp barrier
#pragma omp single
        {
            add_threads(k, s, threads);
            measure_groups(k, s, mean, rstd);
        }
        for (int n = 0; n < s.n; n++) {
            normalize_share(k, s, thread, n, share, x, gain, bias, mean, rstd, y);
        }
    }
}

/* ---- backward ---- */

/* What the formula needs of each channel of one picture. */
struct channels {
    float *mean, *rstd, *average, *projection; // the last two: per group, already divided by count
};

static struct channels channels_of(const kernels *k, struct groupnorm_shape s, int thread)
{
    float *scratch = channel_scratch(k, s, thread);

    return (struct channels){scratch, scratch + s.c, scratch + 2 * s.c, scratch + 3 * s.c};
}

// g of the formula: dy, or dy silu'(z)
static inline float upstream(bool silu, float xhat, float gain, float bias, float dy)
{
    return silu ? dy * silu_derivative_cpu(xhat * gain + bias) : dy;
}

// sums of g and g xhat of each channel over tokens
CPU_LOOP void products_loop(enum kernels_type type, struct cpu_share s, int c, bool silu,
                            struct channels a, const cell *x, const float *gain, const float *bias,
                            const cell *dy, double *sum, double *products)
{
    memset(sum, 0, (size_t)c * sizeof *sum);
    memset(products, 0, (size_t)c * sizeof *products);
    for (int64_t at = s.first * c; at < s.last * c; at += c) {
        if (silu) {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                const float xhat = (cell_get(type, x, at + i) - a.mean[i]) * a.rstd[i];
                const float g = upstream(true, xhat, gain[i], bias[i], cell_get(type, dy, at + i));

                sum[i] += g;
                products[i] += g * xhat;
            }
        } else {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                const float g = cell_get(type, dy, at + i);

                sum[i] += g;
                products[i] += g * ((cell_get(type, x, at + i) - a.mean[i]) * a.rstd[i]);
            }
        }
    }
}

CPU_CLONES static void sum_products(enum kernels_type type, struct cpu_share s, int c, bool silu,
                                    struct channels a, const cell *x, const float *gain,
                                    const float *bias, const cell *dy, double *sum,
                                    double *products)
{
    CPU_BY_TYPE(products_loop, type, s, c, silu, a, x, gain, bias, dy, sum, products);
}

// dx += rstd * (g gain - average - xhat projection)
CPU_LOOP void gradient_loop(enum kernels_type type, struct cpu_share s, int c, bool silu,
                            struct channels a, const cell *x, const float *gain, const float *bias,
                            const cell *dy, cell *dx)
{
    for (int64_t at = s.first * c; at < s.last * c; at += c) {
        if (silu) {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                const float xhat = (cell_get(type, x, at + i) - a.mean[i]) * a.rstd[i];
                const float g = upstream(true, xhat, gain[i], bias[i], cell_get(type, dy, at + i));

                cell_add(type, dx, at + i,
                         a.rstd[i] * (g * gain[i] - a.average[i] - xhat * a.projection[i]));
            }
        } else {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                const float xhat = (cell_get(type, x, at + i) - a.mean[i]) * a.rstd[i];
                const float g = cell_get(type, dy, at + i);

                cell_add(type, dx, at + i,
                         a.rstd[i] * (g * gain[i] - a.average[i] - xhat * a.projection[i]));
            }
        }
    }
}

CPU_CLONES static void add_input_gradient(enum kernels_type type, struct cpu_share s, int c,
                                          bool silu, struct channels a, const cell *x,
                                          const float *gain, const float *bias, const cell *dy,
                                          cell *dx)
{
    CPU_BY_TYPE(gradient_loop, type, s, c, silu, a, x, gain, bias, dy, dx);
}

// fills mean and rstd of picture n
static void spread_statistics(struct groupnorm_shape s, int n, const float *mean, const float *rstd,
                              struct channels a)
{
    for (int c = 0; c < s.c; c++) {
        const int group = n * s.groups + c / (s.c / s.groups);

        a.mean[c] = mean[group];
        a.rstd[c] = rstd[group];
    }
}

// fills average and projection of picture n from the sums of thread 0
static void spread_averages(const kernels *k, struct groupnorm_shape s, int n, const float *gain,
                            struct channels a)
{
    const int width = s.c / s.groups;
    const double count = (double)s.t * width;
    const double *sums = sums_at(k, s, 0, 0, n), *products = sums_at(k, s, 1, 0, n);

    for (int first = 0; first < s.c; first += width) {
        double average = 0, projection = 0;

        for (int c = first; c < first + width; c++) {
            average += sums[c] * gain[c];
            projection += products[c] * gain[c];
        }
        for (int c = first; c < first + width; c++) {
            a.average[c] = (float)(average / count);
            a.projection[c] = (float)(projection / count);
        }
    }
}

static void add_gain_gradient(const kernels *k, struct groupnorm_shape s, float *dgain)
{
    for (int n = 0; n < s.n; n++) {
        const double *products = sums_at(k, s, 1, 0, n);

        for (int c = 0; c < s.c; c++) {
            dgain[c] += (float)products[c];
        }
    }
}

static void groupnorm_backward(const kernels *k, struct groupnorm_shape s, const cell *x,
                               const real *gain, const real *bias, const real *mean,
                               const real *rstd, const cell *dy, cell *dx, real *dgain)
{
#pragma omp parallel num_threads(cpu_threads(k, s.n *s.t *s.c))
    {
        const int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        const struct cpu_share share = cpu_share(s.t);
        const struct channels a = channels_of(k, s, thread);

        for (int n = 0; n < s.n; n++) {
            spread_statistics(s, n, mean, rstd, a);
            sum_products(k->activation, share_in(s, n, share), s.c, s.silu, a, x, gain, bias, dy,
                         sums_at(k, s, 0, thread, n), sums_at(k, s, 1, thread, n));
        }
#pragma omp barrier
#pragma omp single
        {
            add_threads(k, s, threads);
            if (dgain) {
                add_gain_gradient(k, s, dgain);
            }
        }
        for (int n = 0; dx && n < s.n; n++) {
            spread_statistics(s, n, mean, rstd, a);
            spread_averages(k, s, n, gain, a);
            add_input_gradient(k->activation, share_in(s, n, share), s.c, s.silu, a, x, gain, bias,
                               dy, dx);
        }
    }
}

void cpu_fill_groupnorm(kernels *k)
{
    k->groupnorm_forward = groupnorm_forward;
    k->groupnorm_backward = groupnorm_backward;
}
