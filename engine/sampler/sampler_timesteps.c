/* The spacings of timesteps as numpy computes them in diffusers' schedulers: halves are rounded to
 * even, ranges are first + i * step. */
#include "engine/sampler/sampler_timesteps.h"

#include <glib.h>
#include <math.h>

float *sampler_sigmas(const struct schedule_config *config, const float *alphas_cumprod)
{
    int n = config->num_train_timesteps;
    float *sigmas = g_new(float, (gsize)n);

    for (int t = 0; t < n; t++) {
        bool end = config->rescale_betas_zero_snr && t == n - 1;
        // as diffusers: 0 would be an infinite level
        float a = end ? 0x1p-24f : alphas_cumprod[t];
        sigmas[t] = (float)sqrt((1.0 - a) / a);
    }
    return sigmas;
}

double sampler_linspace(double first, double last, int n, int i)
{
    return i == n - 1 && n > 1 ? last : first + i * ((last - first) / MAX(n - 1, 1));
}

/* "trailing" spacing: round(last - i T / steps) - 1 in out[steps]; returns how many there are.
 * numpy's arange(last, 0, -T / steps) has one element too many for some numbers of steps (61 of
 * 1000), which ends at timestep -1. It is left out. */
static int trailing(int last, int train, int steps, double *out)
{
    double ratio = (double)train / steps, difference = (last - ratio) - last;
    int n = 0;

    for (; n < steps; n++) {
        double t = rint(last + n * difference) - 1;
        if (t < 0) {
            break;
        }
        out[n] = t;
    }
    return n;
}

int sampler_descending(const struct schedule_config *config, int last, int places, int steps,
                       double *out)
{
    if (config->timestep_spacing == TIMESTEPS_TRAILING) {
        return trailing(last, config->num_train_timesteps, steps, out);
    }
    for (int k = 0; k < steps; k++) {
        const int i = places - 1 - k;
        out[k] = config->timestep_spacing == TIMESTEPS_LEADING
                     ? i * (last / places) + config->steps_offset
                     : sampler_linspace(0, last - 1, places, i);
    }
    return steps;
}

double sampler_interpolate(const float *sigmas, int n, double t)
{
    if (t <= 0) {
        return sigmas[0];
    }
    if (t >= n - 1) {
        return sigmas[n - 1];
    }
    int low = (int)t;
    return ((double)sigmas[low + 1] - sigmas[low]) * (t - low) + sigmas[low];
}

double sampler_log_to_timestep(const float *sigmas, int n, double log_sigma)
{
    const double target = fmax(log_sigma, log(1e-10));
    int low = 0;

    // levels rise with the timestep; few enough to be walked
    while (low < n - 2 && logf(sigmas[low + 1]) <= target) {
        low++;
    }
    float from = logf(sigmas[low]), to = logf(sigmas[low + 1]);
    double w = fmin(fmax((from - target) / (from - to), 0), 1);
    return (1 - w) * low + w * (low + 1);
}
