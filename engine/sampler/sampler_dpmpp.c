/* DPM-Solver++, multistep (Lu and others, 2022, algorithm 2): of second order, and as a stochastic
 * equation (sde-dpmsolver++) of second and third.
 *
 *   alpha = 1 / sqrt(sigma^2 + 1), beta = sigma alpha       of the level sigma before and after
 *   lambda = log(alpha / beta), h = lambda' - lambda, H = h, with noise 2 h, e = exp(-H) - 1
 *   r_0, r_1: the last two differences of lambda before, over h; m_0, m_1, m_2: the last originals
 *   first order   latents' = beta' / beta (with noise exp(-h)) latents - alpha' e m_0
 *   midpoint      adds -alpha' e / 2 D_1         D_1 = (m_0 - m_1) / r_0
 *   Heun          adds alpha' (e / H + 1) D_1 instead
 *   third order   the same, with D_1 + r_0 D_2, D_2 = (D_1 - (m_1 - m_2) / r_1) / (r_0 + r_1), and
 *                 -alpha' ((e + H) / H^2 + 1/2) D_2      as diffusers has it; k-diffusion subtracts 1/2
 *   noise         beta' sqrt(1 - exp(-2 h)) fresh noise
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

enum { LAST = TERM_KEPT, BEFORE }; // the originals of two steps before

/* One step, and how it is made: levels [1] is the next, [0] its own, [-1] and [-2] those before, as far as
 * the order needs them. */
struct stride {
    const float *levels;
    int order;
    bool heun;
};

// adds factor (newer - older)
static void add_difference(double row[TERMS], double factor, int newer, int older)
{
    row[newer] += factor;
    row[older] -= factor;
}

// the ordinary equation, in float as diffusers' class
static void fill_step(struct sampler_plan_step *p, const struct stride *t)
{
    const struct sampler_level from = sampler_level_of(t->levels[0]),
                               to = sampler_level_of(t->levels[1]);
    const float h = to.lambda - from.lambda, e = expf(-h) - 1.0f;

    p->next[TERM_LATENTS] = to.beta / from.beta;
    p->next[TERM_ORIGINAL] = -(double)(to.alpha * e);
    if (t->order == 2) {
        const float r = (from.lambda - sampler_level_of(t->levels[-1]).lambda) / h;
        float slope = -0.5f * (to.alpha * e);
        if (t->heun) {
            // where the level stays there is nothing to add
            slope = h == 0 ? 0 : to.alpha * (e / h + 1.0f);
        }
        add_difference(p->next, (double)slope * (1.0f / r), TERM_ORIGINAL, LAST);
    }
}

/* What the second and third order add to the stochastic equation; lambda: of the next level, of this one
 * and of those before. */
static void add_slopes(double row[TERMS], const struct stride *t, const double lambda[4],
                       double alpha)
{
    const double h = lambda[0] - lambda[1], H = 2 * h, e = expm1(-H);
    const double r_0 = (lambda[1] - lambda[2]) / h, r_1 = (lambda[2] - lambda[3]) / h;
    const double first = alpha * (t->heun || t->order == 3 ? e / H + 1 : -e / 2);
    const double second = (first * r_0 - alpha * ((e + H) / (H * H) + 0.5)) / (r_0 + r_1);

    if (t->order == 2) {
        add_difference(row, first / r_0, TERM_ORIGINAL, LAST);
    } else {
        add_difference(row, (first + second) / r_0, TERM_ORIGINAL, LAST);
        add_difference(row, -second / r_1, LAST, BEFORE);
    }
}

/* The stochastic equation, in double: of differences of differences floats would leave few digits. */
static void fill_noisy(struct sampler_plan_step *p, const struct stride *t)
{
    const double from = t->levels[0], to = t->levels[1], alpha = 1 / hypot(to, 1);
    double lambda[4] = {-log(to), -log(from)};
    const double h = lambda[0] - lambda[1];

    // as many levels as the order takes
    for (int i = 1; i < t->order; i++) {
        lambda[1 + i] = -log(t->levels[-i]);
    }
    p->next[TERM_LATENTS] = to * alpha * hypot(from, 1) / from * exp(-h);
    p->next[TERM_ORIGINAL] = -alpha * expm1(-2 * h);
    p->next[TERM_NOISE] = to * alpha * sqrt(-expm1(-2 * h));
    if (t->order > 1 && h != 0) {
        add_slopes(p->next, t, lambda, alpha);
    }
}

// of step k: as many originals as there are, fewer at the end
static int order_of(const struct sampler *s, int order, int k)
{
    const struct schedule_config *config = &s->source.config;
    const int left = s->n_steps - 1 - k, behind = k - s->first + 1;
    const bool few = config->lower_order_final && s->n_steps < FEW_STEPS;
    const bool plain_end = !config->final_sigma_min || config->euler_at_final || few;

    if (left == 0 && plain_end) {
        return 1;
    }
    return MIN(MIN(order, behind), left == 1 && few ? 2 : order);
}

bool sampler_plan_dpmpp(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    const enum sampler_kind kind = s->source.options.kind;
    const bool noisy = kind != SAMPLER_DPMPP_2M;
    g_autofree float *levels = g_new(float, (gsize)s->source.options.steps + 1);
    g_autofree double *timesteps = g_new(double, (gsize)s->source.options.steps);

    // the others say both themselves
    if (!noisy && !config->solver_plus_plus) {
        return sampler_lacks(s, "an algorithm_type other than \"dpmsolver++\"", error);
    }
    if (!noisy && config->solver_order != 2) {
        return sampler_lacks(s, "a solver_order other than 2", error);
    }
    // this class rounds down with a cosine schedule
    const bool down = config->beta_schedule == BETA_SQUARED_COS_CAP_2;
    const int last = last_timestep(config, s->source.alphas_cumprod);
    sampler_plan_begin(s, sampler_place_halved(&s->source, last, down, timesteps, levels));
    for (int k = 0; k < s->n_steps; k++) {
        const struct stride t = {.levels = levels + k,
                                 .order = order_of(s, kind == SAMPLER_DPMPP_3M_SDE ? 3 : 2, k),
                                 .heun = config->solver_heun};
        s->plan[k].timestep = timesteps[k];
        sampler_fill_level(&s->plan[k], config->prediction_type, sampler_level_of(levels[k]));
        (noisy ? fill_noisy : fill_step)(&s->plan[k], &t);
        s->plan[k].kept[0][TERM_ORIGINAL] = s->plan[k].kept[1][LAST] = 1;
    }
    s->initial_scale = 1;
    s->n_kept = kind == SAMPLER_DPMPP_3M_SDE ? 2 : 1;
    return true;
}
