/* DPM-Solver++ along sigma with fresh noise, in single steps (k-diffusion's DPM++ SDE, r = 1/2): two
 * evaluations a step, each goes down further than to its level and is brought back by noise.
 *
 *   first    latents' = down/sigma latents + (1 - down/sigma) original + up n_1     to m = sqrt(sigma next)
 *   second   latents' = the same from the kept latents, with this original, to next, with n_2
 *
 * down and up are those of sampler_euler.c. n_1 and n_2 are one Brownian path's, along sigma:
 *   n_2 = sqrt((sigma - m) / (sigma - next)) n_1 + sqrt((m - next) / (sigma - next)) n
 * of which the fresh part n is what the second evaluation gets. The last step has one evaluation, without
 * noise. */
#include "engine/sampler/sampler_levels.h"
#include "engine/sampler/sampler_timesteps.h"

#include <math.h>

enum { KEPT_LATENTS = TERM_KEPT, KEPT_NOISE };

// half way on the scale of log sigma
static float between(float from, float to)
{
    const float a = -logf(from), b = -logf(to);

    return expf(-(a + (b - a) * 0.5f));
}

// from level `sigma` of latents in `term` to `next`; returns the deviation of the noise
static float fill_move(double row[TERMS], int term, float sigma, float next)
{
    float down = next, up = 0;

    if (next > 0) {
        sampler_split_noise(sigma, next, &down, &up);
    }
    row[term] = (double)down / sigma;
    row[TERM_ORIGINAL] = 1 - (double)down / sigma;
    return up;
}

static void fill_step(struct sampler_plan_step p[2], enum prediction_type type, float from,
                      float to)
{
    const float middle = between(from, to);
    const double share = ((double)from - middle) / ((double)from - to);

    sampler_fill_sigma(&p[0], type, from);
    p[0].next[TERM_NOISE] = fill_move(p[0].next, TERM_LATENTS, from, middle);
    p[0].kept[0][TERM_LATENTS] = p[0].kept[1][TERM_NOISE] = 1;
    sampler_fill_sigma(&p[1], type, middle);
    const double up = fill_move(p[1].next, KEPT_LATENTS, from, to);
    p[1].next[KEPT_NOISE] = up * sqrt(share);
    p[1].next[TERM_NOISE] = up * sqrt(1 - share);
}

bool sampler_plan_dpmpp_sde(struct sampler *s, GError **error)
{
    const int train = s->source.config.num_train_timesteps;
    const enum prediction_type type = s->source.config.prediction_type;
    g_autofree float *sigmas = sampler_sigmas(&s->source.config, s->source.alphas_cumprod);
    g_autofree float *levels = g_new(float, (gsize)s->source.options.steps + 1);
    g_autofree double *timesteps = g_new(double, (gsize)s->source.options.steps);
    const int n = sampler_place_sigmas(&s->source, false, timesteps, levels);

    sampler_plan_begin(s, 2 * n - 1);
    s->n_kept = 2;
    s->initial_scale = sampler_initial_sigma(&s->source.config, levels[0]);
    for (int j = 0; j < n; j++) {
        struct sampler_plan_step *p = &s->plan[2 * j];

        p->timestep = timesteps[j];
        if (j == n - 1) {
            sampler_fill_sigma(p, type, levels[j]);
            fill_move(p->next, TERM_LATENTS, levels[j], 0);
        } else {
            fill_step(p, type, levels[j], levels[j + 1]);
            p[1].timestep =
                sampler_log_to_timestep(sigmas, train, logf(between(levels[j], levels[j + 1])));
        }
    }
    return true;
}
