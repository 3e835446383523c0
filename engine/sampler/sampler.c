/* The samplers' common part: what may be asked for, and what a step is as the device takes it
 * (kernels/latents_reference.c), from the plan (sampler_plan.h). */
#include "engine/sampler/sampler.h"

#include "engine/base/error.h"
#include "engine/sampler/sampler_plan.h"
#include "engine/sampler/sampler_spacing.h"
#include "engine/options/option.h"

#include <math.h>
#include <string.h>

const char *sampler_name(enum sampler_kind kind)
{
    const char *word = option_word(option_find(&options_of_generate, "sampler"), (int)kind);

    // nobody can ask for it by name: editing uses it
    return word != NULL ? word : "inversion";
}

#define ONE(spacing) (1u << SAMPLER_SPACING_##spacing)

// spacings that a class has beside the normal one
enum {
    AYS = ONE(AYS),
    SIGMAS = ONE(KARRAS) | ONE(EXPONENTIAL) | ONE(BETA),
    ALL = SIGMAS | ONE(LU) | AYS,
};

// what a class reads of a config, and needs
enum {
    READS_ZERO_SNR = 1 << 0,     // rescale_betas_zero_snr
    READS_THRESHOLDING = 1 << 1, // and has it, which ours has not
    READS_SIGMAS = 1 << 2,       // use_karras_sigmas and the like
    NEEDS_NOISE = 1 << 3,        // not defined where the network predicts originals
    HAS_ETA = 1 << 4,
    HAS_OWN_TIMESTEPS = 1 << 5, // and does not read timestep_spacing
};

/* How a class makes its plan, how often it asks the network in a step, where its timesteps lie when the
 * config says nothing, which spacings it has. */
struct sampler_class {
    bool (*plan)(struct sampler *s, GError **error);
    int evaluations;
    enum timestep_spacing timesteps;
    unsigned spacings;
    unsigned traits;
};

static const struct sampler_class classes[] = {
    [SAMPLER_DDIM] = {sampler_plan_ddim, 1, TIMESTEPS_LEADING, 0,
                      READS_ZERO_SNR | READS_THRESHOLDING | HAS_ETA},
    [SAMPLER_EULER] = {sampler_plan_euler, 1, TIMESTEPS_LINSPACE, SIGMAS | AYS,
                       READS_ZERO_SNR | READS_SIGMAS},
    // the class does not have it: there it has to be asked for
    [SAMPLER_EULER_A] = {sampler_plan_euler, 1, TIMESTEPS_LINSPACE, ONE(KARRAS),
                         READS_ZERO_SNR | NEEDS_NOISE},
    [SAMPLER_DPMPP_2M] = {sampler_plan_dpmpp, 1, TIMESTEPS_LINSPACE, ALL,
                          READS_ZERO_SNR | READS_THRESHOLDING | READS_SIGMAS},
    [SAMPLER_DPMPP_2M_SDE] = {sampler_plan_dpmpp, 1, TIMESTEPS_LINSPACE, ALL,
                              READS_ZERO_SNR | READS_THRESHOLDING | READS_SIGMAS},
    [SAMPLER_DPMPP_3M_SDE] = {sampler_plan_dpmpp, 1, TIMESTEPS_LINSPACE, ALL,
                              READS_ZERO_SNR | READS_THRESHOLDING | READS_SIGMAS},
    [SAMPLER_DPMPP_SDE] = {sampler_plan_dpmpp_sde, 2, TIMESTEPS_LINSPACE, SIGMAS,
                           READS_SIGMAS | NEEDS_NOISE},
    [SAMPLER_PNDM] = {sampler_plan_pndm, 1, TIMESTEPS_LEADING, 0, NEEDS_NOISE},
    [SAMPLER_LMS] = {sampler_plan_lms, 1, TIMESTEPS_LINSPACE, SIGMAS, READS_SIGMAS},
    [SAMPLER_HEUN] = {sampler_plan_heun, 2, TIMESTEPS_LINSPACE, SIGMAS | AYS, READS_SIGMAS},
    [SAMPLER_DPM2] = {sampler_plan_heun, 2, TIMESTEPS_LINSPACE, SIGMAS, READS_SIGMAS | NEEDS_NOISE},
    [SAMPLER_DPM2_A] = {sampler_plan_heun, 2, TIMESTEPS_LINSPACE, SIGMAS,
                        READS_SIGMAS | NEEDS_NOISE},
    [SAMPLER_UNIPC] = {sampler_plan_unipc, 1, TIMESTEPS_LINSPACE, SIGMAS,
                       READS_ZERO_SNR | READS_THRESHOLDING | READS_SIGMAS},
    [SAMPLER_LCM] = {sampler_plan_lcm, 1, TIMESTEPS_LEADING, AYS,
                     READS_ZERO_SNR | READS_THRESHOLDING | HAS_OWN_TIMESTEPS},
    [SAMPLER_TCD] = {sampler_plan_tcd, 1, TIMESTEPS_LEADING, AYS,
                     READS_ZERO_SNR | HAS_ETA | HAS_OWN_TIMESTEPS},
    [SAMPLER_DDIM_INVERSE] = {sampler_plan_ddim, 1, TIMESTEPS_LEADING, 0, READS_ZERO_SNR},
};

