/* The sampling loop; see denoise.h. What a step comes to stays on the device: a device that keeps the calls of a step
 * does the next one without a word of the host's, but for the step's factors and its noise. */
#include "engine/generate/denoise.h"

#include "engine/base/error.h"
#include "engine/generate/preview.h"
#include "engine/tape/transfer.h"

static bool guided(const struct denoise *d)
{
    return d->guidance > 1;
}

static int halves(const struct denoise *d)
{
    return guided(d) ? 2 : 1;
}

static int64_t count_of(const struct denoise *d)
{
    return (int64_t)d->h * d->w * d->c;
}

/* ---- what lies on the device ---- */

/* A picture's arrays on the device from the first step to the last, [h, w, c] but where said. Those that a picture does
 * not need are there as well: they are small. */
struct arrays {
    struct sampler_factors *factors;
    struct normals_key *key; // of a step's noise
    real *latents;
    real *before; // what a step starts from, which a refined one starts from again
    real *both;   // [2, h, w, c]: the prediction before guidance
    real *prediction, *noise, *original;
    real *kept; // [SAMPLER_KEPT, h, w, c]
    real *init, *init_noise;
    real *mask;   // [h, w]
    real *more;   // [h, w, more_c]
    real *weight; // [n_parts, h, w]
    cell *keys;   // of each part's texts, for all steps
};

static real *take(char **at, int64_t count)
{
    real *array = (real *)*at;
    const size_t bytes = (size_t)count * sizeof *array;

    *at += (bytes + KERNELS_ALIGNMENT - 1) / KERNELS_ALIGNMENT * KERNELS_ALIGNMENT;
    return array;
}

// of a part's texts, both halves' whether there are two or not
static int64_t key_cells(const struct denoise *d)
{
    return unet_key_cells(d->parts[0].unet, 2, d->parts[0].text->tokens);
}

// one behind the other from `memory` on; returns the bytes of all
static size_t lay_out(const struct denoise *d, char *memory, struct arrays *a)
{
    const int64_t count = count_of(d), places = (int64_t)d->h * d->w;
    char *at = memory;

    a->factors = (struct sampler_factors *)(void *)take(&at, sizeof *a->factors / sizeof(real));
    a->key = (struct normals_key *)(void *)take(&at, sizeof *a->key / sizeof(real));
    a->latents = take(&at, count);
    a->before = take(&at, count);
    a->both = take(&at, 2 * count);
    a->prediction = take(&at, count);
    a->noise = take(&at, count);
    a->original = take(&at, count);
    a->kept = take(&at, SAMPLER_KEPT * count);
    a->init = take(&at, count);
    a->init_noise = take(&at, count);
    a->mask = take(&at, places);
    a->more = take(&at, places * d->more_c);
    a->weight = take(&at, places * d->n_parts);
    a->keys = (cell *)take(&at, 0);
    at += (size_t)(d->n_parts * key_cells(d)) * kernels_size(d->k->activation);
    return (size_t)(at - memory);
}

// for what a tape measures: made-up places, which nothing reads
static void lay_out_nowhere(const struct denoise *d, struct arrays *a)
{
    static char nowhere[KERNELS_ALIGNMENT];

    lay_out(d, nowhere, a);
}

static void fill(const kernels *k, real *to, const float *from, int64_t count)
{
    if (from != NULL) {
        transfer_upload(k, to, from, count);
    }
}

// what is the same for all steps
static bool open_arrays(const struct denoise *d, struct tape *t, const float *latents,
                        struct arrays *a, GError **error)
{
    const int64_t count = count_of(d), places = (int64_t)d->h * d->w;
    struct arrays none;
    char *memory = tape_hold(t, lay_out(d, NULL, &none), error);

    if (memory == NULL) {
        return false;
    }
    lay_out(d, memory, a);
    fill(d->k, a->latents, latents, count);
    fill(d->k, a->init, d->init, count);
    fill(d->k, a->init_noise, d->noise, count);
    fill(d->k, a->mask, d->mask, places);
    fill(d->k, a->more, d->more, places * d->more_c);
    for (int i = 0; i < d->n_parts; i++) {
        fill(d->k, a->weight + i * places, d->parts[i].weight, places);
    }
    d->k->zero(d->k, a->kept, (size_t)(SAMPLER_KEPT * count) * sizeof *a->kept);
    return true;
}

/* ---- texts ---- */

static cell *keys_of(const struct denoise *d, const struct arrays *a, int part)
{
    return kernels_at(d->k, a->keys, part * key_cells(d));
}

// keys and values of all parts' texts; without guidance of the second text alone, the one with the prompt
static void make_keys(const struct denoise *d, struct tape *t, const struct arrays *a)
{
    const int n = halves(d);

    for (int i = 0; i < d->n_parts; i++) {
        const struct denoise_part *p = &d->parts[i];
        tape_reset(t);
        unet_make_keys(t, p->unet, conditioning_input(t, p->text, 2 - n, n).context,
                       keys_of(d, a, i));
    }
}

/* ---- a step ---- */

