/* Estimates of runs; see estimate.h. A dry session shares the model's files with the true one and
 * has a device of its own. */
#include "engine/estimate.h"

#include "engine/learn/learn_prepare.h"
#include "engine/base/machine.h"

#include <string.h>

// the program itself, its libraries and the host's copies of pictures
#define PROGRAM_BYTES ((uint64_t)32 << 20)
// what of the measured speed whole networks reach: small shapes, and work that is no product
#define SHARE 0.6
// of the largest weight: its copies on the host while it is read or decomposed
#define COPIES 2

static svdiff dry_session(const svdiff *s)
{
    svdiff dry = *s;

    dry.dry = true;
    dry.k = kernels_count(s->k);
    dry.base_hash = NULL;
    dry.keeps = false;
    dry.kept = (struct session_networks){0};
    dry.options.warn = dry.options.note = NULL;
    return dry;
}

static void dry_finish(svdiff *dry)
{
    kernels_destroy(dry->k);
    g_free(dry->base_hash);
}

static uint64_t host_bytes(const svdiff *s)
{
    uint64_t largest = 0;

    for (size_t i = 0; i < checkpoint_count(s->checkpoint); i++) {
        const struct model_tensor *t = checkpoint_at(s->checkpoint, i);
        uint64_t values = 1;
        for (int d = 0; d < t->n_dims; d++) {
            values *= (uint64_t)t->shape[d];
        }
        largest = MAX(largest, values);
    }
    return PROGRAM_BYTES + COPIES * largest * sizeof(float);
}

/* ---- speed ---- */

// operations a second of a 3x3 convolution with c channels on h x w latents; 0 without memory
static double conv_speed(const kernels *k, int h, int w, int c)
{
    const struct conv_shape s = {2, h, w, c, h, w, c, 3, 3, 1, 1, 1};
    const size_t bytes = (size_t)s.n * h * w * c * sizeof(real);
    const size_t weight = (size_t)9 * c * c * sizeof(real);
    real *x = k->alloc(k, bytes), *y = k->alloc(k, bytes), *values = k->alloc(k, weight);
    const struct kernels_weight whole = {.data = values};
    double best = 0;

    for (int i = 0; x != NULL && y != NULL && values != NULL && i < 4; i++) {
        const gint64 begin = g_get_monotonic_time();
        k->conv_forward(k, s, x, whole, NULL, y);
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

    return first > 0 && deep > 0 ? SHARE * 2 / (1 / first + 1 / deep) : 0;
}

static double seconds_of(const svdiff *s, double operations, int width, int height)
{
    const double speed = speed_of(s, width, height);

    return speed > 0 ? operations / speed : -1;
}

/* ---- learning ---- */

// products of one step; memory of the teacher is counted on the way
static bool count_step(struct learn_run *r, double *operations, GError **error)
{
    const kernels *k = r->lesson->session->k;
    const double before = kernels_counted_operations(k);

    learn_draw(r->lesson, 0, r->batch, NULL);
    if (!learn_prior_targets(r, error)) {
        return false;
    }
    learn_run_batch(r, r->unmix != NULL ? &r->unmix->guide : NULL);
    *operations = kernels_counted_operations(k) - before;
    return true;
}

// the peak with segments run again instead of kept
static bool count_replayed(struct learn_run *r, uint64_t *bytes, GError **error)
{
    kernels *k = r->lesson->session->k;

    g_clear_pointer(&r->tape, tape_free);
    kernels_reset_peak(k);
    const bool done = learn_run_replay(r, true, error);
    *bytes = kernels_peak_bytes(k);
    return done;
}

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

// the kept squares, all of one size, beside each other
static bool take_squares(const struct lesson *l, struct svdiff_estimate *e, GError **error)
{
    const GPtrArray *all = l->pictures->squares;
    const int side = l->options->size, n = (int)all->len;
    const size_t row = (size_t)4 * side;

    e->squares = picture_create(n * side, side, 4, error);
    for (int i = 0; e->squares != NULL && i < n; i++) {
        const picture *one = g_ptr_array_index(all, i);
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

static bool count_learning(svdiff *dry, const struct svdiff_learn_options *o,
                           struct svdiff_estimate *e, GError **error)
{
    struct learning x;
    double step = 0;
    bool done = learning_prepare(&x, dry, o, NULL, NULL, error);

    if (done) {
        take_marks(x.lesson, e);
        // pictures and texts are encoded, and pictures of the class drawn
        const double prepared = kernels_counted_operations(dry->k);
        done = take_squares(x.lesson, e, error) && count_step(x.run, &step, error);
        e->bytes = kernels_peak_bytes(dry->k);
        e->operations = prepared + step * o->accumulate * o->steps;
        done = done && count_replayed(x.run, &e->least_bytes, error);
    }
    learning_finish(&x);
    return done;
}

static bool estimate_learn(svdiff *s, const struct svdiff_learn_options *options,
                           struct svdiff_estimate *e, GError **error)
{
    struct svdiff_learn_options o = *options;
    svdiff dry = dry_session(s);

    o.trace = NULL;
    const bool done = count_learning(&dry, &o, e, error);
    dry_finish(&dry);
    e->bytes += host_bytes(s);
    e->least_bytes = MIN(e->least_bytes + host_bytes(s), e->bytes);
    return done;
}

bool svdiff_estimate_learn(svdiff *s, const struct svdiff_learn_options *options,
                           struct svdiff_estimate *e, GError **error)
{
    *e = (struct svdiff_estimate){0};
    if (!estimate_learn(s, options, e, error)) {
        svdiff_estimate_clear(e);
        return false;
    }
    e->seconds = seconds_of(s, e->operations, options->size, options->size);
    return true;
}

bool estimate_check_learn(svdiff *s, const struct svdiff_learn_options *options, GError **error)
{
    struct svdiff_estimate e = {0};
    const bool enough =
        estimate_learn(s, options, &e, error) && machine_check_memory(e.least_bytes, error);

    svdiff_estimate_clear(&e);
    return enough;
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
    svdiff dry = dry_session(s);

    // shifts are in the weights before the first step and cost nothing after
    o.n_subjects = 0;
    o.count = 1;
    o.trace = NULL;
    *e = (struct svdiff_estimate){0};
    const bool done = svdiff_generate(&dry, &o, take_nothing, NULL, NULL, error);
    e->bytes = e->least_bytes = kernels_peak_bytes(dry.k) + host_bytes(s);
    e->operations = kernels_counted_operations(dry.k) * options->count;
    dry_finish(&dry);
    if (done) {
        e->width = options->width;
        e->height = options->height;
        e->seconds = seconds_of(s, e->operations, options->width, options->height);
    }
    return done;
}
