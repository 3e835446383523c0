/* Pictures drawn while learning; see learn_drawing.h. */
#include "engine/learn/run/learn_drawing.h"

#include "engine/generate/decode.h"
#include "engine/generate/denoise.h"

// of nothing, then of the prompt; to be cleared by the caller
static bool both_texts(const struct conditioner *c, const struct conditioning *text,
                       struct conditioning *both, GError **error)
{
    // what guidance leads away from: as the generator without a negative prompt
    const char *const nothing[] = {""};
    struct conditioning empty = {0};

    if (!conditioner_embed(c, nothing, 1, &empty, error)) {
        return false;
    }
    conditioning_init(both, 2, text->tokens, text->width, text->pooled_width);
    conditioning_set(both, 0, &empty, 0);
    conditioning_set(both, 1, text, 0);
    conditioning_clear(&empty);
    return true;
}

// a picture's latents [h, w, c], from the noise of `seed`
static bool draw_one(const struct lesson *l, struct denoise *d, struct tape *t,
                     const struct svdiff_generate_options *o, uint64_t seed, float *latents,
                     GError **error)
{
    const int64_t count = (int64_t)d->h * d->w * d->c;
    const struct sampler_options options = {
        .kind = o->sampler, .spacing = o->spacing, .steps = o->steps};
    struct draws draws = {.seed = seed};
    struct sampler *s =
        sampler_create(&options, checkpoint_schedule_config(l->session->checkpoint), error);

    if (s == NULL) {
        return false;
    }
    // a sampler keeps the history of one picture, so each has its own
    d->sampler = s;
    draws_normal(&draws, NOISE_INITIAL_LATENTS, 0, d->h, d->w, d->c, latents);
    for (int64_t i = 0; i < count; i++) {
        latents[i] = (float)(latents[i] * sampler_initial_scale(s));
    }
    const bool done = denoise_run(d, t, &draws, latents, error);
    d->sampler = NULL;
    sampler_free(s);
    return done;
}

int learn_drawing_rows(const struct lesson *l)
{
    return svdiff_generate_defaults(l->session).guidance > 1 ? 2 : 1;
}

bool learn_drawing_run(const struct learn_drawing *d, const struct conditioning *text,
                       uint64_t seed, int count, float *latents, GError **error)
{
    const struct learn_pictures *p = d->lesson->pictures;
    const struct svdiff_generate_options o = svdiff_generate_defaults(d->lesson->session);
    const size_t size = (size_t)p->h * p->w * p->c;
    struct conditioning both = {0};
    // one model everywhere in the picture: no regions of its own for a subject
    const struct denoise_part part = {.unet = d->learner->unet, .text = &both};
    struct denoise x = {.k = d->learner->session->k,
                        .parts = &part,
                        .n_parts = 1,
                        .h = p->h,
                        .w = p->w,
                        .c = p->c,
                        .guidance = o.guidance,
                        .rescale = o.guidance_rescale,
                        .guide = d->guide,
                        .phase = d->phase,
                        .progress = d->lesson->progress,
                        .user = d->lesson->user};
    struct tape *t =
        both_texts(d->learner->conditioner, text, &both, error) ? denoise_tape(&x, error) : NULL;
    bool done = t != NULL;

    for (int i = 0; i < count && done; i++) {
        // one tape serves all: the pictures are of one shape
        done = draw_one(d->lesson, &x, t, &o, seed + (uint64_t)i, latents + i * size, error);
    }
    tape_free(t);
    conditioning_clear(&both);
    return done;
}

picture *learn_drawing_decode(const struct lesson *l, const float *latents, GError **error)
{
    svdiff *s = l->session;
    struct autoencoder *a = session_autoencoder(s, AUTOENCODER_DECODER, error);
    struct decoder *d =
        a != NULL ? decoder_create(s->k, a, l->pictures->h, l->pictures->w, false, 0, error) : NULL;
    picture *p = d != NULL ? decoder_run(d, latents, NULL, error) : NULL;

    decoder_free(d);
    autoencoder_free(a);
    return p;
}
