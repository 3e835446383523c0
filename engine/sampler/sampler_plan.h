/* sampler_plan.h: what a sampler is inside: each step is a linear map of known arrays.
 *
 *   original = original_latents * latents + original_prediction * prediction, cut at +-clip
 *   latents' = next . terms         terms: latents, prediction, original, what is kept, fresh noise
 *   kept'[j] = kept[j] . terms      an original, a derivative or latents of steps before
 *
 * A step is one evaluation of the network: methods with two a step have two of these. The factors are
 * made once, in float and in diffusers' order of operations: differences such as 1 - a_t / a_s keep few
 * digits, and another rounding would show. Only for sampler*.c. */
#pragma once

#include "engine/sampler/sampler.h"
#include "engine/sampler/schedule.h"
#include "kernels/kernels.h"

struct sampler_plan_step {
    double timestep;
    double input_scale;
    double keep, add; // noise at this level: keep * original + add * noise
    double original_latents, original_prediction;
    double next[TERMS];
    double kept[SAMPLER_KEPT][TERMS];
};

// what the plans are made from
struct sampler_source {
    struct sampler_options options;
    struct schedule_config config;
    float *alphas_cumprod;        // [config.num_train_timesteps]
    enum sampler_spacing spacing; // never the model's: resolved
};

struct sampler {
    struct sampler_source source;
    int n_steps, first;
    double initial_scale;
    double clip;                    // of the original; infinity for none
    struct sampler_plan_step *plan; // [n_steps]
    int n_kept;
};

/* Fill s->n_steps, s->plan (allocated) and what differs from one to the other, for steps from s->first
 * on: what these keep of steps before is not there at first. False with a sentence. */
bool sampler_plan_ddim(struct sampler *s, GError **error);
bool sampler_plan_euler(struct sampler *s, GError **error);
bool sampler_plan_dpmpp(struct sampler *s, GError **error); // and its SDE forms
bool sampler_plan_dpmpp_sde(struct sampler *s, GError **error);
bool sampler_plan_heun(struct sampler *s, GError **error); // and dpm2, dpm2-a
bool sampler_plan_lcm(struct sampler *s, GError **error);
bool sampler_plan_lms(struct sampler *s, GError **error);
bool sampler_plan_pndm(struct sampler *s, GError **error);
bool sampler_plan_tcd(struct sampler *s, GError **error);
bool sampler_plan_unipc(struct sampler *s, GError **error);

// the sentence for what a config asks for and this sampler has not; returns false
bool sampler_lacks(const struct sampler *s, const char *wish, GError **error);

// places the steps: n_steps and a plan of zeros
static inline void sampler_plan_begin(struct sampler *s, int n_steps)
{
    s->n_steps = n_steps;
    s->plan = g_new0(struct sampler_plan_step, (gsize)n_steps);
}
