/* Estimates: how much memory and how long a run takes, told before it starts.
 *
 * The true code runs once on a table that computes nothing (dry_session.h) and tells the exact
 * bytes and products; the time is the products over the speed that this machine shows in a few
 * products of the model's own shapes. */
#include "engine/learn/estimate.h"

#include "engine/base/machine.h"
#include "engine/session/dry_session.h"

#include <string.h>

// what of the measured speed whole networks reach: small shapes, and work that is no product
#define SHARE 0.6
/* ---- speed ---- */

// operations a second of a 3x3 convolution with c channels on h x w latents; 0 without memory
static double conv_speed(const kernels *k, int h, int w, int c)
{
    // two pictures at once, as guidance has them
    const struct conv_shape s = {2, h, w, c, h, w, c, 3, 3, 1, 1, 1};
    const size_t bytes = (size_t)s.n * h * w * c * sizeof(real);
    const size_t weight = (size_t)9 * c * c * sizeof(real);
    real *x = k->alloc(k, bytes), *y = k->alloc(k, bytes), *values = k->alloc(k, weight);
    const struct kernels_weight whole = {.data = values};
    double best = 0;

    for (int i = 0; x != NULL && y != NULL && values != NULL && i < 4; i++) {
        const gint64 begin = g_get_monotonic_time();
        k->conv_forward(k, s, x, whole, NULL, y);
        k->sync(k, NULL); // a failure shows later
        const double seconds = (double)(g_get_monotonic_time() - begin + 1) / 1e6;
        best = MAX(best, 2.0 * s.n * h * w * c * 9 * c / seconds);
    }
    k->release(k, x, bytes);
    k->release(k, y, bytes);
    k->release(k, values, weight);
    return best;
}

static double speed_of(const svdiff *s, int width, int height)
{
    const struct unet_config *u = checkpoint_unet_config(s->checkpoint);
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));
    const int last = u->n_levels - 1;
    const int h = MAX(height / factor, 1), w = MAX(width / factor, 1);
    const double first = conv_speed(s->k, h, w, u->block_out_channels[0]);
    const double deep =
        conv_speed(s->k, MAX(h >> last, 1), MAX(w >> last, 1), u->block_out_channels[last]);

    // half of the operations at each of the two speeds: their harmonic mean
    return first > 0 && deep > 0 ? SHARE * 2 / (1 / first + 1 / deep) : 0;
}

static double seconds_of(const svdiff *s, double operations, int width, int height)
{
    const double speed = speed_of(s, width, height);

    return speed > 0 ? operations / speed : -1;
}

/* ---- learning ---- */

// products of one step; the memory of the prior's teacher is counted on the way
static bool count_step(struct learn_run *r, double *operations, GError **error)
{
    const kernels *k = r->learner->session->k;
    const double before = kernels_counted_operations(k);

    // every step has the same shapes, so the first one tells of all
    learn_draw(r->lesson, 0, r->batch);
    if (!learn_prior_targets(r, error)) {
        return false;
    }
    learn_run_batch(r, r->unmix != NULL ? &r->unmix->guide : NULL);
    *operations = kernels_counted_operations(k) - before;
    return true;
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

// of each mask, in the order of the pictures: the mean over crops and mirror images
static void take_marks(const struct lesson *l, struct svdiff_estimate *e)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint i = 0; i < l->pictures->list->len; i++) {
        const struct learn_picture *one = learn_pictures_at(l->pictures, (int)i);
        for (int m = 0; m < one->n_masks; m++) {
            const double mean = learn_mask_mean(l->pictures, &one->masks[m], one->variants);
            g_array_append_val(all, mean);
        }
    }
    e->n_marked = (int)all->len;
    e->marked = (double *)g_array_free(all, FALSE);
}

// the first squares, all of one size, beside each other
static bool take_squares(const struct lesson *l, struct svdiff_estimate *e, GError **error)
{
    const int side = l->options->size, n = MIN((int)l->pictures->list->len, SVDIFF_SQUARES);
    const size_t row = (size_t)4 * side;

    e->squares = picture_create(n * side, side, 4, error);
    for (int i = 0; e->squares != NULL && i < n; i++) {
        g_autoptr(picture) one = learn_pictures_square(l->pictures, i, error);
        if (one == NULL) {
            return false;
        }
        for (int y = 0; y < side; y++) {
            memcpy(e->squares->pixels + (y * (size_t)n + i) * row, one->pixels + y * row,
                   row * sizeof(float));
        }
    }
    return e->squares != NULL;
}

