/* Timing parts of the work; see bench.h. The factors of the learning step are random values, scaled
 * like its weights. */
#include "engine/bench/bench.h"

#include "engine/network/autoencoder.h"
#include "engine/network/random_weights.h"
#include "engine/base/error.h"
#include "engine/learn/run/learn_step.h"
#include "engine/subject/shift_set.h"
#include "engine/tape/transfer.h"
#include "engine/network/unet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- runs ---- */

struct run {
    const kernels *k; // borrowed
    const struct bench_options *o;
    struct unet *unet;               // NULL where decoding is timed
    struct autoencoder *autoencoder; // decoding alone
    struct parameters *parameters;   // of learning, as is the batch
    struct learn_batch *batch;
    real *moments; // [batch, h, w, c] on the device: what it learns from, without deviation
    float *input;  // [batch, h, w, c]: noise of deviation 1
    struct conditioning text; // of `texts` for each of the batch
    double *timesteps;        // [batch]
    int h, w, c;              // of the latents, or of what an inpainting model sees
    struct tape *tape;
    int done; // repeats
    progress_function progress;
    void *user;
};

// one run of the part; also what the tape is measured with, so that it fits
static void run_once(void *user, struct tape *t)
{
    struct run *r = user;

    if (r->o->part == BENCH_LEARN) {
        // no text encoder: the batch's own text, zeros, is read
        learn_step_run(t, r->unet, NULL, r->batch, NULL);
        return;
    }
    struct tensor *x = tape_input(t, r->input, r->o->batch, r->h, r->w, r->c, false);
    if (r->o->part == BENCH_DECODE) {
        autoencoder_decode(t, r->autoencoder, x);
        return;
    }
    unet_forward(t, r->unet, x, r->timesteps, conditioning_input(t, &r->text, 0, r->text.n));
}

/* The optimiser's share of a step, with AdamW's defaults and clipped to a norm of 1 as a run of
 * learning does it. */
static void update(struct run *r)
{
    const double rates[] = {1e-3, 1e-6};
    const struct adamw_options a = {.rates = rates,
                                    .n_rates = G_N_ELEMENTS(rates),
                                    .beta1 = 0.9,
                                    .beta2 = 0.999,
                                    .epsilon = 1e-8,
                                    .decay = 0.01,
                                    .clip = 1,
                                    .divisor = 1};

    parameters_square(r->parameters);
    parameters_step(r->parameters, &a, 1);
    // gains from the new shifts: the next repeat needs them
    network_refresh(unet_network(r->unet), 1);
}

static size_t moments_bytes(const struct run *r)
{
    return (size_t)r->o->batch * r->h * r->w * r->c * sizeof(real);
}

// rows as a run of learning draws them, half of each noise; any timestep costs the same
static bool draw_batch(struct run *r, GError **error)
{
    r->moments = r->k->alloc(r->k, moments_bytes(r));
    if (r->moments == NULL) {
        return error_failed(error, "There is no memory for the latents; choose a smaller --batch.");
    }
    transfer_upload(r->k, r->moments, r->input, (int64_t)(moments_bytes(r) / sizeof(real)));
    r->batch->moments = r->moments;
    for (int i = 0; i < r->o->batch; i++) {
        r->batch->rows[i] = (struct latents_row){.mean = (int64_t)i * r->h * r->w * r->c,
                                                 .deviation = -1,
                                                 .of_noise = {.step = (uint64_t)i},
                                                 .noisy_latents = sqrt(0.5),
                                                 .noisy_noise = sqrt(0.5),
                                                 .target_noise = 1};
        // the mean of a row as it is
        r->batch->weights[i] = 1;
        r->batch->timesteps[i] = 500;
    }
    return true;
}

// every weight of the UNet becomes spectral, as a run of learning has them by default
static bool prepare_learn(struct run *r, GError **error)
{
    const struct spectrum_provider provider = random_spectra();
    struct network *net = unet_network(r->unet);

    r->parameters = parameters_create(r->k);
    for (guint i = 0; i < net->weights->len; i++) {
        if (!shift_attach(net, net->weights->pdata[i], false, provider, r->parameters, error)) {
            return false;
        }
    }
    // only now is it known how many shifts there are
    if (!parameters_allocate(r->parameters, error)) {
        return false;
    }
    network_refresh(net, 1);
    // all rows show the subject: there is no prior
    r->batch = learn_batch_create(r->o->batch, r->o->batch, r->h, r->w, r->c, r->o->tokens,
                                  r->o->unet->cross_attention_dim);
    return draw_batch(r, error);
}

static bool prepare(struct run *r, GError **error)
{
    const struct weight_source source = random_weights();
    const struct bench_options *o = r->o;
    const int factor = autoencoder_factor(o->vae);

    r->h = o->height / factor;
    r->w = o->width / factor;
    // an inpainting UNet sees more channels than a picture's latents have
    r->c = o->part == BENCH_DECODE ? o->vae->latent_channels : o->unet->in_channels;
    r->input = g_new(float, (size_t)o->batch * r->h * r->w * r->c);
    conditioning_init(&r->text, o->batch * o->texts, o->tokens, o->unet->cross_attention_dim, 0);
    r->timesteps = g_new(double, o->batch);
    random_fill(r->input, (int64_t)o->batch * r->h * r->w * r->c, 1, 3);
    random_fill(r->text.context, (int64_t)r->text.n * o->tokens * r->text.width, 1, 4);
    for (int i = 0; i < o->batch; i++) {
        r->timesteps[i] = 500;
    }
    // each network only where it is timed: the peak of memory is then the part's own
    if (o->part == BENCH_DECODE) {
        r->autoencoder = autoencoder_create(r->k, o->vae, AUTOENCODER_DECODER, source, error);
        return r->autoencoder != NULL;
    }
    r->unet = unet_create(r->k, o->unet, source, error);
    return r->unet != NULL && (o->part != BENCH_LEARN || prepare_learn(r, error));
}

