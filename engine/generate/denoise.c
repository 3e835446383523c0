/* The sampling loop; see denoise.h. */
#include "engine/generate/denoise.h"

#include "engine/base/error.h"
#include "engine/generate/preview.h"

#include <math.h>
#include <string.h>

static bool guided(const struct denoise *d)
{
    return d->guidance > 1;
}

// n times the latents, each with the further channels behind it (zeros while measuring):
// [n, h, w, c + more_c]
static float *network_input(const struct denoise *d, const float *latents, int n)
{
    const size_t tokens = (size_t)d->h * d->w;
    const int c = d->c + d->more_c;
    float *input = g_new0(float, n *tokens *c);

    for (size_t i = 0; i < n * tokens; i++) {
        memcpy(input + i * c, latents + i % tokens * d->c, d->c * sizeof *input);
        if (d->more != NULL) {
            memcpy(input + i * c + d->c, d->more + i % tokens * d->more_c,
                   d->more_c * sizeof *input);
        }
    }
    return input;
}

// one forward for both halves of the guidance; returns [n, h, w, c], n = 1 or 2
static struct tensor *predict_part(const struct denoise *d, struct tape *t,
                                   const struct denoise_part *p, const float *latents,
                                   double timestep)
{
    // both halves of the guidance in one forward: the weights pass through the cache once
    const int n = guided(d) ? 2 : 1;
    const double timesteps[2] = {timestep, timestep};
    g_autofree float *input = network_input(d, latents, n);
    struct tensor *x = tape_input(t, input, n, d->h, d->w, d->c + d->more_c, false);
    // without guidance the second text alone, the one with the prompt
    const struct text_tensors text = conditioning_input(t, p->text, 2 - n, n);

    return unet_forward_guided(t, p->unet, x, timesteps, text, d->guide);
}

// a part of a step, which comes again with other latents
struct part_run {
    const struct denoise *d;
    const struct denoise_part *part;
    const float *latents;
    double timestep;
    struct tensor *prediction;
};

static void run_part(void *user, struct tape *t)
{
    struct part_run *r = user;

    r->prediction = predict_part(r->d, t, r->part, r->latents, r->timestep);
}

// adds a part's prediction [n, h, w, c] where it counts
static void blend(const struct denoise *d, const struct denoise_part *p, int n, const float *part,
                  float *both)
{
    const size_t places = (size_t)d->h * d->w, values = n * places * d->c;

    for (size_t i = 0; i < values; i++) {
        // weights are of places, shared by channels and by both halves
        both[i] += (p->weight != NULL ? p->weight[i / d->c % places] : 1) * part[i];
    }
}

// both [n, h, w, c]: the prediction before guidance
static void predict(const struct denoise *d, struct tape *t, const float *latents, double timestep,
                    float *both)
{
    const int n = guided(d) ? 2 : 1;
    const size_t values = (size_t)n * d->h * d->w * d->c;
    g_autofree float *part = g_new(float, values);

    memset(both, 0, values * sizeof *both);
    for (int i = 0; i < d->n_parts; i++) {
        struct part_run r = {d, &d->parts[i], latents, timestep, NULL};
        // each part has the whole of the arena to itself
        if (!tape_repeat(t, (guint)i, run_part, &r)) {
            return;
        }
        tape_download(t, r.prediction, part);
        blend(d, &d->parts[i], n, part, both);
    }
}

// the standard deviation of values, as a sample of count - 1 degrees
static double deviation(const float *values, size_t count)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    for (size_t i = 0; i < count; i++) {
        const double apart = values[i] - sum / (double)count;
        squares += apart * apart;
    }
    return sqrt(squares / (double)MAX(count - 1, 1));
}

// the guided prediction, nearer to the deviation of the conditional one
static void rescale(double share, const float *conditional, float *prediction, size_t count)
{
    const double from = deviation(prediction, count), to = deviation(conditional, count);
    // a prediction without any has none to bring nearer
    const double factor = from > 0 ? share * to / from + 1 - share : 1;

    for (size_t i = 0; i < count; i++) {
        prediction[i] = (float)(factor * prediction[i]);
    }
}

// the prediction after guidance, [h, w, c]
static void guide(const struct denoise *d, const float *both, float *prediction)
{
    const size_t count = (size_t)d->h * d->w * d->c;

    if (!guided(d)) {
        memcpy(prediction, both, count * sizeof *prediction);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        // the first half is the unconditional one
        prediction[i] = both[i] + (float)d->guidance * (both[count + i] - both[i]);
    }
    if (d->rescale > 0) {
        rescale(d->rescale, both + count, prediction, count);
    }
}

struct run {
    struct denoise *d;
    int step;
    struct progress_clock clock;
};

static bool tell(struct run *r, const char *file)
{
    const struct denoise *d = r->d;
    // a picture to begin with leaves the first steps out; people count those that are made
    const int first = sampler_first(d->sampler), steps = sampler_steps(d->sampler) - first;
    const int done = r->step - first;
    const struct progress p = {.phase = d->phase,
                               .step = done,
                               .steps = steps,
                               .loss = -1,
                               .seconds_left = progress_clock_left(&r->clock, done, steps),
                               .file = file};

    return d->progress == NULL || d->progress(d->user, &p);
}

static bool report(void *user)
{
    return tell(user, NULL);
}

static void measure(void *user, struct tape *t)
{
    const struct denoise *d = user;
    const size_t count = (size_t)d->h * d->w * d->c;
    g_autofree float *input = g_new0(float, count);
    // room for both halves, whether there are two or not
    g_autofree float *both = g_new(float, 2 * count);

    predict(d, t, input, 0, both);
}

