/* Where drawing starts and ends; see start.h. */
#include "engine/generate/start.h"

#include "engine/generate/decode.h"
#include "engine/generate/slerp.h"
#include "engine/picture/picture_fill.h"
#include "engine/picture/picture_origin.h"
#include "engine/picture/picture_scale.h"

#include <string.h>

// what the random numbers of a start picture are for: steps of NOISE_INIT_PICTURE
enum { NOISE_OF_PICTURE, NOISE_OF_MASKED, NOISE_OF_FILL };

static bool prepare_picture(struct start *s, int factor, GError **error)
{
    const struct svdiff_generate_options *o = s->options;

    if (o->mask != NULL) {
        // a mask is painted at the working size, which is the patch's own from here on
        s->patch = patch_create(o, factor, MAX(factor, 8), error);
        s->width = s->patch != NULL ? s->patch->area.width : 0;
        s->height = s->patch != NULL ? s->patch->area.height : 0;
        return s->patch != NULL;
    }
    // the model knows no alpha: below it colours go on, and it comes back at the end
    s->opaque = o->init != NULL ? picture_opaque(o->init, error) : NULL;
    return o->init == NULL || s->opaque != NULL;
}

bool start_prepare(struct start *s, svdiff *session, const struct svdiff_generate_options *options,
                   GError **error)
{
    const struct vae_config *vae = checkpoint_vae_config(session->checkpoint);
    const int factor = autoencoder_factor(vae);

    *s = (struct start){.session = session,
                        .options = options,
                        .like = options->init,
                        .width = options->width,
                        .height = options->height,
                        .c = vae->latent_channels};
    // what the network takes beyond latents tells that it is made for inpainting
    s->more_c = checkpoint_unet_config(session->checkpoint)->in_channels - s->c;
    // an inpainting model is shown a picture even where nobody gave one
    s->encodes = options->init != NULL || s->more_c > 0;
    if (!prepare_picture(s, factor, error)) {
        return false;
    }
    s->h = s->height / factor;
    s->w = s->width / factor;
    // an inpainting model sees the mask itself, and must be free to draw its border
    s->mask = s->patch != NULL && s->more_c == 0 ? s->patch->mask : NULL;
    return true;
}

unsigned start_halves(const struct start *s)
{
    return AUTOENCODER_DECODER | (s->encodes ? AUTOENCODER_ENCODER : 0);
}

static int64_t count_of(const struct start *s)
{
    return (int64_t)s->h * s->w * s->c;
}

// latents of a picture, sampled with these random numbers, which the trace gets as NAME_noise
static float *encode(const struct start *s, const struct autoencoder *a, const picture *p,
                     struct draws *draws, uint64_t step, const char *name, struct trace *trace,
                     GError **error)
{
    g_autofree float *noise = g_new(float, count_of(s));

    // of the picture's seed alone, so that picture k of a run is that of seed + k
    draws_normal(draws, NOISE_INIT_PICTURE, step, s->h, s->w, s->c, noise);
    float *latents =
        encode_picture(s->session->k, a, p, s->width, s->height, s->options->tile, noise, error);
    if (latents != NULL) {
        trace_add_image(trace, noise, 1, s->h, s->w, s->c, "%s_noise", name);
    }
    return latents;
}

// noise in the place of what is below the mask
static void fill_with_noise(const struct start *s, struct draws *draws)
{
    g_autofree float *noise = g_new(float, count_of(s));

    draws_normal(draws, NOISE_INIT_PICTURE, NOISE_OF_FILL, s->h, s->w, s->c, noise);
    for (int64_t i = 0; i < count_of(s); i++) {
        const float share = s->patch->mask[i / s->c];
        s->init[i] += share * (noise[i] - s->init[i]);
    }
}

static bool encode_init(struct start *s, const struct autoencoder *a, struct draws *draws,
                        struct trace *trace, GError **error)
{
    g_clear_pointer(&s->init, g_free);
    if (s->options->init == NULL) {
        return true;
    }
    s->init = encode(s, a, s->patch != NULL ? s->patch->working : s->opaque, draws,
                     NOISE_OF_PICTURE, "init_latents", trace, error);
    if (s->init == NULL) {
        return false;
    }
    // after encoding: noise in pixels would be no noise in latents
    if (s->patch != NULL && s->options->fill == SVDIFF_FILL_NOISE) {
        fill_with_noise(s, draws);
    }
    trace_add_image(trace, s->init, 1, s->h, s->w, s->c, "init_latents");
    return true;
}

/* ---- inpainting models ---- */

static picture *all_grey(const struct start *s, GError **error)
{
    picture *p = picture_create(s->width, s->height, 3, error);

    for (size_t i = 0; p != NULL && i < 3 * (size_t)s->width * s->height; i++) {
        // 0 for the autoencoder, as these models were trained
        p->pixels[i] = 0.5f;
    }
    return p;
}

