/* Drawing pictures under scenes; see drawing.h. */
#include "engine/generate/drawing.h"

// the components whose weights are there at once
#define DRAWING (1u << MODEL_UNET | 1u << MODEL_VAE)

void drawing_create(struct drawing *d, svdiff *s, const struct svdiff_generate_options *options,
                    const char *phase, svdiff_take take, progress_function progress, void *user)
{
    *d = (struct drawing){.session = s,
                          .options = options,
                          .pictures = options->count,
                          .denoise = {.phase = phase, .progress = progress, .user = user},
                          .trace = options->trace != NULL ? trace_create() : NULL,
                          .take = take};
    // first of all, so that finishing works whatever fails
    paint_sets_create(&d->sets);
}

void drawing_finish(struct drawing *d)
{
    preview_free(d->denoise.preview);
    decoder_free(d->decoder);
    tape_free(d->tape);
    paint_sets_close(&d->sets);
    trace_free(d->trace);
    start_close(&d->start);
}

struct sampler *drawing_sampler(const struct drawing *d, enum sampler_kind kind, double eta,
                                GError **error)
{
    const struct svdiff_generate_options *o = d->options;
    const struct sampler_options options = {.kind = kind,
                                            .spacing = o->spacing,
                                            .timesteps = o->timesteps,
                                            .steps = o->steps,
                                            .eta = eta,
                                            .zero_snr = o->zero_snr};
    g_autoptr(sampler) s =
        sampler_create(&options, checkpoint_schedule_config(d->session->checkpoint), error);

    // the strength leaves the first steps out
    if (s != NULL && o->init != NULL && !sampler_start(s, o->strength, error)) {
        return NULL;
    }
    return g_steal_pointer(&s);
}

bool drawing_prepare(struct drawing *d, GError **error)
{
    g_autoptr(sampler) s = drawing_sampler(d, d->options->sampler, d->options->eta, error);

    // made and thrown away: options that this model's sampler cannot follow are refused in time
    return s != NULL && start_prepare(&d->start, d->session, d->options, error);
}

bool drawing_check_memory(const struct drawing *d, GError **error)
{
    return session_check_memory(d->session, DRAWING, false, error) &&
           session_check_unets(d->session, (int)d->sets.sets->len, error);
}

/* ---- opening ---- */

struct autoencoder *drawing_autoencoder(const struct drawing *d)
{
    // the subjects never change it, so that one does for all sets
    return paint_sets_at(&d->sets, 0)->painter.autoencoder;
}

/* Nothing is drawn after the last picture: its decoding gets the UNets' memory, unless they are kept
 * for the next call. */
static bool lets_go(const struct drawing *d)
{
    return !d->session->keeps;
}

static bool open_decoder(struct drawing *d, GError **error)
{
    struct denoise *n = &d->denoise;
    const char *preview = d->options->preview;

    n->h = d->start.h;
    n->w = d->start.w;
    n->c = d->start.c;
    n->more_c = d->start.more_c;
    n->mask = d->start.mask;
    n->wraps = d->options->tile;
    n->guidance = d->options->guidance;
    n->rescale = d->options->guidance_rescale;
    // a single picture is decoded with the UNets gone; a preview or the first of several, beside them
    const bool alone = d->pictures <= session_shares(d->session) && preview == NULL && lets_go(d);
    const size_t freed = alone ? paint_sets_unet_bytes(&d->sets) : 0;

    // measured now: a lack of memory is told before the first step, not after the last
    d->decoder = decoder_create(
        n->k, drawing_autoencoder(d), n->h, n->w,
        (d->session->tiled ? DECODER_TILED : 0) | (n->wraps ? DECODER_WRAPS : 0), freed, error);
    if (d->decoder != NULL && preview != NULL) {
        n->preview = preview_create(d->session, d->decoder, n->h, n->w, preview, error);
    }
    return d->decoder != NULL && (preview == NULL || n->preview != NULL);
}

static struct painter_parts parts_of(const struct svdiff_generate_options *o)
{
    return (struct painter_parts){.subjects = o->subjects,
                                  .n_subjects = o->n_subjects,
                                  .adapters = o->adapters,
                                  .n_adapters = o->n_adapters,
                                  .embeddings = o->embeddings,
                                  .n_embeddings = o->n_embeddings,
                                  .force = o->force};
}

