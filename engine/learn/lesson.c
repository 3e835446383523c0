/* What a run learns from; see lesson.h. */
#include "engine/learn/lesson.h"

#include "engine/adapter/embedding_file.h"
#include "engine/learn/learn_check.h"
#include "engine/learn/methods/method.h"
#include "engine/learn/mixing/learn_choice.h"
#include "engine/learn/mixing/learn_compose.h"

/* Steps in which AdamW moves each shift by its whole rate, whatever the gradient: they keep the
 * class each, that the first way is not one that another step has to take back. */
#define SETTLING 20

// a value of lesson.texts
static void text_free(void *text)
{
    struct lesson_text *one = text;

    g_free(one->ids);
    conditioning_clear(&one->becomes);
    g_free(one);
}

static void subject_clear(void *subject)
{
    struct lesson_subject *one = subject;

    g_free(one->prompt);
    g_free(one->class_prompt);
    g_free(one->placeholder);
    // numbers: the pictures are the lesson's
    g_array_unref(one->pictures);
    g_array_unref(one->prior_pictures);
    g_free(one->region);
    g_clear_pointer(&one->own, g_array_unref);
}

static void tell(void *session, const char *sentence)
{
    session_warn(session, "%s", sentence);
}

// learning knows no words but the model's and its own
static void tell_bundles(const struct lesson *l)
{
    for (int i = 0; i < l->adapters.n; i++) {
        const struct safetensors *file = adapter_tensors(l->adapters.items[i].adapter);
        const int n = embedding_bundle_count(file);
        if (n > 0) {
            session_warn(l->session,
                         "%s: %d embedding%s in it %s left out: prompts of learning are read "
                         "without.",
                         safetensors_path(file), n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
        }
    }
}

// who counts without computing reads no values
static bool open_adapters(struct lesson *l, GError **error)
{
    svdiff *s = l->session;
    const struct svdiff_learn_options *o = l->options;

    if (!adapter_list_open(&l->adapters, s->checkpoint, o->adapters, o->n_adapters, tell, s,
                           error)) {
        return false;
    }
    tell_bundles(l);
    l->on = o->n_adapters > 0 ? adapter_list_text(&l->adapters, error) : NULL;
    return o->n_adapters == 0 || l->on != NULL;
}

struct lesson *lesson_create(svdiff *s, const struct svdiff_learn_options *o,
                             progress_function progress, void *user, GError **error)
{
    const struct vae_config *vae = checkpoint_vae_config(s->checkpoint);

    // again, with what the model says: a size fits its latents or not
    if (!learn_check(o, autoencoder_factor(vae), error) || !session_check_plain(s, error)) {
        return NULL;
    }
    struct lesson *l = g_new0(struct lesson, 1);
    l->session = s;
    l->options = o;
    l->progress = progress;
    l->user = user;
    // may become 0 where there is no class to keep; some methods change nothing of it
    l->prior_weight = method_of(o)->keeps_class ? o->prior_weight : 0;
    l->subjects = g_array_new(FALSE, TRUE, sizeof(struct lesson_subject));
    g_array_set_clear_func(l->subjects, subject_clear);
    l->captions = g_ptr_array_new_with_free_func(g_free);
    l->pictures = learn_pictures_create(vae, o->size);
    l->prior_pictures = learn_pictures_create(vae, o->size);
    l->mixed = learn_mixtures_create(vae, o->size);
    l->class_mixed = learn_mixtures_create(vae, o->size);
    l->start = g_array_new(FALSE, FALSE, sizeof(int32_t));
    // keys are the prompts: a text that several rows have is encoded once
    l->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, text_free);
    l->schedule = schedule_create(checkpoint_schedule_config(s->checkpoint), error);
    if (l->schedule == NULL || !open_adapters(l, error) || !lesson_read_pictures(l, error) ||
        !lesson_name_subjects(l, method_of(o)->own_words, error)) {
        g_clear_pointer(&l, lesson_free);
    }
    return l;
}

bool lesson_encode(struct lesson *l, GError **error)
{
    svdiff *s = l->session;
    struct autoencoder *a = session_autoencoder(s, AUTOENCODER_ENCODER, error);
    // what is mixed is put together of pixels, and encoded while the encoder is there
    const bool done = a != NULL && learn_pictures_encode(l->pictures, s->k, a, error) &&
                      lesson_compose(l, l->mixed, a, error);

    autoencoder_free(a);
    return done;
}

void lesson_free(struct lesson *l)
{
    if (l == NULL) {
        return;
    }
    adapter_list_close(&l->adapters);
    g_free(l->on);
    schedule_free(l->schedule);
    g_array_unref(l->subjects);
    g_ptr_array_unref(l->captions);
    learn_pictures_free(l->pictures);
    learn_pictures_free(l->prior_pictures);
    learn_mixtures_free(l->mixed);
    learn_mixtures_free(l->class_mixed);
    g_hash_table_unref(l->texts);
    embedding_list_close(&l->words);
    g_array_unref(l->start);
    g_free(l->thumbnail);
    g_free(l);
}

bool lesson_tell(const struct lesson *l, const struct progress *p)
{
    return l->progress == NULL || l->progress(l->user, p);
}

int lesson_subjects(const struct lesson *l)
{
    return (int)l->subjects->len;
}

struct lesson_subject *lesson_subject(const struct lesson *l, int i)
{
    return &g_array_index(l->subjects, struct lesson_subject, i);
}

// a picture with masks shows all whose masks it has, a mixed one two
int lesson_slots(const struct lesson *l)
{
    int most = 1;

    for (guint i = 0; i < l->pictures->list->len; i++) {
        most = MAX(most, learn_pictures_at(l->pictures, (int)i)->n_masks);
    }
    for (int i = 0; i < lesson_subjects(l); i++) {
        most = lesson_mixes(l, i) ? MAX(most, 2) : most;
    }
    return MIN(most, CHOICE_MAX);
}

bool lesson_has_masks(const struct lesson *l)
{
    for (guint i = 0; i < l->pictures->list->len; i++) {
        if (learn_pictures_at(l->pictures, (int)i)->n_masks > 0) {
            return true;
        }
    }
    return false;
}

int lesson_prior_rows(const struct lesson *l)
{
    // as many as show subjects
    return l->prior_weight > 0 ? l->options->batch : 0;
}

int lesson_prior_times(const struct lesson *l, int64_t step)
{
    const int every = l->options->prior_every;

    return step < SETTLING ? 1 : step % every == 0 ? every : 0;
}

bool lesson_prior_by_prediction(const struct lesson *l)
{
    // class pictures have true noise as their target instead
    return lesson_prior_rows(l) > 0 && l->options->prior_images == 0;
}
