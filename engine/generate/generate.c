/* Generating: text to picture, and picture to picture.
 *
 *   subjects -> weights as they are read -> text embeddings -> per picture: noise, sampler, decoder
 *
 * The text encoder is gone before the UNet comes. Picture k has seed + k whatever else is asked
 * for, because its noise is a function of that seed alone. */
#include "engine/session.h"

#include "engine/generate/decode.h"
#include "engine/generate/denoise.h"
#include "engine/generate/generate_check.h"
#include "engine/generate/paint_sets.h"
#include "engine/generate/preview.h"
#include "engine/generate/start.h"

// the components whose weights are there at once
#define GENERATING (1u << MODEL_UNET | 1u << MODEL_VAE)

struct generator {
    svdiff *session;
    const struct svdiff_generate_options *options;
    struct paint_sets painters;
    struct start start;
    struct regions regions;
    struct trace *trace;
    progress_function progress;
    void *user;
};

// the models and the regions that they are for
static bool open_sets(struct generator *g, GError **error)
{
    const struct svdiff_generate_options *o = g->options;
    const struct painter painter = {
        .session = g->session, .progress = g->progress, .user = g->user};

    return regions_open(&g->regions, o->regions, o->n_regions, g->start.h, g->start.w, error) &&
           paint_sets_open(&g->painters, &painter, o, &g->regions, error);
}

// the first set's as such, those of others with their number
static bool prepare_text(struct generator *g, GError **error)
{
    if (!paint_sets_embed(&g->painters, g->options, error)) {
        return false;
    }
    const struct conditioning *first = &g->painters.sets[0].text;
    const int64_t shape[] = {first->n, first->tokens, first->width};
    trace_add(g->trace, first->context, shape, 3, "text_embeddings");
    for (int i = 1; i < g->painters.n; i++) {
        const float *context = g->painters.sets[i].text.context;
        trace_add(g->trace, context, shape, 3, "text_embeddings.%d", i);
    }
    return true;
}

static struct autoencoder *autoencoder_of(const struct generator *g)
{
    return g->painters.sets[0].painter.autoencoder;
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

/* ---- pictures ---- */

static void trace_timesteps(const struct sampler *s, struct trace *trace)
{
    const int first = sampler_first(s), n = sampler_steps(s) - first;
    g_autofree float *timesteps = g_new(float, n);

    for (int i = 0; i < n; i++) {
        timesteps[i] = (float)sampler_timestep(s, first + i);
    }
    trace_add(trace, timesteps, (const int64_t[]){n}, 1, "timesteps");
}

static bool one_picture(struct generator *g, struct denoise *d, struct tape *t,
                        struct decoder *decoder, int index, svdiff_take take, GError **error)
{
    const uint64_t seed = g->options->seed + (uint64_t)index;
    g_autofree float *latents = g_new(float, (size_t)g->start.h * g->start.w * g->start.c);
    struct sampler *s = make_sampler(g, error);

    if (s == NULL) {
        return false;
    }
    d->sampler = s;
    d->trace = index == 0 ? g->trace : NULL;
    trace_timesteps(s, d->trace);
    bool done = start_picture(&g->start, autoencoder_of(g), s, seed, d->trace, latents, error);
    d->init = g->start.init;
    d->noise = g->start.noise;
    d->more = g->start.more;
    done = done && denoise_run(d, t, seed, latents, error);
    sampler_free(s);
    if (!done) {
        return false;
    }
    g_autoptr(picture) p = decoder_run(decoder, latents, d->trace, error);
    p = p != NULL ? start_finish(&g->start, g_steal_pointer(&p), error) : NULL;
    return p != NULL && take(g->user, index, seed, p, error);
}

static bool all_pictures(struct generator *g, svdiff_take take, GError **error)
{
    struct denoise d = {.k = g->session->k,
                        .parts = g->painters.parts,
                        .n_parts = g->painters.n,
                        .guide = g->options->n_regions > 0 ? &g->regions.guide : NULL,
                        .h = g->start.h,
                        .w = g->start.w,
                        .c = g->start.c,
                        .more_c = g->start.more_c,
                        .mask = g->start.mask,
                        .guidance = g->options->guidance,
                        .phase = "generate",
                        .progress = g->progress,
                        .user = g->user};
    struct tape *t = denoise_tape(&d, error);
    struct decoder *decoder =
        t != NULL ? decoder_create(g->session->k, autoencoder_of(g), g->start.h, g->start.w, error)
                  : NULL;
    bool done = decoder != NULL;

    if (done && g->options->preview != NULL) {
        d.preview = preview_create(g->session, decoder, d.h, d.w, g->options->preview, error);
        done = d.preview != NULL;
    }
    for (int i = 0; i < g->options->count && done; i++) {
        done = one_picture(g, &d, t, decoder, i, take, error);
    }
    preview_free(d.preview);
    decoder_free(decoder);
    tape_free(t);
    return done;
}

static bool trace_regions(const struct generator *g)
{
    const struct attention_regions *r = &g->regions.list;

    if (r->n > 0) {
        trace_add(g->trace, r->masks, (const int64_t[]){1, r->n, r->h, r->w}, 4, "regions");
    }
    for (int i = 0; i < g->painters.n && g->painters.n > 1; i++) {
        trace_add(g->trace, g->painters.sets[i].weight, (const int64_t[]){1, 1, r->h, r->w}, 4,
                  "set_weight.%d", i);
    }
    return true;
}

static void generator_finish(struct generator *g)
{
    regions_finish(&g->regions);
    paint_sets_close(&g->painters);
    trace_free(g->trace);
    start_close(&g->start);
}

bool svdiff_generate(svdiff *s, const struct svdiff_generate_options *options, svdiff_take take,
                     progress_function progress, void *user, GError **error)
{
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));
    struct generator g = {.session = s,
                          .options = options,
                          .progress = progress,
                          .user = user,
                          .trace = options->trace != NULL ? trace_create() : NULL};

    const bool done =
        generate_check(options, MAX(factor, 8), error) && check_sampler(&g, error) &&
        start_prepare(&g.start, s, options, error) &&
        session_check_memory(s, GENERATING, false, error) && open_sets(&g, error) &&
        trace_regions(&g) && prepare_text(&g, error) &&
        paint_sets_networks(&g.painters, g.start.h, g.start.w, start_halves(&g.start), error) &&
        all_pictures(&g, take, error) &&
        (g.trace == NULL || trace_write(g.trace, options->trace, error));
    generator_finish(&g);
    return done;
}
