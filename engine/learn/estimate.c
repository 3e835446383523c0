/* Estimates: how much memory and how long a run takes, told before it starts.
 *
 * The true code runs once on a table that computes nothing (dry_session.h) and tells the exact
 * bytes and products; the time is that of the products and of reading the weights at this machine's
 * speed (speed.h). Decomposing a model, once, and finding out which one it is are not in it. */
#include "engine/learn/estimate.h"

#include "engine/generate/decode.h"
#include "engine/generate/generate_devices.h"
#include "engine/generate/generate_fit.h"
#include "engine/generate/hires.h"
#include "engine/group/group.h"
#include "engine/learn/methods/method.h"
#include "engine/learn/speed.h"
#include "engine/session/dry_session.h"
#include "engine/spectrum/model_spectrum.h"

#include <string.h>

// products of each kind, as a counting table has them
struct work {
    double operations[KERNELS_KINDS];
};

// what was counted since then, so many times over, on top of the rest
static void work_add(struct work *w, const kernels *k, const struct work *since, double times)
{
    for (int kind = 0; kind < KERNELS_KINDS; kind++) {
        w->operations[kind] +=
            times * (kernels_counted(k, (enum kernels_kind)kind) - since->operations[kind]);
    }
}

static struct work work_now(const kernels *k)
{
    struct work w = {0};

    work_add(&w, k, &(struct work){0}, 1);
    return w;
}

static double work_sum(const struct work *w)
{
    double sum = 0;

    for (int kind = 0; kind < KERNELS_KINDS; kind++) {
        sum += w->operations[kind];
    }
    return sum;
}

// what a device has to do
struct task {
    struct work work;
    uint64_t values;   // that are read
    uint64_t weights;  // bytes that stay to the end, memory for which is part of reading
    int width, height; // of pictures
};

// the time that it takes here
static void tell_time(svdiff *s, const struct task *t, struct svdiff_estimate *e)
{
    e->available = session_available(s);
    e->seconds = speed_seconds(s, t->work.operations, t->width, t->height);
    if (e->seconds >= 0) {
        e->reading = (double)t->values * speed_value_seconds(s) +
                     (double)(e->bytes - MIN(e->bytes, t->weights)) * speed_byte_seconds(s);
        e->seconds += e->reading;
    }
}

/* On the first n devices of the session, which do the same at once: the slowest tells how long, the fullest how much
 * memory there is. */
static bool tell_task(svdiff *s, int n, const struct task *t, struct svdiff_estimate *e,
                      GError **error)
{
    g_autofree char *device = session_devices(s, n);

    e->devices = n;
    g_strlcpy(e->device, device, sizeof e->device);
    tell_time(s, t, e);
    for (int i = 0; i + 1 < n; i++) {
        const struct svdiff_options o = session_other(s, i);
        g_autoptr(svdiff) other = svdiff_open(&o, error);
        struct svdiff_estimate one = *e;
        if (other == NULL) {
            return false;
        }
        tell_time(other, t, &one);
        e->available = MIN(e->available, one.available);
        if (e->seconds >= 0 && (one.seconds < 0 || one.seconds > e->seconds)) {
            e->seconds = one.seconds;
            e->reading = one.reading;
        }
    }
    return true;
}

/* Of the whole run: at its peak on the device, or while the last of these bytes of weights come, of
 * which the host then has copies, in the same memory unless the device has its own, as what is kept of
 * values that learn. */
static uint64_t run_bytes(const svdiff *s, uint64_t peak, uint64_t weights, uint64_t kept)
{
    if (s->k->available != NULL) {
        return peak;
    }
    return MAX(peak + kept + DRY_SESSION_PROGRAM, MIN(weights, peak) + dry_session_host_bytes(s));
}

enum { TEXT = 1u << MODEL_TEXT_ENCODER, UNET = 1u << MODEL_UNET, VAE = 1u << MODEL_VAE };

// weights, and of those that shift the factors as well
static uint64_t values_of_learning(const svdiff *s, const struct svdiff_learn_options *o)
{
    const unsigned shifted = UNET | (o->text_encoder ? TEXT : 0);
    const uint64_t factors = method_of(o)->spectra ? session_values(s, shifted, true) : 0;

    return session_values(s, TEXT | UNET | VAE, false) + factors;
}

// of the factors, or of the weights themselves, on the device
static uint64_t learning_bytes(const svdiff *s, const struct svdiff_learn_options *o)
{
    const bool factored = method_of(o)->spectra;

    return session_weight_bytes(s, UNET, factored) +
           session_weight_bytes(s, TEXT, factored && o->text_encoder);
}

