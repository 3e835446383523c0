/* DDIM (Song and others, 2020), formulas 12 and 16, and its inversion.
 *
 *   original = (latents - sqrt(1 - a_t) noise) / sqrt(a_t)
 *   latents' = sqrt(a_s) original + sqrt(1 - a_s - std^2) noise + std * fresh noise
 *   std      = eta sqrt((1 - a_s) / (1 - a_t) * (1 - a_t / a_s))
 *
 * s lies T / steps before t, before the first timestep it is final: a = 1 with set_alpha_to_one,
 * else a_0. The inversion walks the same pairs upwards and adds nothing. */
#include "engine/sampler/sampler_plan.h"
#include "engine/sampler/sampler_timesteps.h"

#include "engine/base/error.h"

#include <math.h>

// how latents and prediction give original and noise at level a_t
struct ddim_split {
    float original_latents, original_prediction, noise_latents, noise_prediction;
};

static struct ddim_split split(enum prediction_type type, float a)
{
    float alpha = sqrtf(a), sigma = sqrtf(1.0f - a);

    switch (type) {
    case PREDICTION_V:
        return (struct ddim_split){alpha, -sigma, sigma, alpha};
    case PREDICTION_SAMPLE:
        return (struct ddim_split){0, 1, 1 / sigma, -alpha / sigma};
    case PREDICTION_EPSILON:
        break;
    }
    return (struct ddim_split){1 / alpha, -sigma / alpha, 0, 1};
}

// from level a to level a_next, with fresh noise of deviation std
static void fill_step(struct sampler_plan_step *p, enum prediction_type type, float a, float a_next,
                      float std)
{
    struct ddim_split d = split(type, a);
    // below 0 by rounding alone
    float direction = sqrtf(fmaxf(1.0f - a_next - std * std, 0));

    p->input_scale = 1;
    p->keep = sqrtf(a);
    p->add = sqrtf(1.0f - a);
    p->original_latents = d.original_latents;
    p->original_prediction = d.original_prediction;
    p->next[TERM_LATENTS] = (double)direction * d.noise_latents;
    p->next[TERM_PREDICTION] = (double)direction * d.noise_prediction;
    p->next[TERM_ORIGINAL] = sqrtf(a_next);
    p->next[TERM_NOISE] = std;
}

// sets the timesteps of the steps; one that the model does not know is refused
static bool place_timesteps(struct sampler *s, GError **error)
{
    const int train = s->source.config.num_train_timesteps, steps = s->source.options.steps;
    g_autofree double *timesteps = g_new(double, (gsize)steps);

    sampler_plan_begin(s, sampler_descending(&s->source.config, train, steps, steps, timesteps));
    // from small to large, so that the first that is too large is named
    for (int k = s->n_steps - 1; k >= 0; k--) {
        const double t = rint(timesteps[k]);
        s->plan[s->source.options.kind == SAMPLER_DDIM_INVERSE ? s->n_steps - 1 - k : k].timestep =
            t;
        if (t < 0 || t >= train) {
            return error_usage(error,
                               "--steps %d reaches timestep %.0f with the model's steps_offset %d, "
                               "but the model knows 0 to %d: use fewer steps",
                               steps, t, s->source.config.steps_offset, train - 1);
        }
    }
    return true;
}

bool sampler_plan_ddim(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    const float *a = s->source.alphas_cumprod;
    const int distance = config->num_train_timesteps / s->source.options.steps;

    if (s->source.options.kind == SAMPLER_DDIM_INVERSE &&
        config->timestep_spacing == TIMESTEPS_LINSPACE) {
        return error_failed(
            error, "the model's scheduler_config.json has timestep_spacing \"linspace\", for which "
                   "there is no inversion: edit with --no-invert");
    }
    if (!place_timesteps(s, error)) {
        return false;
    }
    s->initial_scale = 1;
    s->clip = config->clip_sample ? config->clip_sample_range : INFINITY;
    for (int k = 0; k < s->n_steps; k++) {
        const int t = (int)s->plan[k].timestep, below = t - distance;
        const float a_below = below >= 0 ? a[below] : config->set_alpha_to_one ? 1.0f : a[0];
        const float variance = (1.0f - a_below) / (1.0f - a[t]) * (1.0f - a[t] / a_below);
        const float std = (float)s->source.options.eta * sqrtf(fmaxf(variance, 0));
        // the inversion goes the same step upwards, and adds nothing
        if (s->source.options.kind == SAMPLER_DDIM_INVERSE) {
            fill_step(&s->plan[k], config->prediction_type, a_below, a[t], 0);
        } else {
            fill_step(&s->plan[k], config->prediction_type, a[t], a_below, std);
        }
    }
    return true;
}
