/* Editing one picture (Han et al. 2023, single-image editing):
 *
 *   learn     its shifts with its plain description, unless they are kept
 *   move      it, where the target names a place for its subject (edit_target.h)
 *   invert    latents z of the picture -> noise x, by DDIM run backwards with the shifts, at
 *             guidance 1, under the target (or the description)
 *   start     slerp(alpha; x, fresh noise)
 *   sample    DDIM with eta and guidance under the target
 *
 * Without inversion the start is fresh noise. z is the autoencoder's mean, so that what is inverted
 * does not depend on a seed, and perhaps corrected through the decoder (latent_fit.h). */
#include "engine/edit/edit_check.h"
#include "engine/edit/edit_models.h"
#include "engine/edit/edit_shift.h"

#include "engine/generate/decode.h"
#include "engine/generate/denoise.h"
#include "engine/base/noise.h"
#include "engine/picture/paint_area.h"
#include "engine/generate/painter.h"
#include "engine/picture/picture_fill.h"
#include "engine/picture/picture_origin.h"
#include "engine/picture/picture_scale.h"
#include "engine/generate/latent_fit.h"
#include "engine/generate/preview.h"
#include "engine/generate/slerp.h"

#include <string.h>

// the components whose weights are there at once
#define EDITING (1u << MODEL_UNET | 1u << MODEL_VAE)

struct editor {
    svdiff *session;
    const struct svdiff_edit_options *options;
    struct edit_target *targets;
    GPtrArray *texts; // all that is embedded; the first is the negative prompt
    struct edit_models models;
    char *shift;
    picture *image, *opaque;
    int width, height, h, w, c;
    enum place place; // where the picture was put before it was encoded; PLACES: nowhere
    float *latents;   // [h, w, c] of the picture; NULL: not yet
    float *inverted;  // [h, w, c] the noise that they become; NULL: not yet
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
    if (picture_warning(e->image) != NULL) {
        session_warn(e->session, "%s", picture_warning(e->image));
    }
    e->width = e->options->width;
    e->height = e->options->height;
    paint_area_size(e->image->width, e->image->height, MAX(factor, 8), &e->width, &e->height);
    e->h = e->height / factor;
    e->w = e->width / factor;
    e->c = vae->latent_channels;
    return true;
}

static bool open_targets(struct editor *e, GError **error)
{
    const struct svdiff_edit_options *o = e->options;

    e->targets = g_new0(struct edit_target, o->n_targets);
    e->texts = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(e->texts, g_strdup(o->negative));
    for (int i = 0; i < o->n_targets; i++) {
        struct edit_target *t = &e->targets[i];
        if (!edit_target_open(t, o->prompt, o->targets[i], e->h, e->w, e->texts, error)) {
            return false;
        }
        if (edit_target_has_places(t)) {
            session_note(e->session, "The picture's subject is '%s'; beside it comes '%s'.",
                         t->places[0].text, t->places[1].text);
        }
    }
    return true;
}

static bool any_places(const struct editor *e)
{
    for (int i = 0; i < e->options->n_targets; i++) {
        if (edit_target_has_places(&e->targets[i])) {
            return true;
        }
    }
    return false;
}

static bool open_models(struct editor *e, progress_function progress, void *user, GError **error)
{
    const struct painter painter = {.session = e->session, .progress = progress, .user = user};
    const bool places = any_places(e);

    // before anything is learned
    if (!session_check_unets(e->session, places ? EDIT_MODELS : 1, error)) {
        return false;
    }
    e->shift = edit_shift_ready(e->session, e->options, progress, user, error);
    return e->shift != NULL &&
           edit_models_open(&e->models, &painter, places, e->shift, e->options->force, error) &&
           edit_models_embed(&e->models, e->texts, error) &&
           edit_models_networks(&e->models, error);
}

static bool prepare_drawing(struct editor *e, GError **error)
{
    struct denoise *d = &e->denoise;

    d->k = e->session->k;
    d->h = e->h;
    d->w = e->w;
    d->c = e->c;
    d->guidance = e->options->guidance;
    e->decoder = decoder_create(d->k, edit_models_autoencoder(&e->models), e->h, e->w, error);
    if (e->decoder != NULL && e->options->preview != NULL) {
        d->preview = preview_create(e->session, e->decoder, e->h, e->w, e->options->preview, error);
        return d->preview != NULL;
    }
    return e->decoder != NULL;
}

/* ---- the picture ---- */

