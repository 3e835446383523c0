/* Editing one picture (Han et al. 2023, single-image editing):
 *
 *   learn     its shifts with its plain description, unless they are kept
 *   invert    latents z of the picture -> noise x, by DDIM run backwards with the shifts, at
 *             guidance 1, under the target (or the description)
 *   start     slerp(alpha; x, fresh noise)
 *   sample    DDIM with eta and guidance under the target
 *
 * Without inversion the start is fresh noise. z is the autoencoder's mean, so that what is inverted
 * does not depend on a seed, and perhaps corrected through the decoder (latent_fit.h). */
#include "engine/edit/edit_check.h"
#include "engine/edit/edit_shift.h"

#include "engine/generate/decode.h"
#include "engine/generate/denoise.h"
#include "engine/base/noise.h"
#include "engine/picture/paint_area.h"
#include "engine/generate/painter.h"
#include "engine/picture/picture_fill.h"
#include "engine/picture/picture_scale.h"
#include "engine/generate/latent_fit.h"
#include "engine/generate/preview.h"
#include "engine/generate/slerp.h"

#include <string.h>

// the components whose weights are there at once
#define EDITING (1u << MODEL_UNET | 1u << MODEL_VAE)

enum { NEGATIVE, SOURCE, TARGETS }; // rows of the texts

struct editor {
    svdiff *session;
    const struct svdiff_edit_options *options;
    struct painter painter;
    char *shift;
    picture *image, *opaque;
    int width, height, h, w, c;
    float *text;     // [2 + targets, tokens, width]
    float *latents;  // [h, w, c] of the picture
    float *inverted; // [h, w, c] the noise that they become; NULL without inversion
    struct denoise denoise;
    struct tape *tape;
    struct decoder *decoder;
    struct trace *trace;
};

/* ---- preparing ---- */

static struct sampler *make_sampler(const struct editor *e, enum sampler_kind kind, double eta,
                                    GError **error)
{
    const struct sampler_options options = {.kind = kind, .steps = e->options->steps, .eta = eta};

    return sampler_create(&options, checkpoint_schedule_config(e->session->checkpoint), error);
}

static bool check_samplers(const struct editor *e, GError **error)
{
    g_autoptr(sampler) forwards = make_sampler(e, SAMPLER_DDIM, e->options->eta, error);
    g_autoptr(sampler) backwards = NULL;

    if (forwards != NULL && e->options->invert) {
        backwards = make_sampler(e, SAMPLER_DDIM_INVERSE, 0, error);
    }
    return forwards != NULL && (!e->options->invert || backwards != NULL);
}

static bool read_image(struct editor *e, GError **error)
{
    const struct vae_config *vae = checkpoint_vae_config(e->session->checkpoint);
    const int factor = autoencoder_factor(vae);

    e->image = picture_read(e->options->image, 8, error);
    e->opaque = e->image != NULL ? picture_opaque(e->image, error) : NULL;
    if (e->opaque == NULL) {
        return false;
    }
    e->width = e->options->width;
    e->height = e->options->height;
    paint_area_size(e->image->width, e->image->height, MAX(factor, 8), &e->width, &e->height);
    e->h = e->height / factor;
    e->w = e->width / factor;
    e->c = vae->latent_channels;
    return true;
}

static bool open_subject(struct editor *e, progress_function progress, void *user, GError **error)
{
    e->shift = edit_shift_ready(e->session, e->options, progress, user, error);
    if (e->shift == NULL) {
        return false;
    }
    const struct svdiff_scaled_subject subject = {.file = e->shift, .scale = 1};
    return painter_open(&e->painter, &subject, 1, false, error);
}

static bool embed(struct editor *e, GError **error)
{
    const int n = TARGETS + e->options->n_targets;
    g_autofree const char **texts = g_new(const char *, n);

    texts[NEGATIVE] = e->options->negative;
    texts[SOURCE] = e->options->prompt;
    memcpy(texts + TARGETS, e->options->targets, e->options->n_targets * sizeof *texts);
    e->text = painter_embed(&e->painter, texts, n, error);
    return e->text != NULL;
}

