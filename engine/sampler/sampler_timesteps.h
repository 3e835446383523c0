/* sampler_timesteps.h: which training timesteps and noise levels the steps of a sampler use.
 * Only for sampler*.c. */
#pragma once

#include "engine/model/schedule_config.h"

/* sigma = sqrt((1 - a) / a) of every training timestep, rounded once. With rescale_betas_zero_snr the
 * last a is 2^-24 in place of 0. The caller frees it. */
float *sampler_sigmas(const struct schedule_config *config, const float *alphas_cumprod);

// numpy's linspace(first, last, n)[i]
double sampler_linspace(double first, double last, int n, int i);

/* Timesteps from large to small in out[steps], spaced as the config says: the largest of `places`
 * from 0 to below `last`. Those of "linspace" are not rounded yet. Returns how many there are, which
 * "trailing" can make fewer. */
int sampler_descending(const struct schedule_config *config, int last, int places, int steps,
                       double *out);

/* The level at timestep t between those of whole timesteps, held at the ends. */
double sampler_interpolate(const float *sigmas, int n, double t);

/* The timestep of the level whose logarithm it is, between whole ones on that scale. */
double sampler_log_to_timestep(const float *sigmas, int n, double log_sigma);
