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
#include "engine/sampler/sampler_levels.h"

#include <math.h>

static void fill_step(struct sampler_plan_step *p, enum prediction_type type, float sigma,
                      float next, bool ancestral)
{
    float up = 0, down = next;

    if (ancestral) {
        sampler_split_noise(sigma, next, &down, &up);
    }
    sampler_fill_sigma(p, type, sigma);
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
    g_autofree double *timesteps = g_new(double, (gsize)s->source.options.steps);

    sampler_plan_begin(s, sampler_place_sigmas(&s->source, false, timesteps, levels));
    if (config->final_sigma_min && !ancestral) {
        levels[s->n_steps] = sampler_first_sigma(&s->source);
    }
    for (int k = 0; k < s->n_steps; k++) {
        s->plan[k].timestep = timesteps[k];
        fill_step(&s->plan[k], config->prediction_type, levels[k], levels[k + 1], ancestral);
    }
    s->initial_scale = sampler_initial_sigma(config, levels[0]);
    return true;
}