// one list of words for what is asked for and what a config says
G_STATIC_ASSERT((int)SAMPLER_TIMESTEPS_LEADING == (int)TIMESTEPS_LEADING &&
                (int)SAMPLER_TIMESTEPS_TRAILING == (int)TIMESTEPS_TRAILING &&
                (int)SAMPLER_TIMESTEPS_LINSPACE == (int)TIMESTEPS_LINSPACE);
G_STATIC_ASSERT((int)SAMPLER_SPACING_LU - SAMPLER_SPACING_NORMAL == (int)SIGMAS_LU);

static const struct sampler_class *class_of(const struct sampler *s)
{
    return &classes[s->source.options.kind];
}

// a sentence for an option that a class does not have
static bool refuse(const struct sampler_options *o, const char *option, int value,
                   const char *instead, GError **error)
{
    return error_usage(error, "--%s %s does not go with --sampler %s: use %s", option,
                       option_word(option_find(&options_of_generate, option), value),
                       sampler_name(o->kind), instead);
}

static bool check_spacing(const struct sampler_options *o, int train, GError **error)
{
    const struct sampler_class *c = &classes[o->kind];
    const bool aligned = o->spacing == SAMPLER_SPACING_AYS;

    if (o->spacing > SAMPLER_SPACING_NORMAL && (c->spacings & 1u << o->spacing) == 0) {
        return refuse(o, "spacing", (int)o->spacing, "--sampler dpmpp-2m, which has all", error);
    }
    if (aligned && train != SAMPLER_AYS_TIMESTEPS) {
        return error_usage(error,
                           "--spacing ays is made for models of %d timesteps, and this one has %d",
                           SAMPLER_AYS_TIMESTEPS, train);
    }
    if (o->timesteps != SAMPLER_TIMESTEPS_MODEL && (c->traits & HAS_OWN_TIMESTEPS) != 0) {
        return refuse(o, "timesteps", (int)o->timesteps, "its own timesteps, without the option",
                      error);
    }
    if (o->timesteps != SAMPLER_TIMESTEPS_MODEL && aligned) {
        return error_usage(error, "--timesteps does not go with --spacing ays, which says them");
    }
    return !o->zero_snr || (c->traits & READS_ZERO_SNR) != 0 ||
           error_usage(error,
                       "--zero-snr does not go with --sampler %s: use ddim, euler or dpmpp-2m",
                       sampler_name(o->kind));
}

static bool check_options(const struct sampler_options *o, int train, GError **error)
{
    char eta[G_ASCII_DTOSTR_BUF_SIZE];

    if (o->steps < 1 || o->steps > train) {
        return error_usage(error, "--steps %d is not possible: the model allows 1 to %d", o->steps,
                           train);
    }
    // written so that NaN is refused, too
    if (!(o->eta >= 0 && o->eta <= 1)) {
        return error_usage(error, "--eta %s is not possible: it goes from 0 to 1",
                           g_ascii_formatd(eta, sizeof eta, "%g", o->eta));
    }
    return (o->eta == 0 || (classes[o->kind].traits & HAS_ETA) != 0 ||
            error_usage(error, "--eta does not go with --sampler %s: use --sampler ddim or tcd",
                        sampler_name(o->kind))) &&
           check_spacing(o, train, error);
}