// without inversion nothing begins with them
static bool fit_latents(struct editor *e, const picture *image, GError **error)
{
    const struct latent_fit f = {.k = e->session->k,
                                 .a = edit_models_autoencoder(&e->models),
                                 .steps = e->options->fit,
                                 .progress = e->denoise.progress,
                                 .user = e->denoise.user};

    return f.steps == 0 || !e->options->invert ||
           latent_fit(&f, image, e->width, e->height, e->latents, error);
}

static bool encode_image(struct editor *e, const picture *image, GError **error)
{
    e->latents = encode_picture(e->session->k, edit_models_autoencoder(&e->models), image, e->width,
                                e->height, NULL, error);
    return e->latents != NULL && fit_latents(e, image, error);
}

static picture *moved_image(const struct editor *e, const struct edit_target *t, GError **error)
{
    const bool has_alpha = e->image->channels == 4;
    g_autoptr(picture) alpha = has_alpha ? picture_alpha(e->image, error) : NULL;

    return alpha != NULL || !has_alpha ? edit_target_move(t, e->opaque, alpha, error) : NULL;
}

// the latents that a target begins with; they stay for the next one where they are the same
static bool arrange(struct editor *e, const struct edit_target *t, GError **error)
{
    const enum place place = t->moves ? t->places[0].place : PLACES;

    if (e->latents != NULL && e->place == place) {
        return true;
    }
    g_clear_pointer(&e->latents, g_free);
    g_clear_pointer(&e->inverted, g_free);
    e->place = place;
    g_autoptr(picture) moved = t->moves ? moved_image(e, t, error) : NULL;
    // of the first target, as all of the trace
    if (moved != NULL && e->trace != NULL && t == e->targets) {
        trace_add_image(e->trace, moved->pixels, 1, moved->height, moved->width, 3, "moved");
    }
    return (moved != NULL || !t->moves) && encode_image(e, t->moves ? moved : e->opaque, error);
}

/* ---- a run ---- */

// d for what a target is drawn, or the picture inverted, with
static void set_run(struct denoise *d, const struct edit_run *r)
{
    d->parts = r->parts;
    d->n_parts = r->n_parts;
    d->guide = r->guide;
}

// [1 or 2, tokens, width] of each model: of the prompt alone, or without and with it
static void trace_texts(struct trace *trace, const struct denoise *d, const char *name, bool both)
{
    for (int i = 0; i < d->n_parts; i++) {
        const struct conditioning *c = d->parts[i].text;
        const int64_t shape[] = {both ? 2 : 1, c->tokens, c->width};
        const float *text = c->context + (both ? 0 : (size_t)c->tokens * c->width);
        if (i == 0) {
            trace_add(trace, text, shape, 3, "%s", name);
        } else {
            trace_add(trace, text, shape, 3, "%s.%d", name, i);
        }
    }
}

