/* sampler_plan.h: what a sampler is inside: each step is a sum of known arrays.
 *
 *   original = original_latents * latents + original_prediction * prediction, cut at +-clip
 *   latents' = latents * latents + prediction * prediction + original * original
 *              + previous * (original of the step before) + noise * noise
 *
 * The factors are made once, in float and in diffusers' order of operations: differences such as
 * 1 - a_t / a_s keep few digits, and another rounding would show. Only for sampler*.c. */
#pragma once

#include "engine/generate/sampler.h"
#include "engine/generate/schedule.h"

struct sampler_plan_step {
    double timestep;
    double input_scale;
    double keep, add; // noise at this level: keep * original + add * noise
    double original_latents, original_prediction;
    double latents, prediction, original, previous, noise;
    double original_alone; // in place of `original` in the first step, which has no previous one
};

struct sampler {
    enum sampler_kind kind;
    int n_steps, first;
    double initial_scale;
    double clip;                    // of the original; infinity for none
    struct sampler_plan_step *plan; // [n_steps]
    float *previous;                // [previous_count] original of the last step
    int64_t previous_count;
};

// what the plans are made from
struct sampler_source {
    const struct sampler_options *options;
    const struct schedule_config *config;
    float *alphas_cumprod; // [config->num_train_timesteps]
    bool karras;
};

/* Fill s->n_steps, s->plan (allocated) and what differs from one to the other. False with a
 * sentence. */
bool sampler_plan_ddim(struct sampler *s, const struct sampler_source *source, GError **error);
bool sampler_plan_euler(struct sampler *s, const struct sampler_source *source, GError **error);
bool sampler_plan_dpmpp(struct sampler *s, const struct sampler_source *source, GError **error);