bool sampler_lacks(const struct sampler *s, const char *wish, GError **error)
{
    return error_failed(
        error,
        "the model's scheduler_config.json asks for %s, which --sampler %s does not "
        "have: use --sampler euler",
        wish, sampler_name(s->source.options.kind));
}

static bool check_config(const struct sampler *s, GError **error)
{
    const unsigned traits = class_of(s)->traits;

    if (s->source.config.thresholding && (traits & READS_THRESHOLDING) != 0) {
        return sampler_lacks(s, "thresholding", error);
    }
    if (s->source.config.prediction_type == PREDICTION_SAMPLE && (traits & NEEDS_NOISE) != 0) {
        return error_usage(error,
                           "--sampler %s is not defined for a model with prediction_type "
                           "\"sample\": use ddim, euler or dpmpp-2m",
                           sampler_name(s->source.options.kind));
    }
    return true;
}

static enum sampler_spacing resolve_spacing(const struct sampler_options *o,
                                            const struct schedule_config *config)
{
    const struct sampler_class *c = &classes[o->kind];
    const unsigned says = 1u << (SAMPLER_SPACING_NORMAL + config->sigmas);

    if (o->spacing != SAMPLER_SPACING_MODEL) {
        return o->spacing;
    }
    // a class that lacks what a config says does not read it
    return (c->traits & READS_SIGMAS) != 0 && (c->spacings & says) != 0
               ? (enum sampler_spacing)(SAMPLER_SPACING_NORMAL + config->sigmas)
               : SAMPLER_SPACING_NORMAL;
}

/* A factor that is infinite or no number: the noise alone tells nothing of the original (zero
 * terminal SNR with a network that predicts noise), or two steps share a level. */
static bool is_finite(const struct sampler *s, const struct sampler_plan_step *p)
{
    // one look at all: an infinite or missing term makes the sum so
    double sum = p->input_scale + p->keep + p->add + p->original_latents + p->original_prediction;

    for (int term = 0; term < TERMS; term++) {
        sum += p->next[term];
        for (int j = 0; j < s->n_kept; j++) {
            sum += p->kept[j][term];
        }
    }
    return isfinite(sum);
}

static bool check_plan(const struct sampler *s, GError **error)
{
    const struct sampler_options *o = &s->source.options;

    for (int k = s->first; k < s->n_steps; k++) {
        if (!is_finite(s, &s->plan[k])) {
            return error_usage(
                error,
                "--sampler %s cannot take --steps %d with this model's schedule (step %d "
                "has no solution): use fewer steps or another sampler",
                sampler_name(o->kind), o->steps, k + 1);
        }
    }
    if (s->n_steps == 0) {
        return error_usage(error, "--steps %d leaves no step with this model's schedule: use more",
                           o->steps);
    }
    return true;
}

// for the steps from s->first on
static bool make_plan(struct sampler *s, GError **error)
{
    g_clear_pointer(&s->plan, g_free);
    return class_of(s)->plan(s, error) && check_plan(s, error);
}

// the config as the class reads it; of its own, so that the model's stays as it is
static struct schedule_config resolve_config(const struct sampler_options *o,
                                             const struct schedule_config *config)
{
    const struct sampler_class *c = &classes[o->kind];
    struct schedule_config resolved = *config;

    if (config->timestep_spacing == TIMESTEPS_DEFAULT) {
        resolved.timestep_spacing = c->timesteps;
    }
    if (o->timesteps != SAMPLER_TIMESTEPS_MODEL) {
        resolved.timestep_spacing = (enum timestep_spacing)o->timesteps;
    }
    resolved.rescale_betas_zero_snr =
        (config->rescale_betas_zero_snr || o->zero_snr) && (c->traits & READS_ZERO_SNR) != 0;
    return resolved;
}

struct sampler *sampler_create(const struct sampler_options *options,
                               const struct schedule_config *config, GError **error)
{
    const struct schedule_config resolved = resolve_config(options, config);
    g_autoptr(schedule) table = schedule_create(&resolved, error);

    if (table == NULL || !check_options(options, table->n_timesteps, error)) {
        return NULL;
    }
    g_autoptr(sampler) s = g_new0(struct sampler, 1);
    s->clip = INFINITY;
    s->source = (struct sampler_source){
        .options = *options,
        .config = resolved,
        .alphas_cumprod = g_memdup2(table->alphas_cumprod,
                                    (gsize)table->n_timesteps * sizeof *table->alphas_cumprod),
        .spacing = resolve_spacing(options, config)};
    return check_config(s, error) && make_plan(s, error) ? g_steal_pointer(&s) : NULL;
}