static void finish(struct run *r)
{
    tape_free(r->tape);
    unet_free(r->unet);
    autoencoder_free(r->autoencoder);
    parameters_free(r->parameters);
    learn_batch_free(r->batch);
    r->k->release(r->k, r->moments, moments_bytes(r));
    g_free(r->input);
    conditioning_clear(&r->text);
    g_free(r->timesteps);
}

static struct tape *make_tape(struct run *r, GError **error)
{
    const bool training = r->o->part == BENCH_LEARN;
    // a step of learning replays where keeping everything would take gigabytes
    const struct tape_options o = {.training = training,
                                   .replay = training && r->o->width * r->o->height > 65536};

    return tape_create_measured(r->k, o, run_once, r, error);
}

static bool time_once(void *user, double *work, GError **error)
{
    struct run *r = user;
    const struct progress p = {.phase = "bench",
                               .step = r->done++,
                               .steps = r->o->repeats,
                               .loss = -1,
                               .seconds_left = -1};

    if (r->progress != NULL && !r->progress(r->user, &p)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, "Cancelled.");
        return false;
    }
    // the arena is as large as one run
    tape_reset(r->tape);
    run_once(r, r->tape);
    if (r->o->part == BENCH_LEARN) {
        update(r);
    }
    // by the measuring run: the device itself counts nothing
    *work = tape_work(r->tape);
    // calls may return before a device is done: the time ends when it is
    return tape_sync(r->tape, error);
}

bool bench_run(const kernels *k, const struct bench_options *o, struct bench_result *result,
               progress_function progress, void *user, GError **error)
{
    // around k, which does the work and knows the most memory that was taken
    g_autoptr(kernels) measured = kernels_measured(k);
    struct run r = {.k = measured, .o = o, .progress = progress, .user = user};

    bool done = prepare(&r, error);
    r.tape = done ? make_tape(&r, error) : NULL;
    done = r.tape != NULL && bench_repeat(measured, o->repeats, time_once, &r, result, error);
    result->peak_bytes = kernels_peak_bytes(k);
    finish(&r);
    return done;
}

/* ---- times ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    // as integers: a difference of doubles cut to an int is 0 below 1
    return (x > y) - (x < y);
}

bool bench_repeat(const kernels *k, int repeats, bench_once once, void *user,
                  struct bench_result *result, GError **error)
{
    g_autofree double *seconds = g_new(double, repeats);
    double best = G_MAXDOUBLE;

    for (int i = 0; i < repeats; i++) {
        struct kernels_measure kinds[KERNELS_KINDS];
        kernels_take_measures(k, kinds); // what preparing took
        const gint64 start = g_get_monotonic_time();
        if (!once(user, &result->flops, error)) {
            return false;
        }
        seconds[i] = (double)(g_get_monotonic_time() - start) / 1e6;
        kernels_take_measures(k, kinds);
        // kinds of one and the same run, so that they never add up to more than its time
        if (seconds[i] < best) {
            best = seconds[i];
            memcpy(result->kinds, kinds, sizeof kinds);
        }
    }
    qsort(seconds, (size_t)repeats, sizeof *seconds, compare_doubles);
    result->seconds = seconds[0];
    // of an even number the slower of the two in the middle
    result->median_seconds = seconds[repeats / 2];
    return true;
}

/* ---- the machine ---- */

#define RATE_ROWS  1024
#define RATE_WIDTH 1280
#define RATE_RUNS  10

// x [rows, width] W^T, best of some runs; weight: width * width values
static double time_product(const kernels *k, const cell *x, const void *weight, cell *y)
{
    const struct linear_shape s = {.t = RATE_ROWS, .in = RATE_WIDTH, .out = RATE_WIDTH};
    const struct kernels_weight w = {.data = weight, .type = k->weight};
    double best = G_MAXDOUBLE;

    for (int i = 0; i < RATE_RUNS; i++) {
        const gint64 start = g_get_monotonic_time();
        k->linear_forward(k, s, x, w, NULL, y);
        k->sync(k, NULL);
        best = MIN(best, (double)(g_get_monotonic_time() - start) / 1e6);
    }
    return best;
}

double bench_product_rate(const kernels *k)
{
    const size_t activations = kernels_size(k->activation) * RATE_ROWS * RATE_WIDTH;
    const size_t weights = kernels_size(k->weight) * RATE_WIDTH * RATE_WIDTH;
    cell *x = k->alloc(k, activations), *y = k->alloc(k, activations);
    void *w = k->alloc(k, weights);
    const bool done = x != NULL && y != NULL && w != NULL;
    const double seconds = done ? time_product(k, x, w, y) : 1;

    k->release(k, x, activations);
    k->release(k, y, activations);
    k->release(k, w, weights);
    return done ? 2.0 * RATE_ROWS * RATE_WIDTH * RATE_WIDTH / seconds : 0;
}