struct tape *denoise_tape(struct denoise *d, GError **error)
{
    return tape_create_measured(d->k, (struct tape_options){0}, measure, d, error);
}

static void trace_step(const struct denoise *d, int step, const float *prediction,
                       const float *noise, const float *latents)
{
    const int number = step - sampler_first(d->sampler);

    trace_add_image(d->trace, prediction, 1, d->h, d->w, d->c, "%s.%d",
                    d->inverts ? "inversion_prediction" : "noise_prediction", number);
    trace_add_image(d->trace, latents, 1, d->h, d->w, d->c, "%s.%d",
                    d->inverts ? "inversion_latents" : "latents", number);
    if (noise != NULL) {
        trace_add_image(d->trace, noise, 1, d->h, d->w, d->c, "step_noise.%d", number);
    }
}

// after a step: what is not free yet goes back to the picture that stays
static void hold(const struct denoise *d, int step, float *latents)
{
    const int64_t tokens = (int64_t)d->h * d->w;
    const int first = sampler_first(d->sampler), steps = sampler_steps(d->sampler) - first;
    const int left = steps - (step + 1 - first);
    g_autofree float *kept = d->mask != NULL ? g_new(float, tokens * d->c) : NULL;

    if (kept == NULL) {
        return;
    }
    // as noisy as the latents are now, so that what is set free later fits its surroundings
    sampler_add_noise(d->sampler, step + 1, d->init, d->noise, kept, tokens * d->c);
    for (int64_t i = 0; i < tokens; i++) {
        if ((double)d->mask[i] * steps <= left) {
            memcpy(latents + i * d->c, kept + i * d->c, d->c * sizeof *latents);
        }
    }
}

// the network's prediction at a step, [h, w, c]
static void predict_step(const struct denoise *d, struct tape *t, int step, const float *latents,
                         float *prediction)
{
    const int64_t count = (int64_t)d->h * d->w * d->c;
    g_autofree float *input = g_new(float, count);
    g_autofree float *both = g_new(float, 2 * count);

    // the network is trained on inputs of unit variance, Euler's latents are larger
    sampler_scale_input(d->sampler, step, latents, input, count);
    predict(d, t, input, sampler_timestep(d->sampler, step), both);
    guide(d, both, prediction);
}

// an inversion's step from `before` to `latents`, taken again with predictions of what it came to
static void refine(const struct denoise *d, struct tape *t, int step, const float *before,
                   float *latents, float *prediction)
{
    const int64_t count = (int64_t)d->h * d->w * d->c;

    for (int i = 0; i < d->refine && !tape_cancelled(t); i++) {
        predict_step(d, t, step, latents, prediction);
        memcpy(latents, before, count * sizeof *latents);
        // inversion counts its steps upwards from the picture, sampling downwards from noise
        sampler_undo(d->undo, sampler_steps(d->undo) - 1 - step, prediction, latents, count);
    }
}

// sees: [h, w, c] receives what the picture looks like from this step; NULL without previews
static void one_step(struct denoise *d, struct tape *t, int step, struct draws *draws,
                     float *latents, float *sees)
{
    const int64_t count = (int64_t)d->h * d->w * d->c;
    g_autofree float *prediction = g_new(float, count);
    // what the step starts from, which a refined one starts from again
    g_autofree float *before = g_memdup2(latents, count * sizeof *latents);
    g_autofree float *noise = NULL;

    predict_step(d, t, step, latents, prediction);
    if (sees != NULL) {
        sampler_original(d->sampler, step, latents, prediction, sees, count);
    }
    if (sampler_noise_scale(d->sampler, step) > 0) {
        noise = g_new(float, count);
        // numbered by the step, so that fewer pictures or another batch change nothing
        draws_normal(draws, NOISE_SAMPLER_STEP, (uint64_t)step, d->h, d->w, d->c, noise);
    }
    sampler_step(d->sampler, step, prediction, noise, latents, count);
    refine(d, t, step, before, latents, prediction);
    trace_step(d, step, prediction, noise, latents);
    hold(d, step, latents);
}

// the step that was done, as a small picture
static bool show(struct run *r, const float *sees, GError **error)
{
    const struct denoise *d = r->d;
    const int number = r->step - sampler_first(d->sampler);
    g_autofree char *file =
        sees != NULL ? preview_write(d->preview, sees, d->h, d->w, number, error) : NULL;

    if (file != NULL) {
        // told when it is there: whoever shows it opens it at once
        tell(r, file);
    }
    return sees == NULL || file != NULL;
}

bool denoise_run(struct denoise *d, struct tape *t, struct draws *draws, float *latents,
                 GError **error)
{
    struct run r = {.d = d};
    const size_t count = (size_t)d->h * d->w * d->c;
    g_autofree float *sees = d->preview != NULL ? g_new(float, count) : NULL;

    // in every segment of the network, so that a cancel is heard within a part of a step
    tape_set_tick(t, report, &r);
    for (r.step = sampler_first(d->sampler); r.step < sampler_steps(d->sampler);) {
        one_step(d, t, r.step, draws, latents, sees);
        if (tape_cancelled(t)) {
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                        "Cancelled while generating; nothing was written.");
            return false;
        }
        // before it is told: a step that is done counts
        r.step++;
        if (!tape_sync(t, error) || !show(&r, sees, error)) {
            return false;
        }
    }
    report(&r);
    return true;
}
