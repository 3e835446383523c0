/* sampler_levels.h: where the steps of a sampler lie, and what a prediction means there.
 *
 * The level sigma of a timestep is the deviation of the noise beside an original of size 1:
 *   latents = original + sigma noise              samplers along sigma (euler, heun, lms, ...)
 *   latents = alpha original + beta noise         alpha = 1 / sqrt(sigma^2 + 1), beta = sigma alpha
 * Only for sampler*.c. */
#pragma once

#include "engine/sampler/sampler_plan.h"

struct sampler_level {
    float alpha, beta, lambda; // lambda = log(alpha / beta)
};

struct sampler_level sampler_level_of(float sigma);

// of alpha^2, as a schedule has it
struct sampler_level sampler_level_at(float alpha_squared);

/* Timesteps [steps] and levels [steps + 1] of samplers along sigma, the last level is 0; returns how many
 * there are. Timesteps between two whole ones are told so, but for `rounded`, where karras' are not. */
int sampler_place_sigmas(const struct sampler_source *source, bool rounded, double *timesteps,
                         float *levels);

/* The same of samplers along lambda: as many places and one more are spaced below timestep `last`, and the lowest
 * is left out; timesteps are whole: of levels between two the nearest, or with `down` and with exponential and
 * beta spacing the next lower. The last level is 0, or with final_sigma_min the first timestep's. */
int sampler_place_halved(const struct sampler_source *source, int last, bool down,
                         double *timesteps, float *levels);

/* Begins the plan of a sampler for networks that were distilled for some of the timesteps, 50 of them: its
 * steps get timesteps of these, or the aligned ones. False with a sentence for more steps than there are. */
bool sampler_place_learned(struct sampler *s, GError **error);

// the level of the first timestep
float sampler_first_sigma(const struct sampler_source *source);

/* The deviation of the latents that samplers along sigma begin with: that of noise of the first level, or of
 * a latent of variance 1 with it. */
float sampler_initial_sigma(const struct schedule_config *config, float sigma);

/* An ancestral step from sigma to next: it goes down further, and noise of deviation up brings it back. */
void sampler_split_noise(float sigma, float next, float *down, float *up);

/* Fill what a step tells the network and how its prediction becomes an original, at a level. */
void sampler_fill_sigma(struct sampler_plan_step *p, enum prediction_type type, float sigma);
void sampler_fill_level(struct sampler_plan_step *p, enum prediction_type type,
                        struct sampler_level from);
