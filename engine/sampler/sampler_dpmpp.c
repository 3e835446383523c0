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
#include "engine/sampler/sampler_levels.h"

#include <math.h>

#define FEW_STEPS 15

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

/* before is the level of the step before, NULL for first order. The limit of Heun's factor at h = 0
 * is 0. */
static void fill_step(struct sampler_plan_step *p, const struct sampler_level *before,
                      struct sampler_level from, struct sampler_level to, bool heun)
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

bool sampler_plan_dpmpp(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    g_autofree float *levels = g_new(float, (gsize)s->source.options.steps + 1);
    g_autofree double *timesteps = g_new(double, (gsize)s->source.options.steps);

    if (!config->solver_plus_plus) {
        return sampler_lacks(s, "an algorithm_type other than \"dpmsolver++\"", error);
    }
    if (config->solver_order != 2) {
        return sampler_lacks(s, "a solver_order other than 2", error);
    }
    // this class rounds down with a cosine schedule
    const bool down = config->beta_schedule == BETA_SQUARED_COS_CAP_2;
    const int last = last_timestep(config, s->source.alphas_cumprod);
    sampler_plan_begin(s, sampler_place_halved(&s->source, last, down, timesteps, levels));
    bool plain_end = !config->final_sigma_min || config->euler_at_final ||
                     (config->lower_order_final && s->n_steps < FEW_STEPS);
    for (int k = 0; k < s->n_steps; k++) {
        struct sampler_level from = sampler_level_of(levels[k]),
                             to = sampler_level_of(levels[k + 1]);
        struct sampler_level before = sampler_level_of(levels[MAX(k - 1, 0)]);
        bool second = k > s->first && !(plain_end && k == s->n_steps - 1);
        s->plan[k].timestep = timesteps[k];
        s->plan[k].kept[0][TERM_ORIGINAL] = 1;
        sampler_fill_level(&s->plan[k], config->prediction_type, from);
        fill_step(&s->plan[k], second ? &before : NULL, from, to, config->solver_heun);
    }
    s->initial_scale = 1;
    s->n_kept = 1;
    return true;
}
