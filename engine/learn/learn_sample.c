/* Pictures that learning draws itself: samples on the way, with the shifts as they are, and class
 * pictures before it, for the prior. Both use the generator's defaults of the model. */
#include "engine/learn/learn_compose.h"
#include "engine/learn/learn_prepare.h"

#include "engine/generate/decode.h"
#include "engine/generate/denoise.h"
#include "engine/base/error.h"
#include "engine/learn/learn_files.h"
#include "engine/learn/learn_wording.h"
#include "engine/base/noise.h"
#include "engine/base/output_name.h"
#include "engine/text/prompt.h"
#include "engine/base/safetensors.h"
#include "engine/base/safetensors_write.h"

#include <string.h>

/* ---- latents of one text ---- */

// of nothing, then of the prompt; to be cleared by the caller
static bool both_texts(const struct learner *l, const struct conditioning *text,
                       struct conditioning *both, GError **error)
{
    const char *const nothing[] = {""};
    struct conditioning empty = {0};

    if (!conditioner_embed(l->conditioner, nothing, 1, &empty, error)) {
        return false;
    }
    conditioning_init(both, 2, text->tokens, text->width, text->pooled_width);
    conditioning_set(both, 0, &empty, 0);
    conditioning_set(both, 1, text, 0);
    conditioning_clear(&empty);
    return true;
}

static struct sampler *make_sampler(const struct learner *l,
                                    const struct svdiff_generate_options *o, GError **error)
{
    const struct sampler_options options = {
        .kind = o->sampler, .spacing = o->spacing, .steps = o->steps};

    return sampler_create(&options, checkpoint_schedule_config(l->session->checkpoint), error);
}

// a picture's latents [h, w, c], from the noise of `seed`
static bool draw(struct learner *l, struct denoise *d, struct tape *t,
                 const struct svdiff_generate_options *o, uint64_t seed, float *latents,
                 GError **error)
{
    const int64_t count = (int64_t)d->h * d->w * d->c;
    struct sampler *s = make_sampler(l, o, error);

    if (s == NULL) {
        return false;
    }
    d->sampler = s;
    noise_normal(seed, NOISE_INITIAL_LATENTS, 0, latents, count);
    for (int64_t i = 0; i < count; i++) {
        latents[i] = (float)(latents[i] * sampler_initial_scale(s));
    }
    const bool done = denoise_run(d, t, seed, latents, error);
    sampler_free(s);
    return done;
}

int learner_drawn_rows(const struct learner *l)
{
    return svdiff_generate_defaults(l->session).guidance > 1 ? 2 : 1;
}

bool learner_draw_latents(struct learner *l, const struct conditioning *text,
                          const struct attention_guide *guide, uint64_t seed, int count,
                          float *latents, const char *phase, GError **error)
{
    const struct svdiff_generate_options o = svdiff_generate_defaults(l->session);
    const size_t size = (size_t)l->pictures->h * l->pictures->w * l->pictures->c;
    struct conditioning both = {0};
    struct denoise d = {.k = l->session->k,
                        .unet = l->unet,
                        .text = &both,
                        .h = l->pictures->h,
                        .w = l->pictures->w,
                        .c = l->pictures->c,
                        .guidance = o.guidance,
                        .guide = guide,
                        .phase = phase,
                        .progress = l->progress,
                        .user = l->user};
    struct tape *t = both_texts(l, text, &both, error) ? denoise_tape(&d, error) : NULL;
    bool done = t != NULL;

    for (int i = 0; i < count && done; i++) {
        done = draw(l, &d, t, &o, seed + (uint64_t)i, latents + i * size, error);
    }
    tape_free(t);
    conditioning_clear(&both);
    return done;
}

/* ---- samples ---- */

picture *learner_decode(const struct learner *l, const float *latents, GError **error)
{
    svdiff *s = l->session;
    struct autoencoder *a =
        autoencoder_create(s->k, checkpoint_vae_config(s->checkpoint), AUTOENCODER_DECODER,
                           session_source(s, MODEL_VAE), error);
    struct decoder *d =
        a != NULL ? decoder_create(s->k, a, l->pictures->h, l->pictures->w, error) : NULL;
    picture *p = d != NULL ? decoder_run(d, latents, NULL, error) : NULL;

    decoder_free(d);
    autoencoder_free(a);
    return p;
}

static bool decode_to(const struct learner *l, const float *latents, const char *path,
                      GError **error)
{
    g_autoptr(picture) p = learner_decode(l, latents, error);

    return p != NULL && picture_write(path, p, NULL, 0, error);
}

// [V1], [V2] ... with the words of the subjects; owned by the caller
static char *with_placeholders(const struct learner *l, const char *text)
{
    g_autofree const char **words = g_new0(const char *, l->subjects->len);

    for (guint i = 0; i < l->subjects->len; i++) {
        words[i] = g_array_index(l->subjects, struct learner_subject, i).placeholder;
    }
    return prompt_replace(text, words, (int)l->subjects->len);
}

// "a photo of A and B", owned by the caller
static char *name_all(const struct learner *l)
{
    g_autofree const char **prompts = g_new0(const char *, l->subjects->len);

    for (guint i = 0; i < l->subjects->len; i++) {
        prompts[i] = g_array_index(l->subjects, struct learner_subject, i).prompt;
    }
    return l->subjects->len > 1 ? wording_list(prompts, (int)l->subjects->len)
                                : g_strdup(prompts[0]);
}

