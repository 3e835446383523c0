/* sampler_levels.c: see sampler_levels.h. All is computed as numpy and PyTorch do in diffusers' classes:
 * levels in double and rounded to float, what follows from them in float. */
#include "engine/sampler/sampler_levels.h"
#include "engine/sampler/sampler_spacing.h"
#include "engine/sampler/sampler_timesteps.h"

#include "engine/base/error.h"

#include <math.h>

#define LEARNED 50

struct sampler_level sampler_level_of(float sigma)
{
    const float alpha = 1.0f / sqrtf(sigma * sigma + 1.0f), beta = sigma * alpha;

    return (struct sampler_level){alpha, beta, logf(alpha) - logf(beta)};
}

struct sampler_level sampler_level_at(float alpha_squared)
{
    const float alpha = sqrtf(alpha_squared), beta = sqrtf(1.0f - alpha_squared);

    return (struct sampler_level){alpha, beta, logf(alpha) - logf(beta)};
}

// whether levels are made of the highest and the lowest, in place of those of timesteps
static bool spaces_levels(const struct sampler_source *source)
{
    return source->spacing != SAMPLER_SPACING_NORMAL && source->spacing != SAMPLER_SPACING_AYS;
}

// n levels from high to low, and where they lie between timesteps
static void place_levels(const struct sampler_source *source, const float *sigmas, double high,
                         double low, int n, double *timesteps, double *at)
{
    sampler_space(source->spacing, high, low, at, n);
    for (int k = 0; k < n; k++) {
        timesteps[k] =
            sampler_log_to_timestep(sigmas, source->config.num_train_timesteps, log(at[k]));
    }
}

// timesteps from large to small: those of sampler_descending, or aligned ones
static int place_timesteps(const struct sampler_source *source, const float *sigmas, int last,
                           int places, double *timesteps)
{
    const int steps = source->options.steps;

    if (source->spacing == SAMPLER_SPACING_AYS) {
        sampler_align(sigmas, steps, timesteps);
        return steps;
    }
    return sampler_descending(&source->config, last, places, steps, timesteps);
}

int sampler_place_sigmas(const struct sampler_source *source, bool rounded, double *timesteps,
                         float *levels)
{
    const struct schedule_config *config = &source->config;
    const int train = config->num_train_timesteps, steps = source->options.steps;
    const bool whole = source->spacing == SAMPLER_SPACING_KARRAS && rounded;
    g_autofree float *sigmas = sampler_sigmas(config, source->alphas_cumprod);
    g_autofree double *at = g_new(double, (gsize)steps);
    const int n = place_timesteps(source, sigmas, train, steps, timesteps);

    for (int k = 0; k < n; k++) {
        timesteps[k] = (float)timesteps[k]; // these classes do not round them
        at[k] = sampler_interpolate(sigmas, train, timesteps[k]);
    }
    if (spaces_levels(source)) {
        place_levels(source, sigmas, at[0], at[n - 1], n, timesteps, at);
    }
    for (int k = 0; k < n; k++) {
        timesteps[k] = whole ? rint(timesteps[k]) : (float)timesteps[k];
        levels[k] = (float)at[k];
    }
    levels[n] = 0;
    return n;
}

// of a level that lies between two, as these classes choose it
static double whole_timestep(enum sampler_spacing spacing, bool down, double t)
{
    const bool cut = spacing == SAMPLER_SPACING_EXPONENTIAL || spacing == SAMPLER_SPACING_BETA;

    return cut || down ? floor(t) : rint(t);
}

int sampler_place_halved(const struct sampler_source *source, int last, bool down,
                         double *timesteps, float *levels)
{
    const struct schedule_config *config = &source->config;
    const int train = config->num_train_timesteps, steps = source->options.steps;
    const bool spaced = spaces_levels(source);
    g_autofree float *sigmas = sampler_sigmas(config, source->alphas_cumprod);
    g_autofree double *at = g_new(double, (gsize)steps);
    // of steps + 1 places the last, timestep 0, is left out
    const int n = spaced ? steps : place_timesteps(source, sigmas, last, steps + 1, timesteps);

    if (spaced) {
        place_levels(source, sigmas, sigmas[train - 1], sigmas[0], n, timesteps, at);
    }
    for (int k = 0; k < n; k++) {
        timesteps[k] =
            spaced ? whole_timestep(source->spacing, down, timesteps[k]) : rint(timesteps[k]);
        levels[k] = (float)(spaced ? at[k] : sampler_interpolate(sigmas, train, timesteps[k]));
    }
    levels[n] = config->final_sigma_min ? sigmas[0] : 0;
    return n;
}

bool sampler_place_learned(struct sampler *s, GError **error)
{
    const int train = s->source.config.num_train_timesteps, steps = s->source.options.steps;
    const int learned = MIN(LEARNED, train), distance = train / learned;
    const bool aligned = s->source.spacing == SAMPLER_SPACING_AYS;
    g_autofree float *sigmas = sampler_sigmas(&s->source.config, s->source.alphas_cumprod);
    g_autofree double *at = g_new(double, (gsize)steps);

    if (steps > learned && !aligned) {
        return error_usage(error, "--sampler %s has 1 to %d steps: use fewer, 4 to 8 are usual",
                           sampler_name(s->source.options.kind), learned);
    }
    sampler_plan_begin(s, steps);
    if (aligned) {
        sampler_align(sigmas, steps, at);
    }
    for (int k = 0; k < steps; k++) {
        s->plan[k].timestep =
            aligned ? at[k] : (learned - (int)(k * ((double)learned / steps))) * distance - 1;
    }
    return true;
}

float sampler_first_sigma(const struct sampler_source *source)
{
    g_autofree float *sigmas = sampler_sigmas(&source->config, source->alphas_cumprod);

    return sigmas[0];
}

float sampler_initial_sigma(const struct schedule_config *config, float sigma)
{
    const bool noise_alone = config->timestep_spacing != TIMESTEPS_LEADING;

    return noise_alone ? sigma : sqrtf(sigma * sigma + 1.0f);
}

void sampler_split_noise(float sigma, float next, float *down, float *up)
{
    const float share = next * next * (sigma * sigma - next * next) / (sigma * sigma);

    // below 0 by rounding alone
    *up = sqrtf(fmaxf(share, 0));
    *down = sqrtf(fmaxf(next * next - *up * *up, 0));
}

void sampler_fill_sigma(struct sampler_plan_step *p, enum prediction_type type, float sigma)
{
    const float size = sqrtf(sigma * sigma + 1.0f);

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
}

void sampler_fill_level(struct sampler_plan_step *p, enum prediction_type type,
                        struct sampler_level from)
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