void svdiff_estimate_clear(struct svdiff_estimate *e)
{
    g_clear_pointer(&e->marked, g_free);
    g_clear_pointer(&e->squares, picture_free);
    e->n_marked = 0;
}

static bool count_learning(struct lesson *l, struct svdiff_estimate *e, GError **error)
{
    const struct svdiff_learn_options *o = l->options;
    const kernels *k = l->session->k;
    g_autoptr(learn_run) r = learn_run_prepare(l, error);
    double step = 0;

    if (r == NULL) {
        return false;
    }
    // pictures and texts are encoded, and pictures of the class drawn
    const double prepared = kernels_counted_operations(k);
    const bool counted = count_step(r, &step, error);
    e->bytes = kernels_peak_bytes(k);
    e->operations = prepared + step * o->accumulate * o->steps;
    return counted && count_least(r, &e->least_bytes, error);
}

bool svdiff_estimate_learn(svdiff *s, const struct svdiff_learn_options *options,
                           struct svdiff_estimate *e, GError **error)
{
    struct svdiff_learn_options o = *options;
    g_auto(dry_svdiff) dry = dry_session(s);
    const uint64_t host = dry_session_host_bytes(s);

    o.trace = NULL;
    *e = (struct svdiff_estimate){0};
    g_autoptr(owned_lesson) l = lesson_create(&dry, &o, NULL, NULL, error);
    // squares first: encoding drops the pixels
    if (l == NULL || !take_squares(l, e, error) || !count_learning(l, e, error)) {
        svdiff_estimate_clear(e);
        return false;
    }
    take_marks(l, e);
    e->bytes += host;
    e->least_bytes = MIN(e->least_bytes + host, e->bytes);
    e->seconds = seconds_of(s, e->operations, o.size, o.size);
    return true;
}

// of weights kept in factors; nothing of the lesson need be encoded
static bool count_unprepared(svdiff *dry, const struct lesson *l, uint64_t *bytes, GError **error)
{
    struct lesson quiet = *l; // who waits is told of the run alone, not of its counting
    g_autoptr(owned_learner) learner = learner_open(dry, error);

    quiet.progress = NULL;
    if (learner == NULL || !learner_attach(learner, &quiet, error)) {
        return false;
    }
    g_autoptr(learn_run) r = learn_run_create(&quiet, g_steal_pointer(&learner), error);
    return r != NULL && learn_prior_targets(r, error) && count_least(r, bytes, error);
}

bool estimate_check_memory(const struct lesson *l, GError **error)
{
    g_auto(dry_svdiff) dry = dry_session(l->session);
    uint64_t bytes = 0;

    // a device with memory of its own says when it is full; the host grants more than it has
    return count_unprepared(&dry, l, &bytes, error) &&
           (!l->session->k->host_memory ||
            machine_check_memory(bytes + dry_session_host_bytes(l->session), error));
}

/* ---- generating ---- */

static bool take_nothing(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    return true;
}

bool svdiff_estimate_generate(svdiff *s, const struct svdiff_generate_options *options,
                              struct svdiff_estimate *e, GError **error)
{
    struct svdiff_generate_options o = *options;
    g_auto(dry_svdiff) dry = dry_session(s);

    // shifts are in the weights before the first step and cost nothing after
    o.n_subjects = 0;
    o.count = 1;
    o.trace = NULL;
    *e = (struct svdiff_estimate){0};
    if (!svdiff_generate(&dry, &o, take_nothing, NULL, NULL, error)) {
        return false;
    }
    // one picture's memory is given back before the next, its products are done for each
    e->bytes = e->least_bytes = kernels_peak_bytes(dry.k) + dry_session_host_bytes(s);
    e->operations = kernels_counted_operations(dry.k) * options->count;
    e->width = options->width;
    e->height = options->height;
    e->seconds = seconds_of(s, e->operations, options->width, options->height);
    return true;
}
