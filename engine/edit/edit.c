/* Editing one picture (Han et al. 2023, single-image editing):
 *
 *   learn     its shifts with its plain description, unless they are kept
 *   move      it, where the target names a place for its subject (edit_target.h)
 *   invert    latents z of the picture -> noise x, by DDIM run backwards with the shifts, at
 *             guidance 1, under the target (or the description)
 *   generate  from slerp(alpha; x, fresh noise), by DDIM with eta and guidance under the target
 *             (drawing.h)
 *
 * Without inversion the start is fresh noise. z is the autoencoder's mean, so that what is inverted
 * does not depend on a seed, and perhaps corrected through the decoder (latent_fit.h). */
#include "engine/edit/edit_check.h"
#include "engine/edit/edit_fit.h"
#include "engine/edit/edit_shift.h"
#include "engine/edit/edit_target.h"
#include "engine/generate/drawing.h"
#include "engine/generate/latent_fit.h"
#include "engine/picture/paint_area.h"
#include "engine/picture/picture_fill.h"

struct editor {
    const struct svdiff_edit_options *options;
    struct svdiff_generate_options draw;  // how each target is drawn
    struct svdiff_scaled_subject learned; // what was learned of the picture
    struct drawing drawing;
    struct edit_target *targets;
    struct scene *scenes; // of each target, then of each for the inversion if that has its own
    int n_scenes;
    picture *image, *opaque;
    enum place place; // where the picture was put before it was encoded; PLACES: nowhere
    float *latents;   // [h, w, c] of the picture; NULL: not yet
    float *inverted;  // [h, w, c] the noise that they become; NULL: not yet
};

// what is drawn at once
static const struct start *area(const struct editor *e)
{
    return &e->drawing.start;
}

/* ---- preparing ---- */

static bool read_image(struct editor *e, GError **error)
{
    svdiff *s = e->drawing.session;
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));

    e->image = picture_read(e->options->image, 8, error);
    e->opaque = e->image != NULL ? picture_opaque(e->image, error) : NULL;
    if (e->opaque == NULL) {
        return false;
    }
    if (picture_warning(e->image) != NULL) {
        session_warn(s, "%s", picture_warning(e->image));
    }
    paint_area_size(e->image->width, e->image->height, MAX(factor, 8), &e->draw.width,
                    &e->draw.height);
    return true;
}

static bool prepare(struct editor *e, GError **error)
{
    const bool inverts = e->options->invert;
    g_autoptr(sampler) backwards =
        inverts ? drawing_sampler(&e->drawing, SAMPLER_DDIM_INVERSE, 0, error) : NULL;

    if ((inverts && backwards == NULL) || !drawing_prepare(&e->drawing, error)) {
        return false;
    }
    e->drawing.start.like = e->image;
    e->drawing.start.encodes = true;
    e->drawing.start.alpha = e->options->noise;
    return true;
}

static bool open_scene(struct editor *e, int scene, int target, enum edit_role role, GError **error)
{
    const struct scene_texts texts =
        edit_target_texts(&e->targets[target], role, e->options->negative);

    e->n_scenes++;
    return scene_open(&e->scenes[scene], &e->drawing.sets, &texts, 1, area(e)->h, area(e)->w,
                      error);
}

static bool open_targets(struct editor *e, GError **error)
{
    const struct svdiff_edit_options *o = e->options;

    e->targets = g_new0(struct edit_target, o->n_targets);
    e->scenes = g_new0(struct scene, 2 * o->n_targets);
    for (int i = 0; i < o->n_targets; i++) {
        struct edit_target *t = &e->targets[i];
        if (!edit_target_open(t, o->prompt, o->targets[i], error) ||
            !open_scene(e, i, i, EDIT_TARGET, error)) {
            return false;
        }
        if (edit_target_has_places(t)) {
            session_note(e->drawing.session, "The picture's subject is '%s'; beside it comes '%s'.",
                         t->places[0].text, t->places[1].text);
        }
    }
    for (int i = 0; i < o->n_targets && o->invert && o->invert_source; i++) {
        if (!open_scene(e, o->n_targets + i, i, EDIT_SOURCE, error)) {
            return false;
        }
    }
    return true;
}

// what was learned of the picture, now if it is not kept; before, it is known that there is memory for all that follows
static bool learn(struct editor *e, GError **error)
{
    const struct denoise *d = &e->drawing.denoise;
    svdiff *s = e->drawing.session;
    bool kept;

    if (s->dry) { // what it is changes no shape
        return true;
    }
    if (session_hashes(s, MODEL_HASHES, d->progress, d->user, error) == NULL) {
        return false;
    }
    e->learned.file = edit_shift_find(s, e->options, &kept, error);
    return e->learned.file != NULL && edit_settle(s, e->options, &e->draw, kept, error) &&
           drawing_check_memory(&e->drawing, error) &&
           (kept || edit_shift_learn(s, e->options, e->learned.file, d->progress, d->user, error));
}

/* ---- the picture ---- */

// without inversion nothing begins with them
static bool fit_latents(struct editor *e, const picture *image, GError **error)
{
    const struct latent_fit f = {.k = e->drawing.session->k,
                                 .a = drawing_autoencoder(&e->drawing),
                                 .steps = e->options->fit,
                                 .progress = e->drawing.denoise.progress,
                                 .user = e->drawing.denoise.user};

    return f.steps == 0 || !e->options->invert ||
           latent_fit(&f, image, area(e)->width, area(e)->height, e->latents, error);
}

