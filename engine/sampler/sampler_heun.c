/* Two evaluations of the network a step along sigma: Heun's method (Karras and others, 2022, algorithm 1)
 * and that of the middle (k-diffusion's DPM2), the latter also ancestral.
 *
 *   D = (latents - original) / sigma
 *   first    latents' = latents + D (m - sigma), keeps latents (and D)    m = next with Heun, else between
 *   second   heun     latents' = kept latents + (kept D + D) / 2 (next - sigma)
 *            dpm2     latents' = kept latents + D (next - sigma)          m = sqrt(sigma next)
 *            dpm2-a   latents' = kept latents + D (down - sigma) + up noise    m = sqrt(sigma down)
 *
 * The last step has no noise left behind it and one evaluation. Evaluation 2 j is at level j, 2 j + 1 at m;
 * up and down are those of sampler_euler.c. */
#include "engine/sampler/sampler_levels.h"
#include "engine/sampler/sampler_timesteps.h"

#include <math.h>

enum { KEPT_LATENTS = TERM_KEPT, KEPT_DERIVATIVE };

// adds factor D to a row
static void add_derivative(double row[TERMS], double factor, float sigma)
{
    row[TERM_LATENTS] += factor / sigma;
    row[TERM_ORIGINAL] -= factor / sigma;
}

static void fill_first(struct sampler_plan_step *p, float sigma, float to)
{
    p->next[TERM_LATENTS] = 1;
    add_derivative(p->next, to - sigma, sigma);
    p->kept[0][TERM_LATENTS] = 1;
    add_derivative(p->kept[1], 1, sigma);
}

// at: the level of this evaluation; from, to: those of the whole step
static void fill_second(struct sampler_plan_step *p, bool heun, float at, float from, float to)
{
    const float dt = to - from;

    p->next[KEPT_LATENTS] = 1;
    p->next[KEPT_DERIVATIVE] = heun ? dt / 2.0 : 0;
    add_derivative(p->next, heun ? dt / 2.0 : dt, at);
}

// half way on the scale of log sigma, as torch.lerp in float
static float between(float from, float to)
{
    const float a = logf(from), b = logf(to);

    return to > 0 ? expf(b - (b - a) * 0.5f) : 0;
}

struct step {
    float from, to, down, up, middle;
    double timestep, timestep_to;
};

static void fill_step(struct sampler *s, const struct step *step, int j, bool last)
{
    const enum sampler_kind kind = s->source.options.kind;
    const enum prediction_type type = s->source.config.prediction_type;
    struct sampler_plan_step *p = &s->plan[2 * j];

    p->timestep = step->timestep;
    sampler_fill_sigma(p, type, step->from);
    fill_first(p, step->from, last ? step->to : step->middle);
    if (!last) {
        p[1].timestep = step->timestep_to;
        sampler_fill_sigma(&p[1], type, step->middle);
        fill_second(&p[1], kind == SAMPLER_HEUN, step->middle, step->from, step->down);
        p[1].next[TERM_NOISE] = step->up;
    }
}

static void fill_steps(struct sampler *s, int n, const double *timesteps, const float *levels)
{
    const int train = s->source.config.num_train_timesteps;
    const enum sampler_kind kind = s->source.options.kind;
    g_autofree float *sigmas = sampler_sigmas(&s->source.config, s->source.alphas_cumprod);

    for (int j = 0; j < n; j++) {
        struct step step = {.from = levels[j],
                            .to = levels[j + 1],
                            .down = levels[j + 1],
                            .middle = levels[j + 1],
                            .timestep = timesteps[j],
                            .timestep_to = timesteps[MIN(j + 1, n - 1)]};

        if (kind == SAMPLER_DPM2_A) {
            sampler_split_noise(step.from, step.to, &step.down, &step.up);
        }
        if (kind != SAMPLER_HEUN) {
            step.middle = between(step.from, step.down);
            step.timestep_to = sampler_log_to_timestep(sigmas, train, logf(step.middle));
        }
        fill_step(s, &step, j, j == n - 1);
    }
}

bool sampler_plan_heun(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    const bool heun = s->source.options.kind == SAMPLER_HEUN;
    g_autofree float *levels = g_new(float, (gsize)s->source.options.steps + 1);
    g_autofree double *timesteps = g_new(double, (gsize)s->source.options.steps);

    const int n = sampler_place_sigmas(&s->source, !heun, timesteps, levels);
    sampler_plan_begin(s, 2 * n - 1);
    s->n_kept = 2;
    s->clip = heun && config->clip_sample_asked ? config->clip_sample_range : INFINITY;
    s->initial_scale = sampler_initial_sigma(config, levels[0]);
    fill_steps(s, n, timesteps, levels);
    return true;
}