// passes over a part whose calls differ: a device keeps each for itself
enum pass { SAMPLES, INVERTS, REFINES, PASSES };

// one part of a step, which comes again with other factors
struct part_run {
    const struct denoise *d;
    const struct arrays *a;
    enum pass pass;
    int part;
    double timestep;
    int kept; // arrays of the sampler; none while a tape is measured, which no sampler is there for
    struct sampler_factors factors;
    /* Of a sampler that adds noise: where it comes from, and that of this step where the host draws. draws NULL:
     * none is added. */
    const struct draws *draws;
    struct normals_key key;
    const float *noise;
};

// of n predictions
static struct latents_shape shape_of(const struct denoise *d, int n)
{
    return (struct latents_shape){
        .n = n, .t = (int64_t)d->h * d->w, .c = d->c, .more_c = d->more_c};
}

/* One forward for both halves of the guidance: the weights pass through the cache once, and what the
 * halves have in common is computed once. */
static struct tensor *predict_part(const struct part_run *r, struct tape *t)
{
    const struct denoise *d = r->d;
    const struct denoise_part *p = &d->parts[r->part];
    const int n = halves(d);
    const kernels *k = tape_kernels(t);
    struct tensor *x = tape_tensor(t, 1, d->h, d->w, d->c + d->more_c);

    // the network is trained on inputs of unit variance, Euler's latents are larger
    k->latents_input(k, shape_of(d, 1), r->a->factors, r->a->latents, r->a->more, x->data);
    const struct text_tensors text =
        conditioning_with_keys(t, p->text, 2 - n, n, keys_of(d, r->a, r->part));
    return unet_forward_guided(t, p->unet, x, &r->timestep, text, d->guide);
}

static void begin_noise(const struct part_run *r, const kernels *k, int64_t count)
{
    if (r->noise != NULL) {
        transfer_upload(k, r->a->noise, r->noise, count);
        return;
    }
    k->upload(k, r->a->key, &r->key, sizeof r->key);
    k->normals(k, count, r->a->key, r->a->noise);
}

static void begin_step(const struct part_run *r, const kernels *k)
{
    const int64_t count = count_of(r->d);

    k->upload(k, r->a->factors, &r->factors, sizeof r->factors);
    if (r->draws != NULL) {
        begin_noise(r, k, count);
    }
    if (r->pass != REFINES && r->d->refine > 0) {
        k->copy(k, r->a->before, r->a->latents, (size_t)count * sizeof(real));
    }
    k->zero(k, r->a->both, (size_t)(halves(r->d) * count) * sizeof(real));
}

static void hold(const struct denoise *d, const struct arrays *a, const kernels *k)
{
    if (d->mask != NULL) {
        // as noisy as the latents are now, so that what is set free later fits its surroundings
        k->latents_hold(k, (int64_t)d->h * d->w, d->c, a->factors, a->mask, a->init, a->init_noise,
                        a->latents);
    }
}

// a trace wants to see the step before that
static bool holds_at_once(const struct denoise *d)
{
    return d->trace == NULL && d->refine == 0;
}

static void run_part(void *user, struct tape *t)
{
    const struct part_run *r = user;
    const struct denoise *d = r->d;
    const struct arrays *a = r->a;
    const kernels *k = tape_kernels(t);
    const bool last = r->part + 1 == d->n_parts;
    const real *weight =
        d->parts[r->part].weight != NULL ? a->weight + (int64_t)r->part * d->h * d->w : NULL;

    if (r->part == 0) {
        begin_step(r, k);
    }
    const struct tensor *y = predict_part(r, t);
    // a cancelled network leaves its device
    k = tape_kernels(t);
    k->latents_guide(k, shape_of(d, halves(d)), (real)d->guidance, weight, y->data, a->both,
                     last ? a->prediction : NULL);
    if (last && guided(d) && d->rescale > 0) {
        k->latents_rescale(k, count_of(d), d->rescale, a->both + count_of(d), a->prediction);
    }
    if (last) {
        k->latents_step(k, count_of(d), r->kept, a->factors, a->prediction, a->noise,
                        r->pass == REFINES ? a->before : a->latents, a->latents, a->kept,
                        d->preview != NULL ? a->original : NULL);
    }
    if (last && holds_at_once(d)) {
        hold(d, a, k);
    }
}

