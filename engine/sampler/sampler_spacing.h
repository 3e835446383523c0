/* sampler_spacing.h: levels of noise between a highest and a lowest one, which classes take in place of
 * those of their timesteps. Only for sampler*.c.
 *
 * With u from 0 to 1 evenly, in n places:
 *   karras       (high^(1/7) + u (low^(1/7) - high^(1/7)))^7     Karras and others, 2022, formula 5
 *   exponential  exp(log high + u (log low - log high))
 *   lu           the same, from logarithms that are floats       Lu and others, 2022
 *   beta         low + q(1 - u) (high - low)                     q: the quantiles of Beta(0.6, 0.6)
 *                                                                (Lee and others, 2024)
 * and Align Your Steps (Sabour and others, 2024): ten levels that were sought for Stable Diffusion 1. */
#pragma once

#include "engine/svdiff.h"

/* n levels from high to low in out[n]; not for the model's, normal and ays. */
void sampler_space(enum sampler_spacing spacing, double high, double low, double *out, int n);

/* The timesteps of Align Your Steps in out[steps], whole and falling: the ten that were published, or
 * for other numbers of steps those nearest to its levels, interpolated on the scale of their logarithm.
 * sigmas: of the 1000 timesteps that it is made for. */
#define SAMPLER_AYS_TIMESTEPS 1000
void sampler_align(const float *sigmas, int steps, double *out);
