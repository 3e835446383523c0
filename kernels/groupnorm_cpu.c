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

// a run of tokens of a picture: one thread's share
struct share {
    int64_t first, last;
};

static struct share share_of(int64_t t, int thread, int threads)
{
    return (struct share){t * thread / threads, t * (thread + 1) / threads};
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

// sum and sum of squares of each channel over tokens of x [tokens, c]
CPU_CLONES static void sum_channels(int64_t tokens, int c, const float *x, double *sum,
                                    double *squares)
{
    memset(sum, 0, (size_t)c * sizeof *sum);
    memset(squares, 0, (size_t)c * sizeof *squares);
    for (int64_t t = 0; t < tokens; t++, x += c) {
#pragma omp simd
        for (int i = 0; i < c; i++) {
            const double value = x[i];

            sum[i] += value;
            squares[i] += value * value;
        }
    }
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

// one token: y = (x - mean) * rstd * gain + bias, all per channel
CPU_CLONES static void normalize(int64_t tokens, int c, bool silu, const float *x,
                                 const float *mean, const float *factor, const float *bias,
                                 float *y)
{
    for (int64_t t = 0; t < tokens; t++, x += c, y += c) {
        if (silu) {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                y[i] = silu_cpu((x[i] - mean[i]) * factor[i] + bias[i]);
            }
        } else {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                y[i] = (x[i] - mean[i]) * factor[i] + bias[i];
            }
        }
    }
}

/* Per channel of picture n, from per group: mean and rstd * gain. One thread's scratch of 4 c
 * floats lies behind the sums. */
static float *channel_scratch(const kernels *k, struct groupnorm_shape s, int thread)
{
    return (float *)sums_at(k, s, 2, 0, 0) + (int64_t)thread * 4 * s.c;
}

static void normalize_share(const kernels *k, struct groupnorm_shape s, int thread, int n,
                            struct share share, const float *x, const float *gain,
                            const float *bias, const float *mean, const float *rstd, float *y)
{
    float *means = channel_scratch(k, s, thread), *factors = means + s.c;
    const int64_t start = (n * s.t + share.first) * s.c;

    for (int c = 0; c < s.c; c++) {
        const int group = n * s.groups + c / (s.c / s.groups);

        means[c] = mean[group];
        factors[c] = rstd[group] * gain[c];
    }
    normalize(share.last - share.first, s.c, s.silu, x + start, means, factors, bias, y + start);
}

static void groupnorm_forward(const kernels *k, struct groupnorm_shape s, const real *x,
                              const real *gain, const real *bias, real *y, real *mean, real *rstd)
{
#pragma omp parallel num_threads(cpu_threads(k, s.n *s.t *s.c))
    {
        const int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        const struct share share = share_of(s.t, thread, threads);

        for (int n = 0; n < s.n; n++) {
            sum_channels(share.last - share.first, s.c, x + (n * s.t + share.first) * s.c,
                         sums_at(k, s, 0, thread, n), sums_at(k, s, 1, thread, n));
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
CPU_CLONES static void sum_products(int64_t tokens, int c, bool silu, struct channels a,
                                    const float *x, const float *gain, const float *bias,
                                    const float *dy, double *sum, double *products)
{
    memset(sum, 0, (size_t)c * sizeof *sum);
    memset(products, 0, (size_t)c * sizeof *products);
    for (int64_t t = 0; t < tokens; t++, x += c, dy += c) {
        if (silu) {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                const float xhat = (x[i] - a.mean[i]) * a.rstd[i];
                const float g = upstream(true, xhat, gain[i], bias[i], dy[i]);

                sum[i] += g;
                products[i] += g * xhat;
            }
        } else {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                sum[i] += dy[i];
                products[i] += dy[i] * ((x[i] - a.mean[i]) * a.rstd[i]);
            }
        }
    }
}

// dx += rstd * (g gain - average - xhat projection)
CPU_CLONES static void add_input_gradient(int64_t tokens, int c, bool silu, struct channels a,
                                          const float *x, const float *gain, const float *bias,
                                          const float *dy, float *dx)
{
    for (int64_t t = 0; t < tokens; t++, x += c, dy += c, dx += c) {
        if (silu) {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                const float xhat = (x[i] - a.mean[i]) * a.rstd[i];
                const float g = upstream(true, xhat, gain[i], bias[i], dy[i]);

                dx[i] += a.rstd[i] * (g * gain[i] - a.average[i] - xhat * a.projection[i]);
            }
        } else {
#pragma omp simd
            for (int i = 0; i < c; i++) {
                const float xhat = (x[i] - a.mean[i]) * a.rstd[i];

                dx[i] += a.rstd[i] * (dy[i] * gain[i] - a.average[i] - xhat * a.projection[i]);
            }
        }
    }
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

static void groupnorm_backward(const kernels *k, struct groupnorm_shape s, const real *x,
                               const real *gain, const real *bias, const real *mean,
                               const real *rstd, const real *dy, real *dx, real *dgain)
{
#pragma omp parallel num_threads(cpu_threads(k, s.n *s.t *s.c))
    {
        const int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        const struct share share = share_of(s.t, thread, threads);
        const struct channels a = channels_of(k, s, thread);
        const int64_t tokens = share.last - share.first;

        for (int n = 0; n < s.n; n++) {
            const int64_t start = (n * s.t + share.first) * s.c;

            spread_statistics(s, n, mean, rstd, a);
            sum_products(tokens, s.c, s.silu, a, x + start, gain, bias, dy + start,
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
            const int64_t start = (n * s.t + share.first) * s.c;

            spread_statistics(s, n, mean, rstd, a);
            spread_averages(k, s, n, gain, a);
            add_input_gradient(tokens, s.c, s.silu, a, x + start, gain, bias, dy + start,
                               dx + start);
        }
    }
}

void cpu_fill_groupnorm(kernels *k)
{
    k->groupnorm_forward = groupnorm_forward;
    k->groupnorm_backward = groupnorm_backward;
}
