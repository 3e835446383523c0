/* latents_reference.c: what stands between two predictions of the network: guidance, the sampler's step and what a
 * mask holds; formulas at struct sampler_factors in kernels.h. Sums are made in double, since differences of noise
 * levels keep few digits; latents and what is kept are rounded once. */
#include "kernels/cell.h"
#include "kernels/reference.h"

#include <math.h>

static void latents_input(const kernels *k, struct latents_shape s,
                          const struct sampler_factors *factors, const real *latents,
                          const real *more, cell *y)
{
    const int width = s.c + s.more_c;

    for (int64_t token = 0; token < s.n * s.t; token++) {
        const int64_t from = token % s.t;

        for (int i = 0; i < s.c; i++) {
            cell_set(k->activation, y, token * width + i,
                     (real)(factors->input_scale * latents[from * s.c + i]));
        }
        for (int i = 0; i < s.more_c; i++) {
            cell_set(k->activation, y, token * width + s.c + i,
                     more != NULL ? more[from * s.more_c + i] : 0);
        }
    }
}

static void latents_guide(const kernels *k, struct latents_shape s, real guidance,
                          const real *weight, const cell *prediction, real *both, real *guided)
{
    const int64_t count = s.t * s.c;

    for (int64_t i = 0; i < s.n * count; i++) {
        both[i] +=
            (weight != NULL ? weight[i / s.c % s.t] : 1) * cell_get(k->activation, prediction, i);
    }
    for (int64_t i = 0; guided != NULL && s.n > 0 && i < count; i++) {
        guided[i] = s.n == 1 ? both[i] : both[i] + guidance * (both[count + i] - both[i]);
    }
}

// the standard deviation of values
static double deviation(const real *values, int64_t count)
{
    double sum = 0, squares = 0;

    for (int64_t i = 0; i < count; i++) {
        sum += values[i];
    }
    for (int64_t i = 0; i < count; i++) {
        const double apart = values[i] - sum / (double)count;
        squares += apart * apart;
    }
    return sqrt(squares / (double)MAX(count - 1, 1));
}

static void latents_rescale(const kernels *k, int64_t count, double share, const real *conditional,
                            real *guided)
{
    const double from = deviation(guided, count), to = deviation(conditional, count);
    // a prediction without any has none to bring nearer
    const double factor = from > 0 ? share * to / from + 1 - share : 1;

    for (int64_t i = 0; i < count; i++) {
        guided[i] = (real)(factor * guided[i]);
    }
}

static double original_of(const struct sampler_factors *f, double latents, double prediction)
{
    const double x = f->original_latents * latents + f->original_prediction * prediction;

    return x > f->clip ? f->clip : x < -f->clip ? -f->clip : x;
}

static double sum_of(const double factors[TERMS], const double terms[TERMS])
{
    double sum = 0;

    for (int term = 0; term < TERMS; term++) {
        sum += factors[term] * terms[term];
    }
    return sum;
}

static void latents_step(const kernels *k, int64_t count, int n_kept,
                         const struct sampler_factors *factors, const real *prediction,
                         const real *noise, const real *from, real *latents, real *kept,
                         real *original)
{
    const bool noisy = noise != NULL && factors->next[TERM_NOISE] != 0;

    for (int64_t i = 0; i < count; i++) {
        double terms[TERMS] = {[TERM_LATENTS] = from[i],
                               [TERM_PREDICTION] = prediction[i],
                               [TERM_ORIGINAL] = original_of(factors, from[i], prediction[i]),
                               [TERM_NOISE] = noisy ? noise[i] : 0};

        for (int j = 0; j < n_kept; j++) {
            terms[TERM_KEPT + j] = kept[j * count + i];
        }
        if (original != NULL) {
            original[i] = (real)terms[TERM_ORIGINAL];
        }
        latents[i] = (real)(sum_of(factors->next, terms) / factors->divisor);
        for (int j = 0; j < n_kept; j++) {
            kept[j * count + i] = (real)sum_of(factors->kept[j], terms);
        }
    }
}

static void latents_hold(const kernels *k, int64_t t, int c, const struct sampler_factors *factors,
                         const real *mask, const real *init, const real *noise, real *latents)
{
    for (int64_t i = 0; i < t * c; i++) {
        if (mask[i / c] * factors->steps <= factors->left) {
            latents[i] = (real)(factors->keep * init[i] + factors->add * noise[i]);
        }
    }
}

void reference_fill_latents(kernels *k)
{
    k->latents_input = latents_input;
    k->latents_guide = latents_guide;
    k->latents_rescale = latents_rescale;
    k->latents_step = latents_step;
    k->latents_hold = latents_hold;
}