// all of a step, or of one that is taken again
static void run_parts(struct part_run *r, struct tape *t)
{
    for (r->part = 0; r->part < r->d->n_parts; r->part++) {
        // each part has the whole of the arena to itself
        if (!tape_repeat(t, (guint)(r->part * PASSES) + r->pass, run_part, r)) {
            return;
        }
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
    struct arrays a;
    struct part_run r = {.d = d, .a = &a};

    lay_out_nowhere(d, &a);
    make_keys(d, t, &a);
    run_parts(&r, t);
}

struct tape *denoise_tape(struct denoise *d, GError **error)
{
    return tape_create_measured(d->k, (struct tape_options){.wraps = d->wraps}, measure, d, error);
}

// noisy: whether the sampler added noise
static void trace_step(const struct denoise *d, const struct arrays *a, int step, bool noisy)
{
    const int number = step - sampler_first(d->sampler);
    const int64_t count = count_of(d);
    g_autofree float *values = g_new(float, count);

    transfer_download(d->k, values, a->prediction, count);
    trace_add_image(d->trace, values, 1, d->h, d->w, d->c, "%s.%d",
                    d->inverts ? "inversion_prediction" : "noise_prediction", number);
    transfer_download(d->k, values, a->latents, count);
    trace_add_image(d->trace, values, 1, d->h, d->w, d->c, "%s.%d",
                    d->inverts ? "inversion_latents" : "latents", number);
    if (noisy) {
        transfer_download(d->k, values, a->noise, count);
        trace_add_image(d->trace, values, 1, d->h, d->w, d->c, "step_noise.%d", number);
    }
}

// an inversion's step from what it started from, taken again with predictions of what it came to
static void refine(const struct denoise *d, const struct arrays *a, struct tape *t, int step)
{
    struct part_run r = {.d = d,
                         .a = a,
                         .pass = REFINES,
                         .kept = sampler_kept(d->sampler),
                         .timestep = sampler_timestep(d->sampler, step)};

    if (d->refine == 0) {
        return;
    }
    sampler_factors(d->sampler, step, &r.factors);
    // inversion counts its steps upwards from the picture, sampling downwards from noise
    sampler_undo(d->undo, sampler_steps(d->undo) - 1 - step, &r.factors);
    for (int i = 0; i < d->refine && !tape_cancelled(t); i++) {
        run_parts(&r, t);
    }
}

// whether there is a step that adds noise: then all are given an array, so that their calls are the same
static bool adds_noise(const struct sampler *s)
{
    bool adds = false;

    for (int k = sampler_first(s); k < sampler_steps(s); k++) {
        adds = adds || sampler_noise_scale(s, k) > 0;
    }
    return adds;
}

/* draws: NULL where no step adds noise. noise: room for the step's, of numbers that the host draws one after the other;
 * NULL where the device does. */
static void one_step(const struct denoise *d, const struct arrays *a, struct tape *t, int step,
                     struct draws *draws, float *noise)
{
    const bool noisy = sampler_noise_scale(d->sampler, step) > 0;
    struct part_run r = {.d = d,
                         .a = a,
                         .pass = d->inverts ? INVERTS : SAMPLES,
                         .kept = sampler_kept(d->sampler),
                         .timestep = sampler_timestep(d->sampler, step),
                         .draws = draws,
                         .noise = noise};

    sampler_factors(d->sampler, step, &r.factors);
    if (noisy && noise != NULL) {
        draws_normal(draws, NOISE_SAMPLER_STEP, (uint64_t)step, d->h, d->w, d->c, noise);
    } else if (draws != NULL) {
        // numbered by the step, so that fewer pictures or another batch change nothing
        r.key = draws_key(draws, NOISE_SAMPLER_STEP, (uint64_t)step);
    }
    run_parts(&r, t);
    refine(d, a, t, step);
    if (d->trace != NULL) {
        trace_step(d, a, step, noisy);
    }
    if (!holds_at_once(d)) {
        hold(d, a, tape_kernels(t));
    }
}

// the step that was done, as a small picture
static bool show(struct run *r, const struct arrays *a, GError **error)
{
    const struct denoise *d = r->d;
    const int number = r->step - sampler_first(d->sampler);
    g_autofree float *sees = g_new(float, count_of(d));

    transfer_download(d->k, sees, a->original, count_of(d));
    if (!transfer_sync(d->k, error)) {
        return false;
    }
    g_autofree char *file = preview_write(d->preview, sees, d->h, d->w, number, error);
    if (file != NULL) {
        // told when it is there: whoever shows it opens it at once
        tell(r, file);
    }
    return file != NULL;
}

bool denoise_run(struct denoise *d, struct tape *t, struct draws *draws, float *latents,
                 GError **error)
{
    const int64_t count = count_of(d);
    struct draws *const added = adds_noise(d->sampler) ? draws : NULL;
    g_autofree float *noise = added != NULL && draws->torch != NULL ? g_new0(float, count) : NULL;
    struct run r = {.d = d};
    struct arrays a;

    if (!open_arrays(d, t, latents, &a, error)) {
        return false;
    }
    make_keys(d, t, &a);
    // in every segment of the network, so that a cancel is heard within a part of a step
    tape_set_tick(t, report, &r);
    for (r.step = sampler_first(d->sampler); r.step < sampler_steps(d->sampler);) {
        one_step(d, &a, t, r.step, added, noise);
        if (tape_cancelled(t)) {
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                        "Cancelled while generating; nothing was written.");
            return false;
        }
        // before it is told: a step that is done, or on its way, counts
        r.step++;
        if (d->preview != NULL && !show(&r, &a, error)) {
            return false;
        }
    }
    report(&r);
    transfer_download(d->k, latents, a.latents, count_of(d));
    return transfer_sync(d->k, error);
}