bool drawing_check_brought(const struct drawing *d, GError **error)
{
    struct painter painter = {.session = d->session};
    struct painter_parts parts = parts_of(d->options);

    if (parts.n_adapters + parts.n_embeddings == 0) {
        return true;
    }
    parts.n_subjects = 0;
    const bool good = painter_open(&painter, &parts, error);
    painter_finish(&painter);
    return good;
}

bool drawing_open(struct drawing *d, struct scene *scenes, int n, GError **error)
{
    const struct svdiff_generate_options *o = d->options;
    // what each set's painter begins as
    const struct painter painter = {.session = d->session,
                                    .clip_skip = o->clip_skip,
                                    .progress = d->denoise.progress,
                                    .user = d->denoise.user};
    const struct painter_parts parts = parts_of(o);

    // another one than when the drawing was created, where that gave way: of what came before, an edit learns
    d->denoise.k = d->session->k;
    // texts before networks: the text encoder and the UNet are never in memory together
    if (!drawing_check_memory(d, error) || !paint_sets_open(&d->sets, &painter, &parts, error) ||
        !paint_sets_embed(&d->sets, error) ||
        !paint_sets_networks(&d->sets, d->start.h, d->start.w, start_halves(&d->start), error)) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        scene_prepare(&scenes[i], &d->sets);
    }
    return open_decoder(d, error);
}

bool drawing_under(struct drawing *d, const struct scene *scene, GError **error)
{
    d->scene = scene;
    scene_use(scene, &d->denoise);
    // another scene may have more texts or regions, which need a larger tape
    tape_free(d->tape);
    d->tape = denoise_tape(&d->denoise, error);
    return d->tape != NULL;
}

/* ---- pictures ---- */

void drawing_trace_timesteps(struct trace *trace, const struct sampler *s, const char *name)
{
    const int first = sampler_first(s), n = sampler_steps(s) - first;
    g_autofree float *timesteps = g_new(float, n);

    for (int i = 0; i < n; i++) {
        // Euler's lie between whole ones
        timesteps[i] = (float)sampler_timestep(s, first + i);
    }
    trace_add(trace, timesteps, (const int64_t[]){n}, 1, "%s", name);
}

static void trace_scene(const struct drawing *d, const struct sampler *s)
{
    drawing_trace_timesteps(d->denoise.trace, s, "timesteps");
    scene_trace(d->scene, d->denoise.trace);
    scene_trace_texts(d->scene, d->denoise.trace, "text_embeddings", 0);
}

static void let_go(struct drawing *d)
{
    g_clear_pointer(&d->tape, tape_free);
    paint_sets_drop_unets(&d->sets);
}

// latents [h, w, c] of the picture
static bool sample(struct drawing *d, uint64_t seed, float *latents, GError **error)
{
    struct denoise *n = &d->denoise;
    struct torch_noise torch;
    struct draws draws = {.seed = seed};

    if (d->options->noise == SVDIFF_NOISE_TORCH) {
        torch_noise_seed(&torch, seed);
        draws.torch = &torch;
    }
    if (!start_picture(&d->start, drawing_autoencoder(d), n->sampler, &draws, n->trace, latents,
                       error)) {
        return false;
    }
    n->init = d->start.init;
    n->noise = d->start.noise;
    n->more = d->start.more;
    return denoise_run(n, d->tape, &draws, latents, error);
}

bool drawing_picture(struct drawing *d, int index, uint64_t seed, GError **error)
{
    struct denoise *n = &d->denoise;
    g_autofree float *latents = g_new(float, (size_t)n->h * n->w * n->c);
    // it keeps the history of one picture
    g_autoptr(sampler) s = drawing_sampler(d, d->options->sampler, d->options->eta, error);

    if (s == NULL) {
        return false;
    }
    n->sampler = s;
    // one picture is enough to hold the engine against another
    n->trace = index == 0 ? d->trace : NULL;
    trace_scene(d, s);
    const bool sampled = sample(d, seed, latents, error);
    n->sampler = NULL; // it ends here, the drawing does not
    if (!sampled) {
        return false;
    }
    if (index + session_shares(d->session) >= d->pictures && lets_go(d)) {
        let_go(d);
    }
    g_autoptr(picture) p = decoder_run(d->decoder, latents, n->trace, error);
    p = p != NULL ? start_finish(&d->start, g_steal_pointer(&p), error) : NULL;
    return p != NULL && d->take(n->user, index, seed, p, error);
}

bool drawing_write_trace(const struct drawing *d, GError **error)
{
    return d->trace == NULL || trace_write(d->trace, d->options->trace, error);
}
