/* sampler_timesteps.h: which training timesteps and noise levels the steps of a sampler use.
 * Only for sampler*.c. */
#pragma once

#include "engine/model/schedule_config.h"

/* sigma = sqrt((1 - a) / a) of every training timestep, in float. With rescale_betas_zero_snr the
 * last a is 2^-24 in place of 0. The caller frees it. */
float *sampler_sigmas(const struct schedule_config *config, const float *alphas_cumprod);

/* numpy's linspace(first, last, n)[i]. */
double sampler_linspace(double first, double last, int n, int i);

/* Timesteps with "trailing" spacing from `last` down, in out[steps]: round(last - i T / steps) - 1.
 * Returns how many there are. */
int sampler_trailing(int last, int train, int steps, double *out);

/* The level at timestep t between those of whole timesteps, held at the ends. */
double sampler_interpolate(const float *sigmas, int n, double t);

/* n levels from high to low in out[n], evenly spaced in the 7th root (Karras and others, 2022). */
void sampler_karras(double high, double low, double *out, int n);

/* The timestep of a level, between whole ones on the scale of log sigma. */
double sampler_sigma_to_timestep(const float *sigmas, int n, double sigma);
