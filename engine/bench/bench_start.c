/* Timing what comes before the second step; see bench_start.h. The parts are generating's own, one
 * after the other as they come there. */
#include "engine/bench/bench_start.h"

#include "engine/network/random_weights.h"
#include "engine/generate/denoise.h"
#include "engine/generate/painter.h"

#include <time.h>

#define GUIDANCE 7.5
#define PART     ((int64_t)1 << 15)

struct starting {
    svdiff *session;
    struct painter painter;
    struct conditioning text; // without, then with a prompt
    struct denoise denoise;
    struct denoise_part part;
    struct tape *tape;
    struct bench_stages *stages;
    gint64 began; // of the stage
    double processor_began;
};

const char *bench_stage_name(enum bench_stage stage)
{
    static const char *const names[] = {"read", "hash", "open", "text", "convert", "step"};

    return names[stage];
}

// seconds that all threads of the process worked so far
static double processor_seconds(void)
{
    struct timespec t = {0};

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(struct starting *p)
{
    p->processor_began = processor_seconds();
    p->began = g_get_monotonic_time();
}

static void end(struct starting *p, enum bench_stage stage, uint64_t bytes)
{
    p->stages->stage[stage].seconds = (double)(g_get_monotonic_time() - p->began) / 1e6;
    p->stages->stage[stage].processor_seconds = processor_seconds() - p->processor_began;
    p->stages->stage[stage].bytes = bytes;
}

// of all values of a component
static uint64_t stored_bytes(const svdiff *s, enum model_component component)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < checkpoint_count(s->checkpoint); i++) {
        const struct model_tensor *t = checkpoint_at(s->checkpoint, i);
        if (t->component == component) {
            bytes += (uint64_t)model_tensor_values(t) *
                     dtype_bytes(checkpoint_stored(s->checkpoint, i)->dtype);
        }
    }
    return bytes;
}

/* ---- stages ---- */

static bool read_one(const struct checkpoint *c, size_t i, void *room, GError **error)
{
    const int64_t values = model_tensor_values(checkpoint_at(c, i));

    for (int64_t first = 0; first < values; first += PART) {
        if (!checkpoint_read_stored(c, i, first, MIN(PART, values - first), room, error)) {
            return false;
        }
    }
    return true;
}

static bool read_all(struct starting *p, GError **error)
{
    const struct checkpoint *c = p->session->checkpoint;
    uint64_t bytes = 0;
    GError *problem = NULL;

    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        bytes += stored_bytes(p->session, (enum model_component)i);
    }
    begin(p);
#pragma omp parallel num_threads(p->session->k->threads)
    {
        g_autofree double *room = g_new(double, PART); // of the widest type
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < checkpoint_count(c); i++) {
            GError *one = NULL;
            if (!read_one(c, i, room, &one)) {
#pragma omp critical
                {
                    g_clear_error(&problem);
                    problem = one;
                }
            }
        }
    }
    end(p, BENCH_STAGE_READ, bytes);
    if (problem != NULL) {
        g_propagate_error(error, problem);
    }
    return problem == NULL;
}

static bool hash(struct starting *p, progress_function progress, void *user, GError **error)
{
    const svdiff *s = p->session;
    struct model_hashes hashes = {0};
    // in 16 bits, whatever they are stored in; what has no shift is a hundredth
    const uint64_t bytes =
        2 * session_values(s, 1u << MODEL_UNET | 1u << MODEL_TEXT_ENCODER, false);

    begin(p);
    const bool done = model_hashes_compute(s->checkpoint, MODEL_HASH_BASE, s->options.threads,
                                           progress, user, &hashes, error);
    end(p, BENCH_STAGE_HASH, bytes);
    return done;
}

static bool embed(struct starting *p, GError **error)
{
    static const char *const texts[] = {"", "a photo of a dog"};
    const struct painter_parts parts = {0};

    begin(p);
    p->painter.session = p->session;
    p->painter.clip_skip = 1;
    const bool done = painter_open(&p->painter, &parts, error) &&
                      painter_embed(&p->painter, texts, G_N_ELEMENTS(texts), &p->text, error);
    end(p, BENCH_STAGE_TEXT, stored_bytes(p->session, MODEL_TEXT_ENCODER));
    return done;
}

