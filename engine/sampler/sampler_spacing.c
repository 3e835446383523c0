/* sampler_spacing.c: see sampler_spacing.h; numpy's and scipy's results within their last digits. */
#include "engine/sampler/sampler_spacing.h"
#include "engine/sampler/sampler_timesteps.h"

#include <math.h>

#define KARRAS_RHO 7.0
#define BETA_SHAPE 0.6 // both parameters

/* B(x; a, a) = x^a sum over n of (1 - a)_n / (n! (a + n)) x^n, which converges as 2^-n for x <= 1/2. */
static double incomplete_beta(double x)
{
    double power = pow(x, BETA_SHAPE), sum = 0;

    for (int n = 0; n < 64; n++) {
        sum += power / (BETA_SHAPE + n);
        power *= x * (n + 1 - BETA_SHAPE) / (n + 1);
    }
    return sum;
}

// the x of which p of the distribution lies below; it is symmetric about 1/2
static double beta_quantile(double p)
{
    const double half = incomplete_beta(0.5);
    double low = 0, high = 0.5;

    if (p > 0.5) {
        return 1 - beta_quantile(1 - p);
    }
    // halved until no double is left between
    for (int i = 0; i < 64 && low < high; i++) {
        const double middle = (low + high) / 2;
        *(incomplete_beta(middle) < 2 * p * half ? &low : &high) = middle;
    }
    return p == 0 ? 0 : high;
}

static double level_at(enum sampler_spacing spacing, double high, double low, double u)
{
    switch (spacing) {
    case SAMPLER_SPACING_KARRAS: {
        const double from = pow(high, 1 / KARRAS_RHO), to = pow(low, 1 / KARRAS_RHO);
        return pow(from + u * (to - from), KARRAS_RHO);
    }
    case SAMPLER_SPACING_LU:
        return exp(logf((float)high) + u * ((double)logf((float)low) - logf((float)high)));
    case SAMPLER_SPACING_BETA:
        return low + beta_quantile(1 - u) * (high - low);
    default:
        return exp(log(high) + u * (log(low) - log(high)));
    }
}

void sampler_space(enum sampler_spacing spacing, double high, double low, double *out, int n)
{
    for (int i = 0; i < n; i++) {
        out[i] = level_at(spacing, high, low, sampler_linspace(0, 1, n, i));
    }
}

/* ---- Align Your Steps ---- */

#define ALIGNED 10

static const double aligned_timesteps[ALIGNED] = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24};
// as its authors publish them; the last is replaced by what a sampler ends with
static const double aligned_levels[ALIGNED + 1] = {14.615, 6.475, 3.861, 2.697, 1.886, 1.396,
                                                   0.963,  0.652, 0.399, 0.152, 0.029};

void sampler_align(const float *sigmas, int steps, double *out)
{
    for (int k = 0; k < steps; k++) {
        const double at = (double)k * ALIGNED / steps;
        const int i = (int)at;
        const double log_level = log(aligned_levels[i]) +
                                 (at - i) * (log(aligned_levels[i + 1]) - log(aligned_levels[i]));
        out[k] = steps == ALIGNED
                     ? aligned_timesteps[k]
                     : rint(sampler_log_to_timestep(sigmas, SAMPLER_AYS_TIMESTEPS, log_level));
    }
}
