/* UniPC of second order (Zhao and others, 2023, algorithms 5 to 8, B(h) = e^h - 1, on originals): each
 * evaluation first corrects the latents that the step before predicted, then predicts the next ones.
 *
 *   h = lambda' - lambda, phi = e^-h - 1, r = (lambda of the step before - lambda) / h, D = (m_1 - m_0) / r
 *   corrected  sigma'/sigma x - alpha' phi m_0 - alpha' phi (rho_0 D + rho_1 (m - m_0))
 *   predicted  sigma'/sigma x - alpha' phi m_0 - alpha' phi D / 2
 *
 * m_0, m_1: originals of the last two evaluations before; x: corrected latents; m: the original of the
 * latents before they are corrected. First order (without D, rho_1 = 1/2) at the first step and the last. */
#include "engine/sampler/sampler_levels.h"

#include <math.h>

#define ORDER 2
enum { LAST = TERM_KEPT, BEFORE, CORRECTED }; // originals of the last two evaluations, and latents

// the step between two levels
struct stride {
    double ratio, decay, h; // sigma' / sigma, alpha' phi
    double r;               // of the level before
};

static struct stride stride_of(const float *levels, int k)
{
    const struct sampler_level from = sampler_level_of(levels[k]),
                               to = sampler_level_of(levels[k + 1]);
    const struct sampler_level before = sampler_level_of(levels[MAX(k - 1, 0)]);
    const double h = (double)to.lambda - from.lambda;

    return (struct stride){.ratio = (double)to.beta / from.beta,
                           .decay = to.alpha * expm1(-h),
                           .h = h,
                           .r = ((double)before.lambda - from.lambda) / h};
}

/* rho_0 and rho_1: of the polynomial in time that is exact at r and at 1. */
static void corrector_weights(const struct stride *t, double rho[2])
{
    const double hh = -t->h, phi = expm1(hh), first = phi / hh - 1, second = first / hh - 0.5;
    const double b[] = {first / phi, 2 * second / phi};

    // rho_0 + rho_1 = b_0, r rho_0 + rho_1 = b_1
    rho[0] = (b[0] - b[1]) / (1 - t->r);
    rho[1] = b[0] - rho[0];
}

// corrected latents, in the terms of evaluation k; the step that came here is t, of that order
static void fill_corrected(double row[TERMS], const struct stride *t, int order)
{
    double rho[2] = {0, 0.5};

    row[CORRECTED] = t->ratio;
    row[LAST] = -t->decay;
    if (order == ORDER) {
        corrector_weights(t, rho);
        row[BEFORE] = -t->decay * rho[0] / t->r;
        row[LAST] += t->decay * rho[0] / t->r;
    }
    row[LAST] += t->decay * rho[1];
    row[TERM_ORIGINAL] = -t->decay * rho[1];
}

static void fill_predicted(double row[TERMS], const double corrected[TERMS], const struct stride *t,
                           int order)
{
    for (int term = 0; term < TERMS; term++) {
        row[term] = t->ratio * corrected[term];
    }
    row[TERM_ORIGINAL] -= t->decay;
    if (order == ORDER) {
        row[LAST] -= t->decay * 0.5 / t->r;
        row[TERM_ORIGINAL] += t->decay * 0.5 / t->r;
    }
}

static int order_of(const struct sampler *s, int k)
{
    const int last = s->source.config.lower_order_final ? s->n_steps - k : ORDER;

    return MIN(MIN(ORDER, last), k - s->first + 1);
}

bool sampler_plan_unipc(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    g_autofree float *levels = g_new(float, (gsize)s->source.options.steps + 1);
    g_autofree double *timesteps = g_new(double, (gsize)s->source.options.steps);

    if (config->solver_order != ORDER) {
        return sampler_lacks(s, "a solver_order other than 2", error);
    }
    sampler_plan_begin(
        s, sampler_place_halved(&s->source, config->num_train_timesteps, false, timesteps, levels));
    s->n_kept = 3;
    s->initial_scale = 1;
    for (int k = 0; k < s->n_steps; k++) {
        struct sampler_plan_step *p = &s->plan[k];
        double *corrected = p->kept[CORRECTED - TERM_KEPT];
        const struct stride here = stride_of(levels, k), before = stride_of(levels, MAX(k - 1, 0));

        p->timestep = timesteps[k];
        sampler_fill_level(p, config->prediction_type, sampler_level_of(levels[k]));
        if (k > s->first) {
            fill_corrected(corrected, &before, order_of(s, k - 1));
        } else {
            corrected[TERM_LATENTS] = 1;
        }
        fill_predicted(p->next, corrected, &here, order_of(s, k));
        p->kept[LAST - TERM_KEPT][TERM_ORIGINAL] = p->kept[BEFORE - TERM_KEPT][LAST] = 1;
    }
    return true;
}
