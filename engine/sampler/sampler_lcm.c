/* Latent consistency models (Luo and others, 2023, algorithm 3), for networks and adapters that were
 * distilled for it: each step goes to the original, and noise of the next level is put upon it.
 *
 *   x = c_out original + c_skip latents     c_skip = 1/4 / (u^2 + 1/4), c_out = u / sqrt(u^2 + 1/4), u = 10 t
 *   latents' = sqrt(a_s) x + sqrt(1 - a_s) noise; the last step is x
 *
 * The timesteps are some of the 50 that such networks learn. */
#include "engine/sampler/sampler_levels.h"

#include <math.h>

#define SCALE 10.0 // of timesteps
#define DATA  0.25 // the square of the deviation that originals are taken to have

bool sampler_plan_lcm(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    const float *a = s->source.alphas_cumprod;
    const int steps = s->source.options.steps;

    if (!sampler_place_learned(s, error)) {
        return false;
    }
    s->initial_scale = 1;
    s->clip = config->clip_sample_asked ? config->clip_sample_range : INFINITY;
    for (int k = 0; k < steps; k++) {
        struct sampler_plan_step *p = &s->plan[k];
        const double u = SCALE * p->timestep, skip = DATA / (u * u + DATA),
                     out = u / sqrt(u * u + DATA);
        const bool last = k == steps - 1;
        const float next = last ? 1 : a[(int)s->plan[k + 1].timestep];

        sampler_fill_level(p, config->prediction_type, sampler_level_at(a[(int)p->timestep]));
        p->next[TERM_LATENTS] = sqrtf(next) * skip;
        p->next[TERM_ORIGINAL] = sqrtf(next) * out;
        p->next[TERM_NOISE] = sqrtf(1.0f - next);
    }
    return true;
}
