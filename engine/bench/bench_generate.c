/* Timing whole pictures; see bench_generate.h. The networks are made once, outside of
 * what is timed, as they are for several pictures of one run. */
#include "engine/bench/bench_generate.h"

#include "engine/network/random_weights.h"
#include "engine/generate/decode.h"
#include "engine/generate/denoise.h"

#define STEPS    25
#define GUIDANCE 7.5 // above 1: two predictions a step

struct painting {
    const kernels *k; // borrowed, measured
    const struct bench_options *o;
    struct unet *unet;
    struct autoencoder *autoencoder;
    struct decoder *decoder;
    struct denoise denoise;
    struct denoise_part part; // the one of a plain picture, all of it
    struct tape *tape;
    struct conditioning text; // without, then with a prompt
    float *more;              // what an inpainting model sees beside the latents
};

// the two that a picture goes through; freed by finish, also where only the first was made
static bool make_networks(struct painting *p, GError **error)
{
    const struct weight_source source = random_weights();

    p->unet = unet_create(p->k, p->o->unet, source, error);
    p->autoencoder = p->unet != NULL
                         ? autoencoder_create(p->k, p->o->vae, AUTOENCODER_DECODER, source, error)
                         : NULL;
    return p->autoencoder != NULL;
}

static bool prepare(struct painting *p, progress_function progress, void *user, GError **error)
{
    const struct bench_options *o = p->o;
    // what an inpainting model sees beside the latents: 4 channels of the picture and 1 of the mask
    const int factor = autoencoder_factor(o->vae), width = o->unet->cross_attention_dim;
    const int more_c = o->unet->in_channels - o->vae->latent_channels;

    if (!make_networks(p, error)) {
        return false;
    }
    // random texts: attention costs the same whatever they say
    conditioning_init(&p->text, 2, o->tokens, width, 0);
    random_fill(p->text.context, (int64_t)2 * o->tokens * width, 1, 4);
    p->more = g_new0(float, (size_t)(o->height / factor) * (o->width / factor) * more_c);
    p->part = (struct denoise_part){.unet = p->unet, .text = &p->text};
    p->denoise = (struct denoise){.k = p->k,
                                  .parts = &p->part,
                                  .n_parts = 1,
                                  .h = o->height / factor,
                                  .w = o->width / factor,
                                  .c = o->vae->latent_channels,
                                  .more = p->more,
                                  .more_c = more_c,
                                  .guidance = GUIDANCE,
                                  .phase = "bench",
                                  .progress = progress,
                                  .user = user};
    p->tape = denoise_tape(&p->denoise, error);
    if (p->tape == NULL) {
        return false;
    }
    // its memory comes with the first picture, within the time: the best of several repeats is
    // without
    p->decoder = decoder_create(p->k, p->autoencoder, p->denoise.h, p->denoise.w, false, 0, error);
    return p->decoder != NULL;
}

static void finish(struct painting *p)
{
    decoder_free(p->decoder);
    tape_free(p->tape);
    unet_free(p->unet);
    autoencoder_free(p->autoencoder);
    conditioning_clear(&p->text);
    g_free(p->more);
}

static bool one_picture(struct painting *p, uint64_t seed, GError **error)
{
    const struct sampler_options options = {.kind = SAMPLER_DDIM, .steps = STEPS};
    const int64_t count = (int64_t)p->denoise.h * p->denoise.w * p->denoise.c;
    // a sampler carries what it remembers of a picture's steps: each picture has its own
    g_autofree float *latents = g_new(float, count);
    g_autoptr(sampler) s = sampler_create(&options, p->o->schedule, error);

    if (s == NULL) {
        return false;
    }
    // noise as large as the first timestep's, else the last steps would see numbers beyond any
    // model's
    random_fill(latents, count, sampler_initial_scale(s), seed);
    p->denoise.sampler = s;
    struct draws draws = {.seed = seed};
    if (!denoise_run(&p->denoise, p->tape, &draws, latents, error)) {
        return false;
    }
    // thrown away: what counts is that its pixels were computed
    g_autoptr(picture) drawn = decoder_run(p->decoder, latents, NULL, error);
    return drawn != NULL;
}

static bool all_pictures(void *user, double *work, GError **error)
{
    struct painting *p = user;
    for (int i = 0; i < p->o->batch; i++) {
        if (!one_picture(p, (uint64_t)(i + 1), error)) {
            return false;
        }
    }
    // the tape was measured with one step
    *work = tape_work(p->tape) * STEPS * p->o->batch;
    return true;
}

bool bench_generate(const kernels *k, const struct bench_options *o, struct bench_result *result,
                    progress_function progress, void *user, GError **error)
{
    g_autoptr(kernels) measured = kernels_measured(k);
    struct painting p = {.k = measured, .o = o};
    const bool done = prepare(&p, progress, user, error) &&
                      bench_repeat(measured, o->repeats, all_pictures, &p, result, error);

    result->peak_bytes = kernels_peak_bytes(k);
    finish(&p);
    return done;
}
