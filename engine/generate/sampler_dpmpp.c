/* DPM-Solver++ of second order, multistep (Lu and others, 2022, algorithm 2).
 *
 *   alpha = 1 / sqrt(sigma^2 + 1), beta = sigma alpha       of the level sigma before and after
 *   lambda = log(alpha / beta), h = lambda' - lambda, r = (lambda - lambda of the step before) / h
 *   first order   latents' = beta' / beta * latents - alpha' (exp(-h) - 1) x0
 *   midpoint      x0 -> x0 + (x0 - x0 of the step before) / (2 r)
 *   Heun          adds alpha' ((exp(-h) - 1) / h + 1) (x0 - x0 of the step before) / r instead
 *
 * First order at the first step, and at the last when nothing is to be left of the noise, when
 * there are fewer than 15 steps (lower_order_final) or always (euler_at_final). */
#include "engine/generate/sampler_plan.h"
#include "engine/generate/sampler_timesteps.h"

#include "engine/base/error.h"

#include <math.h>

#define FEW_STEPS 15

struct level {
    float alpha, beta, lambda;
};

static struct level level_of(float sigma)
{
    float alpha = 1.0f / sqrtf(sigma * sigma + 1.0f), beta = sigma * alpha;

    return (struct level){alpha, beta, logf(alpha) - logf(beta)};
}

// the timestep after the last that has no less signal than lambda_min_clipped
static int last_timestep(const struct schedule_config *config, const float *alphas_cumprod)
{
    int n = config->num_train_timesteps, kept = 0;

    for (int t = 0; t < n; t++) {
        bool end = config->rescale_betas_zero_snr && t == n - 1;
        float a = end ? 0x1p-24f : alphas_cumprod[t];
        kept += logf(sqrtf(a)) - logf(sqrtf(1.0f - a)) >= config->lambda_min_clipped;
    }
    return kept;
}

static void place_karras(const struct schedule_config *config, const float *sigmas, int n,
                         double *timesteps, double *at)
{
    int train = config->num_train_timesteps;

    sampler_karras(sigmas[train - 1], sigmas[0], at, n);
    for (int k = 0; k < n; k++) {
        double t = sampler_sigma_to_timestep(sigmas, train, at[k]);
        timesteps[k] = config->beta_schedule == BETA_SQUARED_COS_CAP_2 ? floor(t) : rint(t);
    }
}

// timesteps and levels[n + 1] of the steps
static void place_levels(struct sampler *s, float *levels)
{
    const struct schedule_config *config = &s->source.config;
    int train = config->num_train_timesteps, steps = s->source.options.steps;
    int last = last_timestep(config, s->source.alphas_cumprod);
    g_autofree float *sigmas = sampler_sigmas(config, s->source.alphas_cumprod);
    g_autofree double *timesteps = g_new(double, (gsize)steps), *at = g_new(double, (gsize)steps);

    // of steps + 1 places the last, timestep 0, is left out
    s->n_steps =
        s->source.karras ? steps : sampler_descending(config, last, steps + 1, steps, timesteps);
    for (int k = 0; k < s->n_steps && !s->source.karras; k++) {
        timesteps[k] = rint(timesteps[k]);
        at[k] = sampler_interpolate(sigmas, train, timesteps[k]);
    }
    if (s->source.karras) {
        place_karras(config, sigmas, steps, timesteps, at);
    }
    sampler_plan_begin(s, s->n_steps);
    for (int k = 0; k < s->n_steps; k++) {
        s->plan[k].timestep = timesteps[k];
        levels[k] = (float)at[k];
    }
    levels[s->n_steps] = config->final_sigma_min ? sigmas[0] : 0;
}

static void fill_original(struct sampler_plan_step *p, enum prediction_type type, struct level from)
{
    p->input_scale = 1;
    p->keep = from.alpha;
    p->add = from.beta;
    switch (type) {
    case PREDICTION_EPSILON:
        p->original_latents = 1.0 / from.alpha;
        p->original_prediction = -(double)from.beta / from.alpha;
        break;
    case PREDICTION_V:
        p->original_latents = from.alpha;
        p->original_prediction = -from.beta;
        break;
    case PREDICTION_SAMPLE:
        p->original_latents = 0;
        p->original_prediction = 1;
        break;
    }
}

/* before is the level of the step before, NULL for first order. The limit of Heun's factor at h = 0
 * is 0. */
static void fill_step(struct sampler_plan_step *p, const struct level *before, struct level from,
                      struct level to, bool heun)
{
    float h = to.lambda - from.lambda, decay = to.alpha * (expf(-h) - 1.0f);

    p->next[TERM_LATENTS] = to.beta / from.beta;
    p->next[TERM_ORIGINAL] = -decay;
    if (before != NULL) {
        float r = (from.lambda - before->lambda) / h, inverse = 1.0f / r;
        float slope = -0.5f * decay;
        if (heun) {
            slope = h == 0 ? 0 : to.alpha * ((expf(-h) - 1.0f) / h + 1.0f);
        }
        p->next[TERM_ORIGINAL] += (double)slope * inverse;
        p->next[TERM_KEPT] = -(double)slope * inverse;
    }
}

static bool check_config(const struct schedule_config *config, GError **error)
{
    const char *wish = config->thresholding        ? "thresholding"
                       : !config->solver_plus_plus ? "an algorithm_type other than \"dpmsolver++\""
                       : config->solver_order != 2 ? "a solver_order other than 2"
                                                   : NULL;

    if (wish != NULL) {
        return error_failed(error,
                            "the model's scheduler_config.json asks for %s, which --sampler "
                            "dpmpp-2m does not have: use --sampler euler",
                            wish);
    }
    return true;
}

bool sampler_plan_dpmpp(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    g_autofree float *levels = g_new(float, (gsize)s->source.options.steps + 1);

    if (!check_config(config, error)) {
        return false;
    }
    place_levels(s, levels);
    bool plain_end = !config->final_sigma_min || config->euler_at_final ||
                     (config->lower_order_final && s->n_steps < FEW_STEPS);
    for (int k = 0; k < s->n_steps; k++) {
        struct level from = level_of(levels[k]), to = level_of(levels[k + 1]);
        struct level before = level_of(levels[MAX(k - 1, 0)]);
        bool second = k > s->first && !(plain_end && k == s->n_steps - 1);
        s->plan[k].kept[0][TERM_ORIGINAL] = 1;
        fill_original(&s->plan[k], config->prediction_type, from);
        fill_step(&s->plan[k], second ? &before : NULL, from, to, config->solver_heun);
    }
    s->initial_scale = 1;
    s->n_kept = 1;
    return true;
}
