/* Class pictures: what the model itself draws of a class before it learns, for the prior. They are
 * kept in the user's cache folder; where subjects are mixed they are mixed, too. */
#include "engine/learn/mixing/learn_compose.h"
#include "engine/learn/run/learn_drawing.h"

#include "engine/base/error.h"
#include "engine/base/safetensors.h"
#include "engine/base/safetensors_write.h"
#include "engine/generate/decode.h"

/* The file of a class's pictures: they depend on model, prompt, seed, size and number. */
static char *cache_path(const struct lesson *l, const struct lesson_subject *s)
{
    g_autofree char *key = g_strdup_printf(
        "%s|%s|%" G_GUINT64_FORMAT "|%d|%d", l->session->hashes.base, s->class_prompt,
        l->options->seed, l->options->size, l->options->prior_images);
    g_autofree char *name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, key, -1);
    g_autofree char *file = g_strconcat(name, ".safetensors", NULL);

    return g_build_filename(g_get_user_cache_dir(), "svdiff", "class-pictures", file, NULL);
}

// false where there are none, or not as many; then they are drawn anew
static bool load_cached(const char *path, float *latents, int64_t count)
{
    g_autoptr(safetensors) file =
        g_file_test(path, G_FILE_TEST_EXISTS) ? safetensors_open(path, NULL) : NULL;
    const struct safetensors_tensor *t = file != NULL ? safetensors_find(file, "latents") : NULL;

    return t != NULL && t->values == count && safetensors_read_f32(file, t, latents, NULL);
}

// that they cannot be kept costs the next run time, and this one nothing
static void keep(const struct lesson *l, const char *path, const float *latents, int n)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    const struct safetensors_entry entry = {
        .name = "latents",
        .dtype = DTYPE_F32,
        .n_dims = 4,
        .shape = {n, l->pictures->h, l->pictures->w, l->pictures->c}};

    g_mkdir_with_parents(folder, 0700);
    g_autoptr(safetensors_writer) w =
        safetensors_writer_create(path, &entry, 1, NULL, NULL, &error);
    if (w == NULL || !safetensors_writer_put(w, "latents", latents, &error) ||
        !safetensors_writer_commit(w, &error)) {
        session_warn(l->session, "The class pictures could not be kept: %s", error->message);
    }
}

/* The pictures of one class into the lesson, as latents: drawn under the class prompt before any
 * shift acts, or those of an earlier run. */
static bool add_class(struct lesson *l, const struct learn_drawing *d, struct lesson_subject *s,
                      GError **error)
{
    const int n = l->options->prior_images;
    const size_t size = (size_t)l->pictures->h * l->pictures->w * l->pictures->c;
    g_autofree char *path = cache_path(l, s);
    g_autofree float *latents = g_try_new0(float, n *size);

    if (latents == NULL) {
        return error_failed(error,
                            "There is no memory for %d class pictures; lower --prior-images.", n);
    }
    // what an estimate counts is kept nowhere
    if (!l->session->dry && !load_cached(path, latents, (int64_t)(n * size))) {
        if (!learn_drawing_run(d, &s->class_text->becomes, l->options->seed, n, latents, error)) {
            return false;
        }
        keep(l, path, latents, n);
    }
    for (int i = 0; i < n; i++) {
        const int index = (int)l->prior_pictures->list->len + i;
        g_array_append_val(s->prior_pictures, index);
    }
    learn_pictures_add_latents(l->prior_pictures, latents, n);
    return true;
}

// of a class as many pictures as come up in mixed ones
static bool place_class(const struct lesson *l, struct decoder *d, int subject, GError **error)
{
    const GArray *own = lesson_subject(l, subject)->prior_pictures;
    const int n = MIN((int)own->len, LEARN_PAIRS);

    for (int i = 0; i < n && lesson_mixes(l, subject); i++) {
        const int index = g_array_index(own, int, i);
        g_autoptr(picture) p =
            decoder_run(d, learn_pictures_at(l->prior_pictures, index)->mean, NULL, error);
        if (p == NULL || !lesson_place(l, l->class_mixed, p, NULL, subject, error)) {
            return false;
        }
    }
    return true;
}

static bool is_made(const struct lesson *l)
{
    return lesson_prior_rows(l) > 0 && !lesson_prior_by_prediction(l);
}

// classes are mixed only where subjects are
static bool is_mixed(const struct lesson *l)
{
    bool mixes = false;

    for (int i = 0; i < lesson_subjects(l); i++) {
        mixes = mixes || lesson_mixes(l, i);
    }
    return mixes;
}

// pictures of two classes are mixed as those of the subjects are
static bool mix_classes(const struct lesson *l, GError **error)
{
    svdiff *s = l->session;
    struct autoencoder *a =
        session_autoencoder(s, AUTOENCODER_ENCODER | AUTOENCODER_DECODER, error);
    struct decoder *d =
        a != NULL ? decoder_create(s->k, a, l->pictures->h, l->pictures->w, false, 0, error) : NULL;
    bool done = d != NULL;

    for (int i = 0; i < lesson_subjects(l) && done; i++) {
        done = place_class(l, d, i, error);
    }
    // the encoder is used for composing, with the decoder's memory given back
    decoder_free(d);
    done = done && lesson_compose(l, l->class_mixed, a, error);
    autoencoder_free(a);
    return done;
}

bool lesson_make_class_pictures(struct lesson *l, const struct learner *model, GError **error)
{
    const struct learn_drawing d = {.lesson = l, .learner = model, .phase = "class pictures"};

    if (!is_made(l)) {
        return true;
    }
    if (l->session->dry && !lesson_count_class_pictures(l, model, error)) {
        return false;
    }
    for (int i = 0; i < lesson_subjects(l); i++) {
        if (!add_class(l, &d, lesson_subject(l, i), error)) {
            return false;
        }
    }
    return !is_mixed(l) || mix_classes(l, error);
}

/* ---- what that takes ---- */

// of a decoder and then the encoder, which are there at once
static bool count_mixing(const struct lesson *l, svdiff *dry, const float *latents, GError **error)
{
    const struct learn_pictures *p = l->pictures;
    const int width = p->w * p->factor, height = p->h * p->factor;
    g_autofree float *zeros = g_new0(float, (size_t)3 * width * height);
    struct autoencoder *a =
        session_autoencoder(dry, AUTOENCODER_ENCODER | AUTOENCODER_DECODER, error);
    struct decoder *d = a != NULL ? decoder_create(dry->k, a, p->h, p->w, false, 0, error) : NULL;
    // its memory is taken with the first picture
    g_autoptr(picture) decoded = d != NULL ? decoder_run(d, latents, NULL, error) : NULL;

    decoder_free(d);
    g_autofree float *moments =
        decoded != NULL ? encode_moments(dry->k, a, zeros, width, height, false, error) : NULL;
    autoencoder_free(a);
    return moments != NULL;
}

bool lesson_count_class_pictures(const struct lesson *l, const struct learner *model,
                                 GError **error)
{
    const struct learn_pictures *p = l->pictures;
    const struct learn_drawing d = {.lesson = l, .learner = model};
    g_autofree float *latents = g_new0(float, (size_t)p->h * p->w * p->c);
    struct conditioning text;

    if (!is_made(l)) {
        return true;
    }
    // one, as all of them are drawn; what its text says is all the same
    conditioning_init(&text, 1, conditioner_tokens(model->conditioner),
                      conditioner_width(model->conditioner), 0);
    const bool drawn = learn_drawing_run(&d, &text, 0, 1, latents, error);
    conditioning_clear(&text);
    return drawn && (!is_mixed(l) || count_mixing(l, model->session, latents, error));
}