bool learner_sample(struct learner *l, GError **error)
{
    const char *wanted = l->options->sample_prompt;
    g_autofree char *prompt = wanted != NULL ? with_placeholders(l, wanted) : name_all(l);
    g_autofree char *path = learn_file_sample(l->options->output, l->step);
    g_autofree float *latents =
        g_new(float, (size_t)l->pictures->h * l->pictures->w * l->pictures->c);
    const char *const texts[] = {prompt};
    struct conditioning text = {0};
    const struct progress p = {.event = PROGRESS_SAMPLE,
                               .phase = "learn",
                               .step = l->step,
                               .steps = l->options->steps,
                               .loss = -1,
                               .seconds_left = -1,
                               .file = path};

    const bool done =
        conditioner_embed(l->conditioner, texts, 1, &text, error) &&
        learner_draw_latents(l, &text, NULL, l->options->seed, 1, latents, "sample", error) &&
        decode_to(l, latents, path, error);
    conditioning_clear(&text);
    if (!done) {
        return false;
    }
    if (l->progress != NULL && !l->progress(l->user, &p)) {
        l->cancelled = true;
    }
    return true;
}

/* ---- class pictures ---- */

/* The file of a class's pictures: they depend on model, prompt, seed, size and number. */
static char *cache_path(const struct learner *l, const struct learner_subject *s)
{
    g_autofree char *key =
        g_strdup_printf("%s|%s|%" G_GUINT64_FORMAT "|%d|%d", l->session->base_hash, s->class_prompt,
                        l->options->seed, l->options->size, l->options->prior_images);
    g_autofree char *name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, key, -1);
    g_autofree char *file = g_strconcat(name, ".safetensors", NULL);

    return g_build_filename(g_get_user_cache_dir(), "svdiff", "class-pictures", file, NULL);
}

static bool load_cached(const char *path, float *latents, int64_t count)
{
    struct safetensors *file =
        g_file_test(path, G_FILE_TEST_EXISTS) ? safetensors_open(path, NULL) : NULL;
    const struct safetensors_tensor *t = file != NULL ? safetensors_find(file, "latents") : NULL;
    const bool good =
        t != NULL && t->values == count && safetensors_read_f32(file, t, latents, NULL);

    safetensors_close(file);
    return good;
}

static void keep(const struct learner *l, const char *path, const float *latents, int n)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    const struct safetensors_entry entry = {
        .name = "latents",
        .dtype = DTYPE_F32,
        .n_dims = 4,
        .shape = {n, l->pictures->h, l->pictures->w, l->pictures->c}};

    g_mkdir_with_parents(folder, 0700);
    struct safetensors_writer *w = safetensors_writer_create(path, &entry, 1, NULL, NULL, &error);
    if (w == NULL || !safetensors_writer_put(w, "latents", latents, &error) ||
        !safetensors_writer_commit(w, &error)) {
        session_warn(l->session, "The class pictures could not be kept: %s", error->message);
    }
    safetensors_writer_close(w);
}

static bool add_class(struct learner *l, struct learner_subject *s, GError **error)
{
    const int n = l->options->prior_images;
    const size_t size = (size_t)l->pictures->h * l->pictures->w * l->pictures->c;
    g_autofree char *path = cache_path(l, s);
    g_autofree float *latents = g_try_new0(float, n *size);

    if (latents == NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "There is no memory for %d class pictures; lower --prior-images.", n);
        return false;
    }
    if (!l->session->dry && !load_cached(path, latents, (int64_t)(n * size))) {
        if (!learner_draw_latents(l, &s->class_text->becomes, NULL, l->options->seed, n, latents,
                                  "class pictures", error)) {
            return false;
        }
        keep(l, path, latents, n);
    }
    for (int i = 0; i < n; i++) {
        const int index = (int)l->prior_pictures->list->len + i;
        g_array_append_val(s->prior_pictures, index);
    }
    learn_pictures_add_latents(l->prior_pictures, l->pictures, latents, n);
    return true;
}

// of a class as many pictures as come up in mixed ones
static bool place_class(const struct learner *l, struct decoder *d, int subject, GError **error)
{
    const GArray *own = g_array_index(l->subjects, struct learner_subject, subject).prior_pictures;
    const int n = MIN((int)own->len, LEARN_PAIRS);

    for (int i = 0; i < n && learner_mixes(l, subject); i++) {
        const int index = g_array_index(own, int, i);
        g_autoptr(picture) p =
            decoder_run(d, learn_pictures_at(l->prior_pictures, index)->mean, NULL, error);
        if (p == NULL || !learner_add_placed(l, l->class_mixed, p, NULL, subject, error)) {
            return false;
        }
    }
    return true;
}

// pictures of two classes are mixed as those of the subjects are
static bool mix_classes(const struct learner *l, GError **error)
{
    svdiff *s = l->session;
    struct autoencoder *a = autoencoder_create(s->k, checkpoint_vae_config(s->checkpoint),
                                               AUTOENCODER_ENCODER | AUTOENCODER_DECODER,
                                               session_source(s, MODEL_VAE), error);
    struct decoder *d =
        a != NULL ? decoder_create(s->k, a, l->pictures->h, l->pictures->w, error) : NULL;
    bool done = d != NULL;

    for (int i = 0; i < (int)l->subjects->len && done; i++) {
        done = place_class(l, d, i, error);
    }
    decoder_free(d);
    done = done && learner_compose(l, l->class_mixed, a, error);
    autoencoder_free(a);
    return done;
}

bool learner_prior_pictures(struct learner *l, GError **error)
{
    bool mixes = false;

    if (learner_prior_rows(l) == 0 || learner_prior_by_prediction(l)) {
        return true;
    }
    for (guint i = 0; i < l->subjects->len; i++) {
        if (!add_class(l, &g_array_index(l->subjects, struct learner_subject, i), error)) {
            return false;
        }
        mixes = mixes || learner_mixes(l, (int)i);
    }
    return !mixes || mix_classes(l, error);
}