static void trace_regions(struct trace *trace, const struct edit_target *t)
{
    const struct attention_regions *r = &t->regions.list;

    if (r->n > 0) {
        trace_add(trace, r->masks, (const int64_t[]){1, r->n, r->h, r->w}, 4, "regions");
    }
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

static bool invert(struct editor *e, const struct edit_run *r, struct trace *trace, GError **error)
{
    const size_t count = (size_t)e->h * e->w * e->c;
    g_autoptr(sampler) s = make_sampler(e, SAMPLER_DDIM_INVERSE, 0, error);
    g_autoptr(sampler) undo = s != NULL ? make_sampler(e, SAMPLER_DDIM, 0, error) : NULL;
    struct denoise d = e->denoise;

    if (undo == NULL) {
        return false;
    }
    g_free(e->inverted);
    e->inverted = g_memdup2(e->latents, count * sizeof *e->latents);
    set_run(&d, r);
    d.sampler = s;
    d.guidance = 1;
    d.inverts = true;
    d.refine = e->options->refine;
    d.undo = undo;
    d.preview = NULL;
    d.phase = "invert";
    d.trace = trace;
    if (trace != NULL) {
        trace_timesteps(e, s, "inversion_timesteps");
        trace_texts(trace, &d, "inversion_embeddings", false);
    }
    return denoise_run(&d, e->tape, 0, e->inverted, error);
}

// under the description once for each place, under each target anew
static bool invert_for(struct editor *e, int index, GError **error)
{
    const bool source = e->options->invert_source;
    struct edit_run r = {0};

    if (!e->options->invert || (source && e->inverted != NULL)) {
        return true;
    }
    edit_run_prepare(&r, &e->models, &e->targets[index], source ? EDIT_SOURCE : EDIT_TARGET);
    const bool done = invert(e, &r, index == 0 ? e->trace : NULL, error);
    edit_run_clear(&r);
    return done;
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

// in the picture's size, with its alpha; what comes beside it would be clear
static picture *fit_image(const struct editor *e, const picture *drawn, bool with_alpha,
                          GError **error)
{
    g_autoptr(picture) scaled = picture_resize(drawn, e->image->width, e->image->height, error);

    if (scaled == NULL || e->image->channels == 3 || !with_alpha) {
        return g_steal_pointer(&scaled);
    }
    g_autoptr(picture) alpha = picture_alpha(e->image, error);
    return alpha != NULL ? picture_with_alpha(scaled, alpha, error) : NULL;
}

static picture *finish(const struct editor *e, const picture *drawn, bool with_alpha,
                       GError **error)
{
    picture *out = fit_image(e, drawn, with_alpha, error);

    if (out != NULL) {
        out->origin = picture_origin_depth(e->image->origin);
    }
    return out;
}

static bool draw(struct editor *e, const struct edit_target *t, int index, svdiff_take take,
                 GError **error)
{
    const uint64_t seed = e->options->seed + (uint64_t)(index % e->options->count);
    g_autofree float *latents = g_new(float, (size_t)e->h * e->w * e->c);
    g_autoptr(sampler) s = make_sampler(e, SAMPLER_DDIM, e->options->eta, error);
    struct denoise *d = &e->denoise;

    if (s == NULL) {
        return false;
    }
    d->sampler = s;
    d->phase = "edit";
    d->trace = index == 0 ? e->trace : NULL;
    if (d->trace != NULL) {
        trace_timesteps(e, s, "timesteps");
        trace_regions(d->trace, t);
        trace_texts(d->trace, d, "text_embeddings", true);
    }
    start(e, seed, d->trace, latents);
    if (!denoise_run(d, e->tape, seed, latents, error)) {
        return false;
    }
    g_autoptr(picture) drawn = decoder_run(e->decoder, latents, d->trace, error);
    g_autoptr(picture) p =
        drawn != NULL ? finish(e, drawn, !edit_target_has_places(t), error) : NULL;
    return p != NULL && take(d->user, index, seed, p, error);
}

// all pictures of a target; the tape is sized for what this one is drawn with
static bool draw_target(struct editor *e, int target, svdiff_take take, GError **error)
{
    const struct edit_target *t = &e->targets[target];
    const int count = e->options->count;
    struct edit_run r = {0};

    if (!arrange(e, t, error)) {
        return false;
    }
    if (target == 0) {
        trace_add_image(e->trace, e->latents, 1, e->h, e->w, e->c, "init_latents");
    }
    edit_run_prepare(&r, &e->models, t, EDIT_TARGET);
    set_run(&e->denoise, &r);
    tape_free(e->tape);
    // the weights stay as they are: inversion and sampling differ in their batch
    e->tape = denoise_tape(&e->denoise, error);
    bool done = e->tape != NULL && invert_for(e, target, error);
    for (int i = 0; i < count && done; i++) {
        done = draw(e, t, target * count + i, take, error);
    }
    edit_run_clear(&r);
    return done;
}

static bool draw_all(struct editor *e, svdiff_take take, GError **error)
{
    for (int target = 0; target < e->options->n_targets; target++) {
        if (!draw_target(e, target, take, error)) {
            return false;
        }
    }
    return true;
}

/* ---- all of it ---- */

static void editor_finish(struct editor *e)
{
    edit_models_finish(&e->models);
    for (int i = 0; i < e->options->n_targets && e->targets != NULL; i++) {
        edit_target_finish(&e->targets[i]);
    }
    preview_free(e->denoise.preview);
    decoder_free(e->decoder);
    tape_free(e->tape);
    trace_free(e->trace);
    picture_free(e->image);
    picture_free(e->opaque);
    g_free(e->shift);
    g_free(e->targets);
    g_clear_pointer(&e->texts, g_ptr_array_unref);
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
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));
    struct editor e = {
        .session = s,
        .options = options,
        .denoise = {.progress = progress, .user = user},
        .trace = options->trace != NULL ? trace_create() : NULL,
    };

    const bool done = edit_check(options, MAX(factor, 8), error) && session_check_plain(s, error) &&
                      check_samplers(&e, error) && read_image(&e, error) &&
                      session_check_memory(s, EDITING, false, error) && open_targets(&e, error) &&
                      open_models(&e, progress, user, error) && prepare_drawing(&e, error) &&
                      draw_all(&e, take, error) &&
                      (e.trace == NULL || trace_write(e.trace, options->trace, error));
    editor_finish(&e);
    return done;
}
