/* Generating: text to picture, and picture to picture.
 *
 *   subjects -> weights as they are read -> text embeddings -> per picture: noise, sampler, decoder
 *
 * The text encoder is gone before the UNet comes. Picture k has seed + k whatever else is asked
 * for, because its noise is a function of that seed alone. */
#include "engine/session.h"

#include "engine/bake.h"
#include "engine/decode.h"
#include "engine/denoise.h"
#include "engine/generate_check.h"
#include "engine/noise.h"
#include "engine/picture_scale.h"
#include "engine/subject_list.h"

#include <string.h>

// the components whose weights are there at once
#define GENERATING (1u << MODEL_UNET | 1u << MODEL_VAE)

struct generator {
    svdiff *session;
    const struct svdiff_generate_options *options;
    struct subject_list subjects;
    struct model_spectrum *spectrum;
    struct bake bake_text, bake_unet;
    struct unet *unet;
    struct autoencoder *autoencoder;
    float *text; // [2, tokens, width]
    int h, w, c; // latents
    float *init; // [h, w, c] latents of the picture to start from, or NULL
    struct trace *trace;
    progress_function progress;
    void *user;
};

/* ---- subjects ---- */

static bool prepare_subjects(struct generator *g, GError **error)
{
    const struct svdiff_generate_options *o = g->options;

    if (!subject_list_open(&g->subjects, g->session, o->subjects, o->n_subjects, o->force, error)) {
        return false;
    }
    if (o->n_subjects == 0) {
        return true;
    }
    g->spectrum = model_spectrum_open(g->session, g->progress, g->user, error);
    return g->spectrum != NULL;
}

static struct weight_source source_of(struct generator *g, struct bake *b, const char *prefix,
                                      struct session_component *c)
{
    *b = (struct bake){.k = g->session->k,
                       .inner = session_source(c),
                       .spectrum = g->spectrum,
                       .prefix = prefix,
                       .subjects = g->subjects.items,
                       .n_subjects = g->subjects.n};
    return g->options->n_subjects > 0 ? bake_source(b) : b->inner;
}

/* ---- text ---- */

struct texts {
    const struct text_encoder *encoder;
    int32_t *ids; // [2, tokens]
    float *out;   // NULL while measuring
};

static void encode_text(void *user, struct tape *t)
{
    const struct texts *x = user;
    struct tensor *y =
        text_encoder_forward(t, x->encoder, x->ids, 2, text_encoder_config(x->encoder)->positions);

    if (x->out != NULL) {
        tape_download(t, y, x->out);
    }
}

static bool both_ids(const struct generator *g, int tokens, int32_t *ids, GError **error)
{
    const char *const texts[] = {g->options->negative, g->options->prompt};

    for (int i = 0; i < 2; i++) {
        g_autofree int32_t *one = session_tokens(g->session, texts[i], error);
        if (one == NULL) {
            return false;
        }
        memcpy(ids + (size_t)i * tokens, one, (size_t)tokens * sizeof *ids);
    }
    return true;
}

static bool prepare_text(struct generator *g, GError **error)
{
    const struct text_config *c = checkpoint_text_config(g->session->checkpoint);
    struct session_component component = {g->session, MODEL_TEXT_ENCODER};
    g_autofree int32_t *ids = g_new(int32_t, 2 * (size_t)c->positions);

    if (!both_ids(g, c->positions, ids, error)) {
        return false;
    }
    struct text_encoder *e = text_encoder_create(
        g->session->k, c, source_of(g, &g->bake_text, "text_model.", &component), error);
    if (e == NULL) {
        return false;
    }
    struct texts x = {.encoder = e, .ids = ids};
    struct tape *t =
        tape_create_measured(g->session->k, (struct tape_options){0}, encode_text, &x, error);
    if (t != NULL) {
        g->text = x.out = g_new(float, 2 * (size_t)c->positions * c->width);
        encode_text(&x, t);
        trace_add(g->trace, g->text, (const int64_t[]){2, c->positions, c->width}, 3,
                  "text_embeddings");
    }
    tape_free(t);
    text_encoder_free(e);
    return g->text != NULL;
}

/* ---- networks and start ---- */

static bool open_networks(struct generator *g, GError **error)
{
    svdiff *s = g->session;
    struct session_component unet = {s, MODEL_UNET}, vae = {s, MODEL_VAE};
    const unsigned halves =
        AUTOENCODER_DECODER | (g->options->init != NULL ? AUTOENCODER_ENCODER : 0);

    g->unet = unet_create(s->k, checkpoint_unet_config(s->checkpoint),
                          source_of(g, &g->bake_unet, "", &unet), error);
    if (g->unet == NULL) {
        return false;
    }
    g->autoencoder = autoencoder_create(s->k, checkpoint_vae_config(s->checkpoint), halves,
                                        session_source(&vae), error);
    return g->autoencoder != NULL;
}

/* A sampler keeps the history of one picture: each picture has its own. */
static struct sampler *make_sampler(const struct generator *g, GError **error)
{
    const struct svdiff_generate_options *o = g->options;
    const struct sampler_options options = {
        .kind = o->sampler, .spacing = o->spacing, .steps = o->steps, .eta = o->eta};
    struct sampler *s =
        sampler_create(&options, checkpoint_schedule_config(g->session->checkpoint), error);

    if (s != NULL && o->init != NULL && !sampler_start(s, o->strength, error)) {
        sampler_free(s);
        return NULL;
    }
    return s;
}

static bool check_sampler(const struct generator *g, GError **error)
{
    struct sampler *s = make_sampler(g, error);
    const bool good = s != NULL;

    sampler_free(s);
    return good;
}