// without inversion nothing begins with them
static bool fit_latents(struct editor *e, GError **error)
{
    const struct latent_fit f = {.k = e->session->k,
                                 .a = e->painter.autoencoder,
                                 .steps = e->options->fit,
                                 .progress = e->denoise.progress,
                                 .user = e->denoise.user};

    return f.steps == 0 || !e->options->invert ||
           latent_fit(&f, e->opaque, e->width, e->height, e->latents, error);
}

static bool encode_image(struct editor *e, GError **error)
{
    e->latents = encode_picture(e->session->k, e->painter.autoencoder, e->opaque, e->width,
                                e->height, NULL, error);
    if (e->latents == NULL || !fit_latents(e, error)) {
        return false;
    }
    trace_add_image(e->trace, e->latents, 1, e->h, e->w, e->c, "init_latents");
    return true;
}

static bool prepare_drawing(struct editor *e, GError **error)
{
    struct denoise *d = &e->denoise;

    d->k = e->session->k;
    d->unet = e->painter.unet;
    d->text = e->text;
    d->h = e->h;
    d->w = e->w;
    d->c = e->c;
    d->guidance = e->options->guidance;
    // the weights stay as they are: inversion and sampling differ in their batch
    e->tape = denoise_tape(d, NULL, error);
    e->decoder =
        e->tape != NULL ? decoder_create(d->k, e->painter.autoencoder, e->h, e->w, error) : NULL;
    if (e->decoder != NULL && e->options->preview != NULL) {
        d->preview = preview_create(e->session, e->decoder, e->h, e->w, e->options->preview, error);
        return d->preview != NULL;
    }
    return e->decoder != NULL;
}

/* ---- texts of a run ---- */

static size_t text_size(const struct editor *e)
{
    return (size_t)e->denoise.tokens * e->denoise.width;
}

// [2, tokens, width]: without, then with the text of this row
static float *pair_of(const struct editor *e, int row)
{
    const size_t size = text_size(e);
    float *pair = g_new(float, 2 * size);

    memcpy(pair, e->text + NEGATIVE * size, size * sizeof *pair);
    memcpy(pair + size, e->text + row * size, size * sizeof *pair);
    return pair;
}

static void trace_timesteps(const struct editor *e, const struct sampler *s, const char *name)
{
    const int n = sampler_steps(s);
    g_autofree float *timesteps = g_new(float, n);

    for (int i = 0; i < n; i++) {
        timesteps[i] = (float)sampler_timestep(s, i);
    }
    trace_add(e->trace, timesteps, (const int64_t[]){n}, 1, "%s", name);
}

/* ---- inversion ---- */

static bool invert(struct editor *e, int row, struct trace *trace, GError **error)
{
    const size_t count = (size_t)e->h * e->w * e->c;
    g_autofree float *pair = pair_of(e, row);
    g_autoptr(sampler) s = make_sampler(e, SAMPLER_DDIM_INVERSE, 0, error);
    g_autoptr(sampler) undo = s != NULL ? make_sampler(e, SAMPLER_DDIM, 0, error) : NULL;
    struct denoise d = e->denoise;

    if (undo == NULL) {
        return false;
    }
    g_free(e->inverted);
    e->inverted = g_memdup2(e->latents, count * sizeof *e->latents);
    d.sampler = s;
    d.text = pair;
    d.guidance = 1;
    d.inverts = true;
    d.refine = e->options->refine;
    d.undo = undo;
    d.preview = NULL;
    d.phase = "invert";
    d.trace = trace;
    if (trace != NULL) {
        trace_timesteps(e, s, "inversion_timesteps");
        trace_add(trace, pair + text_size(e), (const int64_t[]){1, d.tokens, d.width}, 3,
                  "inversion_embeddings");
    }
    return denoise_run(&d, e->tape, 0, e->inverted, error);
}

// under the description once, under each target anew
static bool invert_for(struct editor *e, int target, GError **error)
{
    if (!e->options->invert || (e->options->invert_source && e->inverted != NULL)) {
        return true;
    }
    return invert(e, e->options->invert_source ? SOURCE : TARGETS + target,
                  target == 0 ? e->trace : NULL, error);
}

/* ---- drawing ---- */