static uint64_t values_of_generating(const svdiff *s, const struct svdiff_generate_options *o)
{
    // the factors of all weights once, in which all subjects are put together
    return session_values(s, TEXT | UNET | VAE, false) +
           (o->n_subjects > 0 ? session_values(s, TEXT | UNET, true) : 0);
}

/* ---- learning ---- */

// products of so many micro-steps that have the shapes of micro-step m
static bool count_like(struct learn_run *r, int64_t m, int64_t steps, struct work *w,
                       GError **error)
{
    const kernels *k = r->learner->session->k;
    const struct work before = work_now(k);

    learn_draw(r->lesson, m, r->batch);
    if (r->unmix != NULL) {
        learn_unmix_follow(r->unmix);
    }
    if (!learn_run_batch(r, r->unmix != NULL, error)) {
        return false;
    }
    work_add(w, k, &before, (double)steps);
    return true;
}

// devices that share the micro-batches of a step: each has as many as are asked for (learn_share.h)
static int learning_devices(const svdiff *s)
{
    return 1 + s->options.n_more_devices;
}

static void share_options(const svdiff *s, struct svdiff_learn_options *o)
{
    o->accumulate *= learning_devices(s);
    o->trace = NULL;
}

// products of a device's micro-batches in all steps; the memory of the prior's teacher is counted on the way
static bool count_steps(struct learn_run *r, struct work *w, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    const int own = o->accumulate / learning_devices(r->lesson->session);
    int64_t without = 0, last = 0;

    // the first step keeps the class and stands for all that do, one without it for the others
    for (int64_t step = 0; step < o->steps; step++) {
        const bool asked = lesson_prior_times(r->lesson, step) > 0;
        last = asked ? last : step;
        without += asked ? 0 : 1;
    }
    // the larger batch comes last: what is counted after it has its shapes
    return (without == 0 || count_like(r, last * o->accumulate, without * own, w, error)) &&
           count_like(r, 0, (o->steps - without) * own, w, error);
}

// the peak of bytes with segments run again instead of kept
static bool count_least(struct learn_run *r, uint64_t *bytes, GError **error)
{
    kernels *k = r->learner->session->k;

    // the peak of a run that keeps its segments is not to be counted
    g_clear_pointer(&r->tape, tape_free);
    kernels_reset_peak(k);
    const bool done = learn_run_replay(r, true, error);
    *bytes = kernels_peak_bytes(k);
    return done;
}

// the peak of bytes of a picture that is encoded, of which none has more places than the square
static bool count_encoding(const struct lesson *l, uint64_t *bytes, GError **error)
{
    g_auto(dry_svdiff) dry = dry_session(l->session);
    const int width = l->pictures->w * l->pictures->factor;
    const int height = l->pictures->h * l->pictures->factor;
    g_autofree float *pixels = g_new0(float, (size_t)3 * width * height);
    struct autoencoder *a = session_autoencoder(&dry, AUTOENCODER_ENCODER, error);
    g_autofree float *moments =
        a != NULL ? encode_moments(dry.k, a, pixels, width, height, false, error) : NULL;

    autoencoder_free(a);
    *bytes = kernels_peak_bytes(dry.k);
    return moments != NULL;
}

// of each mask, in the order of the pictures: the mean over crops and mirror images
static void take_marks(const struct lesson *l, struct svdiff_estimate *e)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint i = 0; i < l->pictures->list->len; i++) {
        const struct learn_picture *one = learn_pictures_at(l->pictures, (int)i);
        for (int m = 0; m < one->n_masks; m++) {
            const double mean = learn_mask_mean(&one->masks[m], one->variants);
            g_array_append_val(all, mean);
        }
    }
    e->n_marked = (int)all->len;
    e->marked = (double *)g_array_free(all, FALSE);
}

// a picture of what is learned, in a square of that side: of another shape it is smaller, in the middle of it
static bool put_square(const struct lesson *l, int i, int side, float *out, size_t row,
                       GError **error)
{
    g_autoptr(picture) one = learn_pictures_square(l->pictures, i, error);
    const int longest = one != NULL ? MAX(one->width, one->height) : side;
    g_autoptr(picture) fitted = one != NULL && longest != side
                                    ? picture_resize(one, MAX(one->width * side / longest, 1),
                                                     MAX(one->height * side / longest, 1), error)
                                    : g_steal_pointer(&one);

    if (fitted == NULL) {
        return false;
    }
    out += (size_t)((side - fitted->height) / 2) * row + (size_t)4 * ((side - fitted->width) / 2);
    for (int y = 0; y < fitted->height; y++) {
        memcpy(out + y * row, fitted->pixels + (size_t)4 * y * fitted->width,
               (size_t)4 * fitted->width * sizeof(float));
    }
    return true;
}

