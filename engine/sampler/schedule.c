/* The noise schedule: betas by formula or list, their rescaling to no signal at the end, and the
 * products alphas_cumprod.
 *
 * Each operation on floats rounds as PyTorch's does on the same values: linspace is one fused
 * multiply-add from the nearer end, cumprod multiplies in double. Rescaled tables agree to 5e-7 in
 * sqrt(a_t): the rescaling subtracts nearly equal roots, and PyTorch's are not always the nearest
 * floats. */
#include "engine/sampler/schedule.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

#define MAX_TIMESTEPS 1000000

// torch.linspace(first, last, n, dtype=float32)
static void linspace(float first, float last, float *out, int n)
{
    // in float, as PyTorch has it, although more digits would cost nothing
    float step = n > 1 ? (last - first) / (float)(n - 1) : 0;

    for (int i = 0; i < n; i++) {
        out[i] = i < n / 2 || n == 1 ? fmaf(step, (float)i, first)
                                     : fmaf(-step, (float)(n - 1 - i), last);
    }
}

// a_t of the cosine schedule at a time from 0 to 1
static double cosine_alpha_bar(double time)
{
    double c = cos((time + 0.008) / 1.008 * G_PI / 2);

    return c * c;
}

static void make_betas(const struct schedule_config *c, float *betas)
{
    int n = c->num_train_timesteps;

    for (int i = 0; c->trained_betas != NULL && i < n; i++) {
        // a list in the file goes before the formula
        betas[i] = (float)c->trained_betas[i];
    }
    if (c->trained_betas != NULL) {
        return;
    }
    switch (c->beta_schedule) {
    case BETA_LINEAR:
        linspace((float)c->beta_start, (float)c->beta_end, betas, n);
        break;
    case BETA_SCALED_LINEAR:
        linspace((float)sqrt(c->beta_start), (float)sqrt(c->beta_end), betas, n);
        for (int i = 0; i < n; i++) {
            // linear in the square roots
            betas[i] *= betas[i];
        }
        break;
    case BETA_SQUARED_COS_CAP_2:
        for (int i = 0; i < n; i++) {
            double ratio = cosine_alpha_bar((i + 1.0) / n) / cosine_alpha_bar((double)i / n);
            // Nichol and Dhariwal (2021): the last would be 1, and nothing of the picture left
            betas[i] = (float)fmin(1 - ratio, 0.999);
        }
        break;
    }
}

static void products(const float *betas, float *alphas_cumprod, int n)
{
    // in double, as PyTorch's cumprod of floats
    double product = 1;

    for (int i = 0; i < n; i++) {
        product *= 1.0f - betas[i];
        alphas_cumprod[i] = (float)product;
    }
}

/* Algorithm 1 of Lin and others, 2023: sqrt(a_t) is shifted and stretched so that the first keeps
 * its value and the last is 0. alphas_cumprod holds a_t of the betas as they are. */
static void rescale_to_zero_snr(float *betas, const float *alphas_cumprod, int n)
{
    float first = sqrtf(alphas_cumprod[0]), last = sqrtf(alphas_cumprod[n - 1]);
    // so that the first root keeps its value when the last is moved to 0
    float stretch = first / (first - last), before = 1;

    for (int i = 0; i < n; i++) {
        float root = (sqrtf(alphas_cumprod[i]) - last) * stretch, product = root * root;
        betas[i] = 1.0f - (i == 0 ? product : product / before);
        before = product;
    }
}

static bool usable(const struct schedule_config *c, const float *betas, const float *products)
{
    int n = c->num_train_timesteps;

    for (int i = 0; i < n; i++) {
        // only a rescaled schedule may end in pure noise
        bool end = c->rescale_betas_zero_snr && i == n - 1;
        if (!(betas[i] > 0 && (end || betas[i] < 1)) || !(end || products[i] > 0)) {
            return false;
        }
    }
    return true;
}

struct schedule *schedule_create(const struct schedule_config *c, GError **error)
{
    int n = c->num_train_timesteps;

    if (n < 2 || n > MAX_TIMESTEPS) {
        error_failed(error,
                     "the model's scheduler_config.json has num_train_timesteps %d: correct it "
                     "(1000 is usual)",
                     n);
        return NULL;
    }
    struct schedule *s = g_new0(struct schedule, 1);
    g_autofree float *betas = g_new(float, (gsize)n);
    s->n_timesteps = n;
    s->prediction_type = c->prediction_type;
    s->alphas_cumprod = g_new(float, (gsize)n);
    make_betas(c, betas);
    products(betas, s->alphas_cumprod, n);
    if (c->rescale_betas_zero_snr) {
        rescale_to_zero_snr(betas, s->alphas_cumprod, n);
        // once more from the betas, as diffusers does: the products differ in their last digits
        products(betas, s->alphas_cumprod, n);
    }
    if (!usable(c, betas, s->alphas_cumprod)) {
        error_failed(error,
                     "the betas of the model's scheduler_config.json are not all between 0 and 1: "
                     "correct %s there",
                     c->trained_betas != NULL ? "trained_betas" : "beta_start and beta_end");
        schedule_free(s);
        return NULL;
    }
    return s;
}

void schedule_free(struct schedule *s)
{
    if (s != NULL) {
        g_free(s->alphas_cumprod);
        g_free(s);
    }
}

double schedule_alpha(const struct schedule *s, int t)
{
    return sqrtf(s->alphas_cumprod[t]);
}

double schedule_sigma(const struct schedule *s, int t)
{
    return sqrtf(1.0f - s->alphas_cumprod[t]);
}

double schedule_snr(const struct schedule *s, int t)
{
    double a = s->alphas_cumprod[t];

    return a / (1 - a);
}

static void combine(double a, const float *x, double b, const float *y, float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        out[i] = (float)(a * x[i] + b * y[i]);
    }
}

void schedule_add_noise(const struct schedule *s, int t, const float *original, const float *noise,
                        float *out, int64_t count)
{
    combine(schedule_alpha(s, t), original, schedule_sigma(s, t), noise, out, count);
}

void schedule_target_factors(const struct schedule *s, int t, double *original, double *noise)
{
    const bool v = s->prediction_type == PREDICTION_V;

    *original = v ? -schedule_sigma(s, t) : s->prediction_type == PREDICTION_SAMPLE ? 1 : 0;
    *noise = v ? schedule_alpha(s, t) : s->prediction_type == PREDICTION_EPSILON ? 1 : 0;
}

void schedule_target(const struct schedule *s, int t, const float *original, const float *noise,
                     float *out, int64_t count)
{
    double of_original, of_noise;

    schedule_target_factors(s, t, &of_original, &of_noise);
    combine(of_original, original, of_noise, noise, out, count);
}

double schedule_min_snr_weight(const struct schedule *s, int t, double gamma)
{
    double snr = schedule_snr(s, t), bounded = fmin(snr, gamma);

    if (!(gamma > 0)) {
        return 1;
    }
    switch (s->prediction_type) {
    case PREDICTION_EPSILON:
        return snr <= gamma ? 1 : gamma / snr;
    case PREDICTION_V:
        return bounded / (snr + 1);
    case PREDICTION_SAMPLE:
        return bounded;
    }
    return 1;
}
