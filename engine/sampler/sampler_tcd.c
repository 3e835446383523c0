/* Trajectory consistency distillation (Zheng and others, 2024, algorithm 4), for networks and adapters that
 * were distilled for it: each step goes down to s, below the next timestep, and noise brings it back up.
 *
 *   y = sqrt(a_s) original + sqrt(1 - a_s) noise predicted          s = floor((1 - eta) next timestep)
 *   latents' = sqrt(a' / a_s) y + sqrt(1 - a' / a_s) fresh noise    a': of the next timestep
 *
 * The last step goes to timestep 0 and adds nothing. Timesteps are those of sampler_lcm.c. */
#include "engine/sampler/sampler_levels.h"

#include <math.h>

// from timestep t to s and up to the level `next`
static void fill_step(struct sampler_plan_step *p, enum prediction_type type, float a, float a_s,
                      float next)
{
    const double up = sqrtf(next / a_s);
    const double original = up * sqrtf(a_s), noise = up * sqrtf(1.0f - a_s);
    const double alpha = sqrtf(a), beta = sqrtf(1.0f - a);

    sampler_fill_level(p, type, sampler_level_at(a));
    p->next[TERM_ORIGINAL] = original;
    p->next[TERM_NOISE] = sqrtf(1.0f - next / a_s);
    switch (type) {
    case PREDICTION_EPSILON:
        p->next[TERM_PREDICTION] = noise;
        break;
    case PREDICTION_V:
        p->next[TERM_PREDICTION] = noise * alpha;
        p->next[TERM_LATENTS] = noise * beta;
        break;
    case PREDICTION_SAMPLE:
        p->next[TERM_LATENTS] = noise / beta;
        p->next[TERM_PREDICTION] = -noise * alpha / beta;
        break;
    }
}

bool sampler_plan_tcd(struct sampler *s, GError **error)
{
    const float *a = s->source.alphas_cumprod;
    const float share = (float)(1 - s->source.options.eta);

    if (!sampler_place_learned(s, error)) {
        return false;
    }
    s->initial_scale = 1;
    for (int k = 0; k < s->n_steps; k++) {
        const int to = k == s->n_steps - 1 ? 0 : (int)s->plan[k + 1].timestep;
        const int below = (int)floorf(share * (float)to);

        fill_step(&s->plan[k], s->source.config.prediction_type, a[(int)s->plan[k].timestep],
                  a[below], a[to]);
    }
    return true;
}