// latents [h, w, c] that sampling begins with
static void start(const struct editor *e, uint64_t seed, struct trace *trace, float *latents)
{
    const int64_t count = (int64_t)e->h * e->w * e->c;

    noise_normal(seed, e->options->invert ? NOISE_FRESH : NOISE_INITIAL_LATENTS, 0, latents, count);
    trace_add_image(trace, latents, 1, e->h, e->w, e->c, "initial_noise");
    if (e->options->invert) {
        trace_add_image(trace, latents, 1, e->h, e->w, e->c, "fresh_noise");
        slerp(e->options->noise, e->inverted, latents, latents, count);
        trace_add_image(trace, latents, 1, e->h, e->w, e->c, "start_latents");
    }
}

// in the picture's size, with its alpha
static picture *finish(const struct editor *e, const picture *drawn, GError **error)
{
    g_autoptr(picture) scaled = picture_resize(drawn, e->image->width, e->image->height, error);

    if (scaled == NULL || e->image->channels == 3) {
        return g_steal_pointer(&scaled);
    }
    g_autoptr(picture) alpha = picture_alpha(e->image, error);
    return alpha != NULL ? picture_with_alpha(scaled, alpha, error) : NULL;
}

static bool draw(struct editor *e, const float *pair, int index, svdiff_take take, GError **error)
{
    const uint64_t seed = e->options->seed + (uint64_t)(index % e->options->count);
    g_autofree float *latents = g_new(float, (size_t)e->h * e->w * e->c);
    g_autoptr(sampler) s = make_sampler(e, SAMPLER_DDIM, e->options->eta, error);
    struct denoise *d = &e->denoise;

    if (s == NULL) {
        return false;
    }
    d->sampler = s;
    d->text = pair;
    d->phase = "edit";
    d->trace = index == 0 ? e->trace : NULL;
    if (d->trace != NULL) {
        trace_timesteps(e, s, "timesteps");
        trace_add(d->trace, pair, (const int64_t[]){2, d->tokens, d->width}, 3, "text_embeddings");
    }
    start(e, seed, d->trace, latents);
    if (!denoise_run(d, e->tape, seed, latents, error)) {
        return false;
    }
    g_autoptr(picture) drawn = decoder_run(e->decoder, latents, d->trace, error);
    g_autoptr(picture) p = drawn != NULL ? finish(e, drawn, error) : NULL;
    return p != NULL && take(d->user, index, seed, p, error);
}

static bool draw_all(struct editor *e, svdiff_take take, GError **error)
{
    const int count = e->options->count;

    for (int target = 0; target < e->options->n_targets; target++) {
        g_autofree float *pair = pair_of(e, TARGETS + target);
        if (!invert_for(e, target, error)) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            if (!draw(e, pair, target * count + i, take, error)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- all of it ---- */

static void editor_finish(struct editor *e)
{
    painter_finish(&e->painter);
    preview_free(e->denoise.preview);
    decoder_free(e->decoder);
    tape_free(e->tape);
    trace_free(e->trace);
    picture_free(e->image);
    picture_free(e->opaque);
    g_free(e->shift);
    g_free(e->text);
    g_free(e->latents);
    g_free(e->inverted);
}

void svdiff_edit_structure(struct svdiff_edit_options *o, double structure)
{
    o->invert = structure > 0;
    o->eta = o->noise = 1 - structure;
}

bool svdiff_edit(svdiff *s, const struct svdiff_edit_options *options, svdiff_take take,
                 progress_function progress, void *user, GError **error)
{
    const struct text_config *text = checkpoint_text_config(s->checkpoint);
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));
    struct editor e = {
        .session = s,
        .options = options,
        .painter = {.session = s, .progress = progress, .user = user},
        .denoise = {.tokens = text->positions,
                    .width = text->width,
                    .progress = progress,
                    .user = user},
        .trace = options->trace != NULL ? trace_create() : NULL,
    };

    const bool done =
        edit_check(options, MAX(factor, 8), error) && session_check_plain(s, error) &&
        check_samplers(&e, error) && read_image(&e, error) &&
        session_check_memory(s, EDITING, false, error) && open_subject(&e, progress, user, error) &&
        embed(&e, error) &&
        painter_networks(&e.painter, AUTOENCODER_ENCODER | AUTOENCODER_DECODER, error) &&
        encode_image(&e, error) && prepare_drawing(&e, error) && draw_all(&e, take, error) &&
        (e.trace == NULL || trace_write(e.trace, options->trace, error));
    editor_finish(&e);
    return done;
}