void sampler_free(struct sampler *s)
{
    if (s != NULL) {
        g_free(s->source.alphas_cumprod);
        g_free(s->plan);
        g_free(s);
    }
}

// how many of the steps a strength leaves: cut off as diffusers' img2img does it
static int remaining_steps(int steps, double strength)
{
    return MIN((int)(steps * strength), steps);
}

bool sampler_check_strength(const char *option, double strength, int steps, GError **error)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE], least[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd(text, sizeof text, "%g", strength);
    if (!(strength >= 0 && strength <= 1)) {
        return error_usage(error, "%s %s is not possible: it goes from above 0 to 1", option, text);
    }
    if (remaining_steps(steps, strength) >= 1) {
        return true;
    }
    // rounded up to three digits, so that what is advised works
    g_ascii_formatd(least, sizeof least, "%.3g", ceil(1000.0 / steps) / 1000);
    return error_usage(error, "%s %s leaves none of the %d steps: use at least %s", option, text,
                       steps, least);
}

bool sampler_start(struct sampler *s, double strength, GError **error)
{
    // steps are counted as they are asked for
    const int evaluations = class_of(s)->evaluations;
    const int steps = (s->n_steps + evaluations - 1) / evaluations;

    if (!sampler_check_strength("--strength", strength, steps, error)) {
        return false;
    }
    s->first = (steps - remaining_steps(steps, strength)) * evaluations;
    return make_plan(s, error);
}

int sampler_steps(const struct sampler *s)
{
    return s->n_steps;
}

int sampler_first(const struct sampler *s)
{
    return s->first;
}

double sampler_timestep(const struct sampler *s, int k)
{
    return s->plan[k].timestep;
}

double sampler_initial_scale(const struct sampler *s)
{
    return s->initial_scale;
}

double sampler_noise_scale(const struct sampler *s, int k)
{
    return s->plan[k].next[TERM_NOISE];
}

int sampler_kept(const struct sampler *s)
{
    return s->n_kept;
}

void sampler_factors(const struct sampler *s, int k, struct sampler_factors *out)
{
    const struct sampler_plan_step *p = &s->plan[k];

    g_assert(k >= s->first && k < s->n_steps);
    *out = (struct sampler_factors){.input_scale = p->input_scale,
                                    .original_latents = p->original_latents,
                                    .original_prediction = p->original_prediction,
                                    .clip = s->clip,
                                    .divisor = 1,
                                    // behind the last step nothing of the noise is left
                                    .keep = k + 1 == s->n_steps ? 1 : s->plan[k + 1].keep,
                                    .add = k + 1 == s->n_steps ? 0 : s->plan[k + 1].add,
                                    .steps = s->n_steps - s->first,
                                    .left = s->n_steps - (k + 1)};
    memcpy(out->next, p->next, sizeof out->next);
    memcpy(out->kept, p->kept, sizeof out->kept);
}

/* latents' = (latents + original original_latents) latents
 *            + (prediction + original original_prediction) prediction
 * solved for latents; a cut of the original cannot be undone and is taken as none. */
void sampler_undo(const struct sampler *s, int k, struct sampler_factors *out)
{
    const struct sampler_plan_step *p = &s->plan[k];
    const double *next = p->next;

    g_assert(s->source.options.kind == SAMPLER_DDIM && next[TERM_NOISE] == 0);
    memset(out->next, 0, sizeof out->next);
    memset(out->kept, 0, sizeof out->kept);
    out->next[TERM_LATENTS] = 1;
    out->next[TERM_PREDICTION] =
        -(next[TERM_PREDICTION] + next[TERM_ORIGINAL] * p->original_prediction);
    out->divisor = next[TERM_LATENTS] + next[TERM_ORIGINAL] * p->original_latents;
}

void sampler_add_noise(const struct sampler *s, int k, const float *original, const float *noise,
                       float *out, int64_t count)
{
    // behind the last step nothing of the noise is left
    double keep = k == s->n_steps ? 1 : s->plan[k].keep;
    double add = k == s->n_steps ? 0 : s->plan[k].add;

    for (int64_t i = 0; i < count; i++) {
        out[i] = (float)(keep * original[i] + add * noise[i]);
    }
}
