/* Generating: text to picture, and picture to picture; one scene, and pictures under it.
 *
 *   subjects -> weights as they are read -> text embeddings -> per picture: noise, sampler, decoder
 *
 * Picture k has seed + k whatever else is asked for, because its noise is a function of that seed
 * alone. */
#include "engine/generate/drawing.h"
#include "engine/generate/generate_check.h"
#include "engine/generate/generate_devices.h"
#include "engine/generate/generate_fit.h"
#include "engine/generate/hires.h"

static bool open_scene(struct drawing *d, struct scene *scene, GError **error)
{
    const struct svdiff_generate_options *o = d->options;
    g_autofree char *rest = regions_rest(o->prompt, o->regions, o->n_regions);
    const struct scene_texts texts = {.negative = o->negative,
                                      .everywhere = rest,
                                      .regions = o->regions,
                                      .n_regions = o->n_regions};

    return scene_open(scene, &d->sets, &texts, o->n_subjects + o->n_adapters, d->start.h,
                      d->start.w, error);
}

static bool draw_all(struct drawing *d, GError **error)
{
    for (int i = d->session->share; i < d->options->count; i += session_shares(d->session)) {
        if (!drawing_picture(d, i, d->options->seed + (uint64_t)i, error)) {
            return false;
        }
    }
    return true;
}

bool generate_once(svdiff *s, const struct svdiff_generate_options *options, svdiff_take take,
                   progress_function progress, void *user, GError **error)
{
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));
    struct scene scene = {0};
    struct drawing d;

    if (!generate_settle(s, options, error)) {
        return false;
    }
    drawing_create(&d, s, options, "generate", take, progress, user);
    const bool done = generate_check(options, MAX(factor, 8), error) &&
                      drawing_prepare(&d, error) && open_scene(&d, &scene, error) &&
                      drawing_open(&d, &scene, 1, error) && drawing_under(&d, &scene, error) &&
                      draw_all(&d, error) && drawing_write_trace(&d, error);
    scene_finish(&scene);
    drawing_finish(&d);
    return done;
}

bool generate_alone(svdiff *s, const struct svdiff_generate_options *options, svdiff_take take,
                    progress_function progress, void *user, GError **error)
{
    if (options->hires <= 1) {
        return generate_once(s, options, take, progress, user, error);
    }
    // the second drawing is the larger one: whether it fits is known before the first
    return generate_settle(s, options, error) &&
           hires_generate(s, options, take, progress, user, error);
}

// a device's part of the pictures
static bool draw_part(svdiff *s, const void *what, svdiff_take take, progress_function progress,
                      void *user, GError **error)
{
    struct svdiff_generate_options o = *(const struct svdiff_generate_options *)what;

    o.preview = s->share > 0 ? NULL : o.preview; // one is shown
    return generate_alone(s, &o, take, progress, user, error);
}

bool svdiff_generate(svdiff *s, const struct svdiff_generate_options *options, svdiff_take take,
                     progress_function progress, void *user, GError **error)
{
    const struct generate_work work = {draw_part, options};

    return generate_on_devices(s, generate_devices(s, options, options->count), &work, take,
                               progress, user, error);
}
