/* schedule.h: how much noise there is at each training timestep.
 *
 *   a_t = product over i <= t of (1 - beta_i)                  alphas_cumprod[t]
 *   noisy    = sqrt(a_t) * original + sqrt(1 - a_t) * noise
 *   velocity = sqrt(a_t) * noise    - sqrt(1 - a_t) * original
 *   SNR      = a_t / (1 - a_t)
 *
 * The table is diffusers' own: betas in float, their product in double, rounded to float at each
 * timestep. */
#pragma once

#include "engine/model/schedule_config.h"

#include <glib.h>
#include <stdint.h>

struct schedule {
    int n_timesteps;
    enum prediction_type prediction_type;
    float *alphas_cumprod; // [n_timesteps], falling; the last is 0 with rescale_betas_zero_snr
};

/* The schedule of a config. NULL with a sentence when its betas are no probabilities. Free with
 * schedule_free. */
struct schedule *schedule_create(const struct schedule_config *config, GError **error);

// NULL is allowed
void schedule_free(struct schedule *s);
typedef struct schedule schedule;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(schedule, schedule_free)

// sqrt(a_t) and sqrt(1 - a_t), rounded to float as diffusers does; 0 <= t < n_timesteps
double schedule_alpha(const struct schedule *s, int t);
double schedule_sigma(const struct schedule *s, int t);

// a_t / (1 - a_t)
double schedule_snr(const struct schedule *s, int t);

/* out[count] = the original latents with the noise of timestep t; out may be either input. */
void schedule_add_noise(const struct schedule *s, int t, const float *original, const float *noise,
                        float *out, int64_t count);

/* What the network should answer for those, by prediction_type: the noise, the velocity or the original, each a sum of
 * both with these factors; and the sum itself, out[count], which may be either input. */
void schedule_target_factors(const struct schedule *s, int t, double *original, double *noise);
void schedule_target(const struct schedule *s, int t, const float *original, const float *noise,
                     float *out, int64_t count);

/* The loss weight of Min-SNR (Hang and others, 2023) with its bound gamma: min(SNR, gamma) over SNR
 * for the noise, over SNR + 1 for the velocity, over 1 for the original. 1 when gamma is 0 (off).
 */
double schedule_min_snr_weight(const struct schedule *s, int t, double gamma);