// [mask | latents of the masked picture]; without a mask everything is to be painted
static bool encode_more(struct start *s, const struct autoencoder *a, struct draws *draws,
                        struct trace *trace, GError **error)
{
    const size_t tokens = (size_t)s->h * s->w;
    g_autoptr(picture) grey = s->patch == NULL ? all_grey(s, error) : NULL;
    const picture *masked = s->patch != NULL ? s->patch->masked : grey;
    g_autofree float *latents = masked != NULL ? encode(s, a, masked, draws, NOISE_OF_MASKED,
                                                        "masked_image_latents", trace, error)
                                               : NULL;
    if (latents == NULL) {
        return false;
    }
    trace_add_image(trace, latents, 1, s->h, s->w, s->c, "masked_image_latents");
    g_free(s->more);
    s->more = g_new(float, tokens * s->more_c);
    for (size_t i = 0; i < tokens; i++) {
        // one channel of mask, then the latents: the order in which diffusers joins them
        s->more[i * s->more_c] = s->patch != NULL ? s->patch->hard[i] : 1;
        memcpy(s->more + i * s->more_c + 1, latents + i * s->c, s->c * sizeof *latents);
    }
    return true;
}

static void trace_mask(const struct start *s, struct trace *trace)
{
    if (s->patch != NULL) {
        // what the model was told, or what the sampler held to
        trace_add(trace, s->more_c > 0 ? s->patch->hard : s->patch->mask,
                  (const int64_t[]){1, 1, s->h, s->w}, 4, "mask");
    }
}

/* ---- each picture ---- */

// the noise that a picture becomes, with as much fresh noise as is asked for
static void begin_inverted(const struct start *s, struct trace *trace, float *latents)
{
    trace_add_image(trace, s->noise, 1, s->h, s->w, s->c, "fresh_noise");
    slerp(s->alpha, s->inverted, s->noise, latents, count_of(s));
    trace_add_image(trace, latents, 1, s->h, s->w, s->c, "start_latents");
}

bool start_picture(struct start *s, const struct autoencoder *a, const struct sampler *steps,
                   struct draws *draws, struct trace *trace, float *latents, GError **error)
{
    const int64_t count = count_of(s);

    // the order in which diffusers' pipelines draw: the picture, the noise, the picture without what is masked
    if (!encode_init(s, a, draws, trace, error)) {
        return false;
    }
    g_free(s->noise);
    s->noise = g_new(float, count);
    /* another stream for an inverted start, so that its mixture is with noise that nothing else
     * uses */
    draws_normal(draws, s->inverted != NULL ? NOISE_FRESH : NOISE_INITIAL_LATENTS, 0, s->h, s->w,
                 s->c, s->noise);
    if (s->more_c > 0 && !encode_more(s, a, draws, trace, error)) {
        return false;
    }
    trace_add_image(trace, s->noise, 1, s->h, s->w, s->c, "initial_noise");
    trace_mask(s, trace);
    if (s->inverted != NULL) {
        begin_inverted(s, trace, latents);
        return true;
    }
    // below a mask nothing of the picture is left at full strength
    if (s->init != NULL && (s->patch == NULL || s->options->strength < 1)) {
        sampler_add_noise(steps, sampler_first(steps), s->init, s->noise, latents, count);
        return true;
    }
    // Euler's latents begin as large as their first level
    const double scale = sampler_initial_scale(steps);
    for (int64_t i = 0; i < count; i++) {
        latents[i] = (float)(scale * s->noise[i]);
    }
    return true;
}

// a drawing in that picture's size, with its alpha
static picture *fit_like(const struct start *s, const picture *drawn, GError **error)
{
    const int width = s->like->width, height = s->like->height;
    g_autoptr(picture) scaled = s->options->tile
                                    ? picture_resize_around(drawn, width, height, error)
                                    : picture_resize(drawn, width, height, error);

    if (scaled == NULL || s->like->channels == 3 || s->opaque_like) {
        return g_steal_pointer(&scaled);
    }
    g_autoptr(picture) alpha = picture_alpha(s->like, error);
    return alpha != NULL ? picture_with_alpha(scaled, alpha, error) : NULL;
}

picture *start_finish(const struct start *s, picture *drawn, GError **error)
{
    g_autoptr(picture) p = drawn;

    if (s->patch != NULL) {
        return patch_put_back(s->patch, s->options, p, error);
    }
    if (s->like == NULL) {
        return g_steal_pointer(&p);
    }
    picture *out = fit_like(s, p, error);
    if (out != NULL) {
        // 16 bits in, 16 bits out; its profile does not apply to what was drawn anew
        out->origin = picture_origin_depth(s->like->origin);
    }
    return out;
}

void start_close(struct start *s)
{
    patch_free(s->patch);
    picture_free(s->opaque);
    g_free(s->init);
    g_free(s->noise);
    g_free(s->more);
}