// the first pictures as they are learned, in squares of one size, beside each other
static bool take_squares(const struct lesson *l, struct svdiff_estimate *e, GError **error)
{
    const int side = l->options->size, n = MIN((int)l->pictures->list->len, SVDIFF_SQUARES);
    const size_t row = (size_t)4 * side;

    e->squares = picture_create(n * side, side, 4, error);
    if (e->squares == NULL) {
        return false;
    }
    memset(e->squares->pixels, 0, (size_t)n * side * row * sizeof(float));
    for (int i = 0; i < n; i++) {
        if (!put_square(l, i, side, e->squares->pixels + i * row, n * row, error)) {
            return false;
        }
    }
    return true;
}

void svdiff_estimate_clear(struct svdiff_estimate *e)
{
    g_clear_pointer(&e->marked, g_free);
    g_clear_pointer(&e->squares, picture_free);
    e->n_marked = 0;
}

// *kept: of the host (learn_outcome_bytes)
static bool count_learning(struct lesson *l, struct work *w, struct svdiff_estimate *e,
                           uint64_t *kept, GError **error)
{
    const kernels *k = l->session->k;
    uint64_t encoding = 0;
    g_autoptr(learn_run) r =
        count_encoding(l, &encoding, error) ? learn_run_prepare(l, error) : NULL;

    if (r == NULL) {
        return false;
    }
    // pictures and texts are encoded, and pictures of the class drawn
    *w = work_now(k);
    *kept = learn_outcome_bytes(r);
    e->values = r->learner->parameters->count;
    e->tensors = (int)r->learner->parameters->list->len;
    const bool counted = count_steps(r, w, error);
    e->bytes = kernels_peak_bytes(k);
    if (!counted || !count_least(r, &e->least_bytes, error)) {
        return false;
    }
    e->least_bytes = MAX(e->least_bytes, encoding);
    return true;
}

bool svdiff_estimate_like(svdiff *s, const struct svdiff_learn_options *options,
                          const struct svdiff_estimate *e, double *seconds, GError **error)
{
    struct svdiff_learn_options o = *options;
    struct svdiff_estimate other = {0};
    g_auto(dry_svdiff) dry = dry_session(s);
    struct work work;
    uint64_t kept;

    share_options(s, &o);
    g_autoptr(owned_lesson) l = lesson_create(&dry, &o, NULL, NULL, error);
    if (l == NULL || !count_learning(l, &work, &other, &kept, error)) {
        return false;
    }
    *seconds = -1;
    if (e->seconds >= 0) {
        *seconds =
            e->reading + (e->seconds - e->reading) * work_sum(&work) * e->devices / e->operations;
    }
    return true;
}

// what the session's device takes; the lesson's pictures are read
static bool estimate_learn(svdiff *s, const struct svdiff_learn_options *options,
                           struct svdiff_estimate *e, GError **error)
{
    struct svdiff_learn_options o = *options;
    g_auto(dry_svdiff) dry = dry_session(s);
    struct task t = {.width = o.size, .height = o.size};
    uint64_t kept;

    share_options(s, &o);
    *e = (struct svdiff_estimate){0};
    g_autoptr(owned_lesson) l = lesson_create(&dry, &o, NULL, NULL, error);
    // squares first: encoding drops the pixels
    if (l == NULL || !take_squares(l, e, error) || !count_learning(l, &t.work, e, &kept, error)) {
        svdiff_estimate_clear(e);
        return false;
    }
    if (s->k->spectra != NULL) {
        uint64_t least = 0;
        if (!estimate_least(s, options, &least, error)) {
            svdiff_estimate_clear(e);
            return false;
        }
        // what is before the first step
        e->least_bytes = MAX(e->least_bytes, least);
        e->bytes = MAX(e->bytes, least);
    }
    take_marks(l, e);
    t.values = values_of_learning(s, &o);
    t.weights = learning_bytes(s, &o);
    e->bytes = run_bytes(s, e->bytes, t.weights, kept);
    e->least_bytes = MIN(run_bytes(s, e->least_bytes, t.weights, kept), e->bytes);
    e->operations = work_sum(&t.work) * learning_devices(s);
    if (!tell_task(s, learning_devices(s), &t, e, error)) {
        svdiff_estimate_clear(e);
        return false;
    }
    return true;
}

bool svdiff_estimate_learn(svdiff *s, const struct svdiff_learn_options *options,
                           struct svdiff_estimate *e, GError **error)
{
    const kernels *asked = s->k;

