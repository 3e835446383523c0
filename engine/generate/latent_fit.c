/* Latents corrected through the decoder; see latent_fit.h. */
#include "engine/generate/latent_fit.h"

#include "engine/base/error.h"
#include "engine/picture/picture_scale.h"
#include "engine/tape/parameters.h"

#include <string.h>

// of Adam, where latents are about one large
#define RATE 0.05

struct fitting {
    const struct latent_fit *f;
    int h, w, c;            // of the latents
    int factor;             // pixels a side of one
    const float *latents;   // [h, w, c], scaled
    const float *wanted;    // [H, W, 3], NULL while measuring
    float *pixels, *slopes; // [H, W, 3]
    float *gradient;        // [h, w, c] by the scaled latents
    double loss;
    int step;
};

// pixels become how the loss rises with them; what is clamped to what is wanted is right
static void measure_loss(struct fitting *x)
{
    const size_t count = (size_t)x->h * x->w * x->factor * x->factor * 3;

    // mean of squares over all values of the picture
    x->loss = 0;
    for (size_t i = 0; i < count; i++) {
        const float difference = CLAMP(x->pixels[i], -1.0f, 1.0f) - x->wanted[i];
        x->loss += (double)difference * difference / (double)count;
        x->slopes[i] = 2 * difference / (float)count;
    }
}

static void run(void *user, struct tape *t)
{
    struct fitting *x = user;
    const size_t count = (size_t)x->h * x->w * x->c;
    const double scale = 1 / autoencoder_config(x->f->a)->scaling_factor;
    g_autofree float *unscaled = g_new(float, count);

    for (size_t i = 0; i < count; i++) {
        unscaled[i] = (float)(x->latents[i] * scale);
    }
    // true: a gradient is wanted of it
    struct tensor *z = tape_input(t, unscaled, 1, x->h, x->w, x->c, true);
    struct tensor *y = autoencoder_decode(t, x->f->a, z);
    // not while measuring
    if (x->wanted != NULL) {
        tape_download(t, y, x->pixels);
        measure_loss(x);
    }
    tape_backward(t, y, x->slopes);
    if (x->wanted != NULL) {
        const struct tensor gradient = {
            .data = tape_gradient(t, z), .n = 1, .h = x->h, .w = x->w, .c = x->c};
        tape_download(t, &gradient, x->gradient);
        for (size_t i = 0; i < count; i++) {
            // by the scaled latents, which are what Adam moves
            x->gradient[i] = (float)(x->gradient[i] * scale);
        }
    }
}

static bool tell(void *user)
{
    const struct fitting *x = user;
    const struct progress p = {
        .phase = "fit", .step = x->step, .steps = x->f->steps, .loss = -1, .seconds_left = -1};

    return x->f->progress == NULL || x->f->progress(x->f->user, &p);
}

static bool fit(struct fitting *x, struct tape *t, struct parameters *p, float *latents,
                GError **error)
{
    const double rate = RATE;
    const struct adamw_options adam = {
        .rates = &rate, .n_rates = 1, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .divisor = 1};
    const size_t bytes = (size_t)x->h * x->w * x->c * sizeof *latents;
    g_autofree float *current = g_memdup2(latents, bytes);
    double least = G_MAXDOUBLE;

    parameters_upload(p, p->value, current);
    x->latents = current;
    // one round more than there are steps: the last only measures where the others came to
    for (x->step = 0; x->step <= x->f->steps; x->step++) {
        tape_reset(t);
        run(x, t);
        if (tape_cancelled(t)) {
            g_set_error_literal(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, "Cancelled.");
            return false;
        }
        if (!tape_sync(t, error)) {
            return false;
        }
        // Adam may rise again: the best that was seen is kept
        if (x->loss < least) {
            least = x->loss;
            memcpy(latents, current, bytes);
        }
        parameters_upload(p, p->gradient, x->gradient);
        parameters_step(p, &adam, x->step + 1);
        parameters_download(p, p->value, current);
    }
    return true;
}

bool latent_fit(const struct latent_fit *f, const picture *p, int width, int height, float *latents,
                GError **error)
{
    const int factor = autoencoder_factor(autoencoder_config(f->a));
    const size_t values = (size_t)width * height * 3;
    g_autofree float *wanted = picture_signal(p, width, height, false, error);
    g_autofree float *pixels = g_new(float, values);
    g_autofree float *slopes = g_new0(float, values);
    struct fitting x = {.f = f,
                        .h = height / factor,
                        .w = width / factor,
                        .c = autoencoder_config(f->a)->latent_channels,
                        .factor = factor,
                        .latents = latents,
                        .pixels = pixels,
                        .slopes = slopes};
    const int64_t count = (int64_t)x.h * x.w * x.c;
    g_autofree float *gradient = g_new(float, count);

    if (wanted == NULL) {
        return false;
    }
    x.gradient = gradient;
    struct tape *t = tape_create_measured(
        f->k, (struct tape_options){.training = true, .replay = true, .tick = tell, .user = &x},
        run, &x, error);
    // a parameter like those of learning, of one tensor
    struct parameters *adam = parameters_create(f->k);
    parameters_add(adam, "latents", count, 0, NULL, NULL);
    bool done = t != NULL && parameters_allocate(adam, error);
    x.wanted = wanted;
    done = done && fit(&x, t, adam, latents, error);
    parameters_free(adam);
    tape_free(t);
    return done;
}
