/* Euler's method along the noise level sigma, with or without fresh noise (k-diffusion, Karras and
 * others, 2022, algorithm 1 and its ancestral form).
 *
 *   network's input  latents / sqrt(sigma^2 + 1)
 *   original         latents - sigma noise
 *   latents'         latents + (latents - original) / sigma * (down - sigma) + up * fresh noise
 *   up^2 + down^2    next^2, where up^2 = next^2 (sigma^2 - next^2) / sigma^2; without fresh noise
 *                    up = 0
 *
 * Karras spacing of the ancestral form, which diffusers does not have, takes Euler's levels. */
#include "engine/generate/sampler_plan.h"
#include "engine/generate/sampler_timesteps.h"

#include "engine/base/error.h"

#include <math.h>

/* Timesteps and levels[n + 1] of the steps; the last level is what the result still has. */
static void place_levels(struct sampler *s, float *levels)
{
    const struct schedule_config *config = &s->source.config;
    int train = config->num_train_timesteps, steps = s->source.options.steps;
    g_autofree float *sigmas = sampler_sigmas(config, s->source.alphas_cumprod);
    g_autofree double *timesteps = g_new(double, (gsize)steps), *at = g_new(double, (gsize)steps);

    s->n_steps = sampler_descending(config, train, steps, steps, timesteps);
    for (int k = 0; k < s->n_steps; k++) {
        timesteps[k] = (float)timesteps[k]; // this class alone does not round them
        at[k] = sampler_interpolate(sigmas, train, timesteps[k]);
    }
    if (s->source.karras) {
        sampler_karras(at[0], at[s->n_steps - 1], at, s->n_steps);
        for (int k = 0; k < s->n_steps; k++) {
            timesteps[k] = (float)sampler_sigma_to_timestep(sigmas, train, at[k]);
        }
    }
    sampler_plan_begin(s, s->n_steps);
    for (int k = 0; k < s->n_steps; k++) {
        s->plan[k].timestep = timesteps[k];
        levels[k] = (float)at[k];
    }
    levels[s->n_steps] =
        config->final_sigma_min && s->source.options.kind == SAMPLER_EULER ? sigmas[0] : 0;
}

static void fill_step(struct sampler_plan_step *p, enum prediction_type type, float sigma,
                      float next, bool ancestral)
{
    float size = sqrtf(sigma * sigma + 1.0f), up = 0, down = next;

    if (ancestral) {
        // below 0 by rounding alone
        float share = next * next * (sigma * sigma - next * next) / (sigma * sigma);
        up = sqrtf(fmaxf(share, 0));
        down = sqrtf(fmaxf(next * next - up * up, 0));
    }
    p->input_scale = 1.0 / size;
    p->keep = 1;
    p->add = sigma;
    switch (type) {
    case PREDICTION_EPSILON:
        p->original_latents = 1;
        p->original_prediction = -sigma;
        break;
    case PREDICTION_V:
        p->original_latents = 1.0 / (sigma * sigma + 1.0f);
        p->original_prediction = -sigma / size;
        break;
    case PREDICTION_SAMPLE:
        p->original_latents = 0;
        p->original_prediction = 1;
        break;
    }
    double share = (double)(down - sigma) / sigma;
    p->next[TERM_LATENTS] = 1 + share;
    p->next[TERM_ORIGINAL] = -share;
    p->next[TERM_NOISE] = up;
}

bool sampler_plan_euler(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    bool ancestral = s->source.options.kind == SAMPLER_EULER_A;
    g_autofree float *levels = g_new(float, (gsize)s->source.options.steps + 1);

    if (ancestral && config->prediction_type == PREDICTION_SAMPLE) {
        return error_usage(error, "--sampler euler-a is not defined for a model with "
                                  "prediction_type \"sample\": use ddim, euler or dpmpp-2m");
    }
    place_levels(s, levels);
    for (int k = 0; k < s->n_steps; k++) {
        fill_step(&s->plan[k], config->prediction_type, levels[k], levels[k + 1], ancestral);
    }
    // the deviation of noise of this level, or of a latent of variance 1 with it
    bool noise_alone = config->timestep_spacing != TIMESTEPS_LEADING;
    s->initial_scale = noise_alone ? levels[0] : sqrtf(levels[0] * levels[0] + 1.0f);
    return true;
}