    if (!estimate_learn(s, options, e, error)) {
        return false;
    }
    // a device that the run would leave is not the one to tell of; one that is asked for is, whatever it lacks
    if (session_settle(s, e->least_bytes, NULL, NULL, NULL) && s->k != asked) {
        svdiff_estimate_clear(e);
        return estimate_learn(s, options, e, error);
    }
    return true;
}

/* Of weights kept in factors, or of what comes before them; nothing of the lesson need be encoded. k: the device that
 * the dry session stands for. */
static bool count_unprepared(svdiff *dry, const kernels *k, const struct lesson *l, uint64_t *bytes,
                             uint64_t *kept, GError **error)
{
    struct lesson quiet = *l; // who waits is told of the run alone, not of its counting
    uint64_t encoding = 0;

    if (!count_encoding(l, &encoding, error)) {
        return false;
    }
    g_autoptr(owned_learner) learner = learner_open(dry, l, error);
    g_autoptr(model_spectrum) spectrum = model_spectrum_open(dry, NULL, NULL, NULL, error);

    quiet.progress = NULL;
    if (learner == NULL || spectrum == NULL ||
        !lesson_count_class_pictures(&quiet, learner, error) ||
        !learner_attach(learner, &quiet, spectrum, error)) {
        return false;
    }
    // all of that is done while the device computes the spectra, where they are not kept
    const uint64_t before =
        MAX(encoding, kernels_peak_bytes(dry->k)) +
        (method_of(l->options)->spectra ? model_spectrum_bytes(spectrum, k) : 0);
    g_autoptr(learn_run) r = learn_run_create(&quiet, g_steal_pointer(&learner), error);
    const bool counted = r != NULL && learn_prior_prepare(r, error) && count_least(r, bytes, error);
    *bytes = MAX(*bytes, before);
    *kept = counted ? learn_outcome_bytes(r) : 0;
    return counted;
}

// processes on this machine, that need as much each
static uint64_t here(const struct svdiff_learn_options *o)
{
    return o->group != NULL ? (uint64_t)o->group->local_size : 1;
}

bool estimate_least(svdiff *s, const struct svdiff_learn_options *o, uint64_t *bytes,
                    GError **error)
{
    g_auto(dry_svdiff) dry = dry_session(s);
    g_autoptr(owned_lesson) l = lesson_create(&dry, o, NULL, NULL, error);
    uint64_t kept;

    if (l == NULL || !count_unprepared(&dry, s->k, l, bytes, &kept, error)) {
        return false;
    }
    *bytes *= here(o);
    return true;
}

bool estimate_check_memory(const struct lesson *l, GError **error)
{
    g_auto(dry_svdiff) dry = dry_session(l->session);
    const uint64_t processes = here(l->options);
    uint64_t bytes = 0, kept = 0;

    // asked now: the host grants more than it has, and a device says no when half is done
    return count_unprepared(&dry, l->session->k, l, &bytes, &kept, error) &&
           session_settle(l->session, processes * bytes, learn_fits, (void *)l, error) &&
           session_has_memory(l->session,
                              processes * run_bytes(l->session, bytes,
                                                    learning_bytes(l->session, l->options), kept),
                              error);
}

/* ---- generating ---- */

static bool estimate_generate(svdiff *s, const struct svdiff_generate_options *options,
                              struct svdiff_estimate *e, GError **error)
{
    const int devices = generate_devices(s, options, options->count);
    const bool tiled = s->tiled; // of networks that are kept for a run
    struct task t = {.values = values_of_generating(s, options),
                     .weights = session_weight_bytes(s, UNET, false),
                     .width = options->width,
                     .height = options->height};
    struct generate_count count;

    *e = (struct svdiff_estimate){0};
    s->shares = devices; // the first one, which draws most
    const bool counted = generate_fit(s, options, &count, error);
    s->shares = 1;
    s->tiled = tiled;
    if (!counted) {
        return false;
    }
    e->bytes = e->least_bytes = run_bytes(s, count.peak, t.weights, 0);
    e->width = options->width;
    e->height = options->height;
    if (options->hires > 1) {
        hires_size(options, 8, &e->width, &e->height);
    }
    memcpy(t.work.operations, count.operations, sizeof t.work.operations);
    e->operations = work_sum(&t.work) * options->count / ((options->count + devices - 1) / devices);
    return tell_task(s, devices, &t, e, error);
}

bool svdiff_estimate_generate(svdiff *s, const struct svdiff_generate_options *options,
                              struct svdiff_estimate *e, GError **error)
{
    const kernels *asked = s->k;

    // as of learning
    return estimate_generate(s, options, e, error) &&
           (!session_settle(s, e->bytes, NULL, NULL, NULL) || s->k == asked ||
            estimate_generate(s, options, e, error));
}