static bool convert(struct starting *p, GError **error)
{
    begin(p);
    const bool done = painter_networks(&p->painter, AUTOENCODER_DECODER, error);
    // the decoder is about half of the autoencoder's values
    end(p, BENCH_STAGE_CONVERT,
        stored_bytes(p->session, MODEL_UNET) + stored_bytes(p->session, MODEL_VAE) / 2);
    return done;
}

static bool step(struct starting *p, struct bench_result *result, GError **error)
{
    const struct sampler_options options = {.kind = SAMPLER_DDIM, .steps = 1};
    struct denoise *d = &p->denoise;
    const int64_t count = (int64_t)d->h * d->w * d->c;
    g_autofree float *latents = g_new(float, count);

    begin(p);
    g_autoptr(sampler) s =
        sampler_create(&options, checkpoint_schedule_config(p->session->checkpoint), error);
    p->tape = s != NULL ? denoise_tape(d, error) : NULL;
    if (p->tape == NULL) {
        return false;
    }
    random_fill(latents, count, sampler_initial_scale(s), 1);
    d->sampler = s;
    result->flops = tape_work(p->tape);
    struct draws draws = {.seed = 1};
    const bool done = denoise_run(d, p->tape, &draws, latents, error);
    end(p, BENCH_STAGE_STEP, network_bytes(unet_network(p->painter.unet)));
    return done;
}

/* ---- all of them ---- */

// the files into memory, and what a model that was never seen costs once
static bool look_at_files(struct starting *p, const struct svdiff_options *options,
                          progress_function progress, void *user, GError **error)
{
    p->session = svdiff_open(options, error);
    const bool done = p->session != NULL && read_all(p, error) && hash(p, progress, user, error);

    g_clear_pointer(&p->session, svdiff_close);
    return done;
}

static bool open_model(struct starting *p, const struct svdiff_options *options, GError **error)
{
    begin(p);
    p->session = svdiff_open(options, error);
    end(p, BENCH_STAGE_OPEN, 0);
    return p->session != NULL;
}

static void prepare_step(struct starting *p, int width, int height, progress_function progress,
                         void *user)
{
    const struct checkpoint *c = p->session->checkpoint;
    const struct vae_config *vae = checkpoint_vae_config(c);
    const int factor = autoencoder_factor(vae);

    p->part = (struct denoise_part){.unet = p->painter.unet, .text = &p->text};
    p->denoise =
        (struct denoise){.k = p->session->k,
                         .parts = &p->part,
                         .n_parts = 1,
                         .h = height / factor,
                         .w = width / factor,
                         .c = vae->latent_channels,
                         // zeros: what an inpainting model sees beside the latents
                         .more_c = checkpoint_unet_config(c)->in_channels - vae->latent_channels,
                         .guidance = GUIDANCE,
                         .phase = "bench",
                         .progress = progress,
                         .user = user};
}

static bool start(struct starting *p, const struct svdiff_options *options, int width, int height,
                  struct bench_result *result, progress_function progress, void *user,
                  GError **error)
{
    if (!look_at_files(p, options, progress, user, error) || !open_model(p, options, error) ||
        !embed(p, error) || !convert(p, error)) {
        return false;
    }
    prepare_step(p, width, height, progress, user);
    if (!step(p, result, error)) {
        return false;
    }
    result->peak_bytes = kernels_peak_bytes(p->session->k);
    for (int i = BENCH_STAGE_GENERATE; i < BENCH_STAGES; i++) {
        result->seconds += p->stages->stage[i].seconds;
    }
    result->median_seconds = result->seconds;
    return true;
}

bool bench_start(const struct svdiff_options *options, int width, int height,
                 struct bench_stages *stages, struct bench_result *result,
                 progress_function progress, void *user, GError **error)
{
    struct starting p = {.stages = stages};

    *result = (struct bench_result){0};
    const bool done = start(&p, options, width, height, result, progress, user, error);
    tape_free(p.tape);
    conditioning_clear(&p.text);
    if (p.session != NULL) {
        painter_finish(&p.painter);
    }
    svdiff_close(p.session);
    return done;
}
