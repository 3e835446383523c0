/* The linear multistep method along sigma (k-diffusion's LMS), of up to four derivatives D = (latents -
 * original) / sigma:
 *
 *   latents' = latents + sum over j of c_j D_j       c_j: the integral from sigma to next of Lagrange's
 *                                                    polynomial that is 1 at the level of D_j
 *
 * Their degree is 3 at most, so that two points of Gauss and Legendre give the integral exactly; diffusers
 * integrates numerically to 1e-4. A run that begins later than at the first step has fewer derivatives at
 * first, and takes the polynomials of these. */
#include "engine/sampler/sampler_levels.h"

#include <math.h>

#define ORDER 4

// Lagrange's polynomial of level j among levels[0 .. order - 1], which lie backwards from the last
static double lagrange(const float *last, int order, int j, double sigma)
{
    double product = 1;

    for (int i = 0; i < order; i++) {
        if (i != j) {
            product *= (sigma - last[-i]) / ((double)last[-j] - last[-i]);
        }
    }
    return product;
}

static double integral(const float *last, int order, int j)
{
    const double half = ((double)last[1] - last[0]) / 2, middle = ((double)last[1] + last[0]) / 2;
    const double point = half / sqrt(3);

    return half *
           (lagrange(last, order, j, middle - point) + lagrange(last, order, j, middle + point));
}

static void fill_step(struct sampler_plan_step *p, const float *last, int order)
{
    const double own = integral(last, order, 0) / last[0];

    p->next[TERM_LATENTS] = 1 + own;
    p->next[TERM_ORIGINAL] = -own;
    for (int j = 1; j < order; j++) {
        p->next[TERM_KEPT + j - 1] = integral(last, order, j);
    }
    p->kept[0][TERM_LATENTS] = 1.0 / last[0];
    p->kept[0][TERM_ORIGINAL] = -1.0 / last[0];
    p->kept[1][TERM_KEPT] = p->kept[2][TERM_KEPT + 1] = 1;
}

bool sampler_plan_lms(struct sampler *s, GError **error)
{
    const struct schedule_config *config = &s->source.config;
    g_autofree float *levels = g_new(float, (gsize)s->source.options.steps + 1);
    g_autofree double *timesteps = g_new(double, (gsize)s->source.options.steps);

    sampler_plan_begin(s, sampler_place_sigmas(&s->source, false, timesteps, levels));
    s->n_kept = ORDER - 1;
    s->initial_scale = sampler_initial_sigma(config, levels[0]);
    for (int k = 0; k < s->n_steps; k++) {
        s->plan[k].timestep = timesteps[k];
        sampler_fill_sigma(&s->plan[k], config->prediction_type, levels[k]);
        fill_step(&s->plan[k], levels + k, MIN(MAX(k - s->first, 0) + 1, ORDER));
    }
    return true;
}
