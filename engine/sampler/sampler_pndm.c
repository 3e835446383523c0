/* Pseudo numerical methods for diffusion models (Liu and others, 2022, formula 11), started as Stable
 * Diffusion's first samplers did (PLMS, skip_prk_steps), with the last four predictions e:
 *
 *   first    e' = e_0,  keeps latents             second, at the timestep that the first one came to:
 *            e' = (e_1 + e_0) / 2 from the kept latents over the first step again
 *   third    e' = (3 e_2 - e_0) / 2               the second prediction is not kept
 *   then     e' = (23 e_3 - 16 e_2 + 5 e_0) / 12, and
 *            e' = (55 e - 59 e_-1 + 37 e_-2 - 9 e_-3) / 24
 *
 *   latents' = sqrt(a_s / a_t) latents - (a_s - a_t) e' / (a_t sqrt(1 - a_s) + sqrt(a_t (1 - a_t) a_s))
 *
 * With v-prediction e' is turned into noise afterwards: sqrt(a_t) e' + sqrt(1 - a_t) latents. Runs that
 * begin later count from where they begin, as diffusers' do. */
#include "engine/sampler/sampler_levels.h"
#include "engine/sampler/sampler_timesteps.h"

#include "engine/base/error.h"

#include <math.h>

#define WEIGHTS 4 // of this prediction and the kept ones
enum { KEPT_LATENTS = TERM_KEPT + WEIGHTS - 1 };

static const double weights[][WEIGHTS] = {
    {1},
    {0.5, 0.5},
    {1.5, -0.5},
    {23.0 / 12, -16.0 / 12, 5.0 / 12},
    {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24},
};

// the step from level a to a_next of evaluation `number` of the run
static void fill_step(struct sampler_plan_step *p, enum prediction_type type, int number, float a,
                      float a_next)
{
    const double *weight = weights[MIN(number, (int)G_N_ELEMENTS(weights) - 1)];
    const float b = 1.0f - a, b_next = 1.0f - a_next;
    const float denominator = a * sqrtf(b_next) + sqrtf(a * b * a_next);
    const double step = -(double)(a_next - a) / denominator;
    const double noise = type == PREDICTION_V ? sqrtf(a) : 1;
    // where the latents come from that the step goes from
    const int from = number == 1 ? KEPT_LATENTS : TERM_LATENTS;

    p->next[from] = sqrtf(a_next / a) + (type == PREDICTION_V ? step * sqrtf(b) : 0);
    p->next[TERM_PREDICTION] = step * noise * weight[0];
    for (int j = 1; j < WEIGHTS; j++) {
        p->next[TERM_KEPT + j - 1] += step * noise * weight[j];
    }
    for (int j = 0; j < WEIGHTS - 1; j++) {
        const int before = j == 0 ? TERM_PREDICTION : TERM_KEPT + j - 1;
        p->kept[j][number == 1 ? TERM_KEPT + j : before] = 1;
    }
    p->kept[WEIGHTS - 1][TERM_LATENTS] = number == 0;
}

// from large to small, the second one twice
static int place_timesteps(const struct sampler_source *source, double *timesteps)
{
    const int train = source->config.num_train_timesteps, steps = source->options.steps;
    const int n = sampler_descending(&source->config, train, steps, steps, timesteps);

    for (int k = n; k > 1; k--) {
        timesteps[k] = timesteps[k - 1];
    }
    return n < 2 ? n : n + 1;
}

static float level_at(const struct sampler_source *source, int t)
{
    const float *a = source->alphas_cumprod;

    return t >= 0 ? a[t] : source->config.set_alpha_to_one_asked ? 1.0f : a[0];
}

bool sampler_plan_pndm(struct sampler *s, GError **error)
{
    const struct sampler_source *source = &s->source;
    const enum prediction_type type = source->config.prediction_type;
    const int train = source->config.num_train_timesteps, distance = train / source->options.steps;
    g_autofree double *timesteps = g_new(double, (gsize)source->options.steps + 1);

    sampler_plan_begin(s, place_timesteps(source, timesteps));
    s->n_kept = WEIGHTS;
    s->initial_scale = 1;
    for (int k = 0; k < s->n_steps; k++) {
        const int number = MAX(k - s->first, 0), t = (int)rint(timesteps[k]);
        const int from = number == 1 ? t + distance : t;

        if (from >= train) {
            return error_usage(error,
                               "--sampler pndm reaches timestep %d with --steps %d, but the model "
                               "knows 0 to %d: use fewer steps or another sampler",
                               from, source->options.steps, train - 1);
        }
        s->plan[k].timestep = t;
        sampler_fill_level(&s->plan[k], type, sampler_level_at(level_at(source, t)));
        fill_step(&s->plan[k], type, number, level_at(source, from),
                  level_at(source, from - distance));
    }
    return true;
}