static bool encode_image(struct editor *e, const picture *image, GError **error)
{
    e->latents = encode_picture(e->drawing.session->k, drawing_autoencoder(&e->drawing), image,
                                area(e)->width, area(e)->height, false, NULL, error);
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
    if (moved != NULL && e->drawing.trace != NULL && t == e->targets) {
        trace_add_image(e->drawing.trace, moved->pixels, 1, moved->height, moved->width, 3,
                        "moved");
    }
    return (moved != NULL || !t->moves) && encode_image(e, t->moves ? moved : e->opaque, error);
}

/* ---- inversion ---- */

static bool invert(struct editor *e, const struct scene *scene, struct trace *trace, GError **error)
{
    const size_t count = (size_t)area(e)->h * area(e)->w * area(e)->c;
    g_autoptr(sampler) s = drawing_sampler(&e->drawing, SAMPLER_DDIM_INVERSE, 0, error);
    g_autoptr(sampler) undo =
        s != NULL ? drawing_sampler(&e->drawing, SAMPLER_DDIM, 0, error) : NULL;
    struct denoise d = e->drawing.denoise;
    struct draws draws = {0}; // an inversion adds nothing

    if (undo == NULL) {
        return false;
    }
    g_free(e->inverted);
    e->inverted = g_memdup2(e->latents, count * sizeof *e->latents);
    scene_use(scene, &d);
    d.sampler = s;
    d.guidance = 1;
    d.inverts = true;
    d.refine = e->options->refine;
    d.undo = undo;
    d.preview = NULL;
    d.phase = "invert";
    d.trace = trace;
    drawing_trace_timesteps(trace, s, "inversion_timesteps");
    scene_trace_texts(scene, trace, "inversion_embeddings", 1);
    return denoise_run(&d, e->drawing.tape, &draws, e->inverted, error);
}

// under the description once for each place, under each target anew
static bool invert_for(struct editor *e, int target, GError **error)
{
    const bool source = e->options->invert_source;
    const int scene = source ? e->options->n_targets + target : target;

    if (!e->options->invert || (source && e->inverted != NULL)) {
        return true;
    }
    return invert(e, &e->scenes[scene], target == 0 ? e->drawing.trace : NULL, error);
}

/* ---- drawing ---- */

// all pictures of a target
static bool draw_target(struct editor *e, int target, GError **error)
{
    const struct edit_target *t = &e->targets[target];
    const int count = e->options->count;
    struct start *start = &e->drawing.start;

    if (!arrange(e, t, error)) {
        return false;
    }
    if (target == 0) {
        trace_add_image(e->drawing.trace, e->latents, 1, start->h, start->w, start->c,
                        "init_latents");
    }
    // the tape is as large as these texts need it; inversion and sampling differ in their batch
    if (!drawing_under(&e->drawing, &e->scenes[target], error) || !invert_for(e, target, error)) {
        return false;
    }
    start->inverted = e->options->invert ? e->inverted : NULL;
    start->opaque_like = edit_target_has_places(t); // what comes beside it would be clear
    for (int i = 0; i < count; i++) {
        const uint64_t seed = e->options->seed + (uint64_t)i;
        if (!drawing_picture(&e->drawing, target * count + i, seed, error)) {
            return false;
        }
    }
    return true;
}

static bool draw_all(struct editor *e, GError **error)
{
    for (int target = 0; target < e->options->n_targets; target++) {
        if (!draw_target(e, target, error)) {
            return false;
        }
    }
    return drawing_write_trace(&e->drawing, error);
}

/* ---- all of it ---- */

static void editor_finish(struct editor *e)
{
    for (int i = 0; i < e->n_scenes; i++) {
        scene_finish(&e->scenes[i]);
    }
    drawing_finish(&e->drawing);
    for (int i = 0; i < e->options->n_targets && e->targets != NULL; i++) {
        edit_target_finish(&e->targets[i]);
    }
    picture_free(e->image);
    picture_free(e->opaque);
    g_free((char *)e->learned.file);
    g_free(e->targets);
    g_free(e->scenes);
    g_free(e->latents);
    g_free(e->inverted);
}

void svdiff_edit_structure(struct svdiff_edit_options *o, double structure)
{
    o->structure = structure;
    o->invert = structure > 0;
    o->eta = o->noise = 1 - structure;
}

bool svdiff_edit(svdiff *s, const struct svdiff_edit_options *options, svdiff_take take,
                 progress_function progress, void *user, GError **error)
{
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));
    struct editor e = {
        .options = options, .draw = edit_generate_options(options), .learned = {.scale = 1}};

    e.draw.subjects = &e.learned;
    e.draw.n_subjects = 1;
    drawing_create(&e.drawing, s, &e.draw, "edit", take, progress, user);
    e.drawing.pictures = options->n_targets * options->count;
    const bool done = edit_check(options, MAX(factor, 8), error) && session_check_plain(s, error) &&
                      read_image(&e, error) && prepare(&e, error) && open_targets(&e, error) &&
                      // before the picture is learned, which takes long
                      drawing_check_brought(&e.drawing, error) && learn(&e, error) &&
                      drawing_open(&e.drawing, e.scenes, e.n_scenes, error) && draw_all(&e, error);
    editor_finish(&e);
    return done;
}