static bool encode_init(struct generator *g, GError **error)
{
    if (g->options->init == NULL) {
        return true;
    }
    const int64_t count = (int64_t)g->h * g->w * g->c;
    g_autofree float *noise = g_new(float, count);
    noise_normal(g->options->seed, NOISE_INIT_PICTURE, 0, noise, count);
    g->init = encode_picture(g->session->k, g->autoencoder, g->options->init, g->options->width,
                             g->options->height, noise, error);
    if (g->init != NULL) {
        trace_add_image(g->trace, g->init, 1, g->h, g->w, g->c, "init_latents");
    }
    return g->init != NULL;
}

/* ---- pictures ---- */

static void start_latents(const struct generator *g, const struct sampler *s, uint64_t seed,
                          struct trace *trace, float *latents)
{
    const int64_t count = (int64_t)g->h * g->w * g->c;
    g_autofree float *noise = g_new(float, count);

    noise_normal(seed, NOISE_INITIAL_LATENTS, 0, noise, count);
    trace_add_image(trace, noise, 1, g->h, g->w, g->c, "initial_noise");
    if (g->init != NULL) {
        sampler_add_noise(s, sampler_first(s), g->init, noise, latents, count);
        return;
    }
    const double scale = sampler_initial_scale(s);
    for (int64_t i = 0; i < count; i++) {
        latents[i] = (float)(scale * noise[i]);
    }
}

static void trace_timesteps(const struct sampler *s, struct trace *trace)
{
    const int first = sampler_first(s), n = sampler_steps(s) - first;
    g_autofree float *timesteps = g_new(float, n);

    for (int i = 0; i < n; i++) {
        timesteps[i] = (float)sampler_timestep(s, first + i);
    }
    trace_add(trace, timesteps, (const int64_t[]){n}, 1, "timesteps");
}

// the result in the size of the picture that it started from
static picture *finish(const struct generator *g, picture *p, GError **error)
{
    const picture *init = g->options->init;

    if (init == NULL || (init->width == p->width && init->height == p->height)) {
        return p;
    }
    picture *scaled = picture_resize(p, init->width, init->height, error);
    picture_free(p);
    return scaled;
}

static bool one_picture(struct generator *g, struct denoise *d, struct tape *t,
                        struct decoder *decoder, int index, svdiff_take take, GError **error)
{
    const uint64_t seed = g->options->seed + (uint64_t)index;
    g_autofree float *latents = g_new(float, (size_t)g->h * g->w * g->c);
    struct sampler *s = make_sampler(g, error);

    if (s == NULL) {
        return false;
    }
    d->sampler = s;
    d->trace = index == 0 ? g->trace : NULL;
    start_latents(g, s, seed, d->trace, latents);
    trace_timesteps(s, d->trace);
    const bool done = denoise_run(d, t, seed, latents, error);
    sampler_free(s);
    if (!done) {
        return false;
    }
    g_autoptr(picture) p = decoder_run(decoder, latents, d->trace, error);
    p = p != NULL ? finish(g, g_steal_pointer(&p), error) : NULL;
    return p != NULL && take(g->user, index, seed, p, error);
}

static bool all_pictures(struct generator *g, svdiff_take take, GError **error)
{
    const struct text_config *text = checkpoint_text_config(g->session->checkpoint);
    struct denoise d = {.k = g->session->k,
                        .unet = g->unet,
                        .text = g->text,
                        .tokens = text->positions,
                        .width = text->width,
                        .h = g->h,
                        .w = g->w,
                        .c = g->c,
                        .guidance = g->options->guidance,
                        .phase = "generate",
                        .progress = g->progress,
                        .user = g->user};
    g_autoptr(GHashTable) uses = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    struct tape *t = denoise_tape(&d, uses, error);
    const bool packed = t != NULL && network_pack(unet_network(g->unet), uses, error);
    struct decoder *decoder =
        packed ? decoder_create(g->session->k, g->autoencoder, g->h, g->w, error) : NULL;
    bool done = decoder != NULL;

    for (int i = 0; i < g->options->count && done; i++) {
        done = one_picture(g, &d, t, decoder, i, take, error);
    }
    decoder_free(decoder);
    tape_free(t);
    return done;
}

static void generator_finish(struct generator *g)
{
    subject_list_close(&g->subjects);
    model_spectrum_close(g->spectrum);
    unet_free(g->unet);
    autoencoder_free(g->autoencoder);
    trace_free(g->trace);
    g_free(g->text);
    g_free(g->init);
}

bool svdiff_generate(svdiff *s, const struct svdiff_generate_options *options, svdiff_take take,
                     progress_function progress, void *user, GError **error)
{
    const struct vae_config *vae = checkpoint_vae_config(s->checkpoint);
    const int factor = autoencoder_factor(vae);
    struct generator g = {.session = s,
                          .options = options,
                          .h = options->height / factor,
                          .w = options->width / factor,
                          .c = vae->latent_channels,
                          .progress = progress,
                          .user = user,
                          .trace = options->trace != NULL ? trace_create() : NULL};

    const bool done = generate_check(options, MAX(factor, 8), error) && check_sampler(&g, error) &&
                      session_check_memory(s, GENERATING, false, error) &&
                      prepare_subjects(&g, error) && prepare_text(&g, error) &&
                      open_networks(&g, error) && encode_init(&g, error) &&
                      all_pictures(&g, take, error) &&
                      (g.trace == NULL || trace_write(g.trace, options->trace, error));
    generator_finish(&g);
    return done;
}
