/* The subjects' words: which rare word of the vocabulary stands for [V], what the class is called,
 * and both as token ids and embeddings of the text encoder as it is before learning. */
#include "engine/learner.h"

#include "engine/error.h"
#include "engine/prompt.h"

#include <string.h>

#define CANDIDATES 64

static bool used(const struct learner *l, const char *word)
{
    for (int i = 0; i < l->options->n_subjects; i++) {
        const struct svdiff_subject *s = &l->options->subjects[i];
        if (strstr(s->prompt, word) != NULL ||
            (s->class_prompt != NULL && strstr(s->class_prompt, word) != NULL)) {
            return true;
        }
    }
    return false;
}

/* One word for each subject, never the same and none that a prompt has. Owned by the caller,
 * NULL-terminated. */
static char **choose_placeholders(const struct learner *l, GError **error)
{
    g_auto(GStrv) words = tokenizer_rare_words(l->session->tokenizer, CANDIDATES);
    GPtrArray *chosen = g_ptr_array_new();

    for (char **word = words; *word != NULL && (int)chosen->len < l->options->n_subjects; word++) {
        if (!used(l, *word)) {
            g_ptr_array_add(chosen, g_strdup(*word));
        }
    }
    const bool enough = (int)chosen->len == l->options->n_subjects;
    g_ptr_array_add(chosen, NULL);
    char **list = (char **)g_ptr_array_free(chosen, FALSE);
    if (!enough) {
        g_strfreev(list);
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The model's vocabulary has too few rare words for %d subjects; learn fewer.",
                    l->options->n_subjects);
        return NULL;
    }
    return list;
}

static void name_subject(struct learner *l, int i, char **placeholders)
{
    struct learner_subject *one = &g_array_index(l->subjects, struct learner_subject, i);
    const struct svdiff_subject *s = &l->options->subjects[i];
    const bool replaced = prompt_has_placeholder(s->prompt);

    one->placeholder = replaced ? g_strdup(placeholders[i]) : NULL;
    one->prompt =
        prompt_replace(s->prompt, (const char *const *)placeholders, l->options->n_subjects);
    if (l->options->n_subjects > 1 && strstr(s->prompt, "[V]") != NULL) {
        // a lone [V] means this subject, wherever it stands in the list
        g_free(one->prompt);
        one->prompt = prompt_replace(s->prompt, (const char *const[]){placeholders[i]}, 1);
    }
    one->class_prompt =
        s->class_prompt != NULL ? g_strdup(s->class_prompt) : prompt_without(s->prompt);
    if (!replaced && s->class_prompt == NULL && l->prior_weight > 0) {
        session_warn(
            l->session,
            "The prompt \"%s\" has no [V] and there is no --class-prompt, so nothing keeps "
            "the class as it was.",
            s->prompt);
        l->prior_weight = 0;
    }
    if (replaced) {
        session_note(l->session, "[V] of \"%s\" is the word \"%s\".", s->prompt, one->placeholder);
    }
}

/* ---- embeddings ---- */

struct texts {
    const struct learner *l;
    const int32_t *ids;
    float *out; // NULL while measuring
};

static void encode_text(void *user, struct tape *t)
{
    const struct texts *x = user;
    const struct text_encoder *e = x->l->text_encoder;
    struct tensor *y = text_encoder_forward(t, e, x->ids, 1, text_encoder_config(e)->positions);

    if (x->out != NULL) {
        tape_download(t, y, x->out);
    }
}

float *learner_embed(const struct learner *l, const int32_t *ids, GError **error)
{
    const struct text_config *c = text_encoder_config(l->text_encoder);
    struct texts x = {.l = l, .ids = ids};
    struct tape *t =
        tape_create_measured(l->session->k, (struct tape_options){0}, encode_text, &x, error);

    if (t == NULL) {
        return NULL;
    }
    x.out = g_new(float, (size_t)c->positions * c->width);
    encode_text(&x, t);
    tape_free(t);
    return x.out;
}

static bool embed_subject(struct learner *l, struct learner_subject *one, GError **error)
{
    one->ids = session_tokens(l->session, one->prompt, error);
    if (one->ids == NULL) {
        return false;
    }
    one->class_ids = session_tokens(l->session, one->class_prompt, error);
    if (one->class_ids == NULL) {
        return false;
    }
    one->text = learner_embed(l, one->ids, error);
    one->class_text = one->text != NULL ? learner_embed(l, one->class_ids, error) : NULL;
    return one->class_text != NULL;
}

bool learner_prepare_prompts(struct learner *l, GError **error)
{
    g_auto(GStrv) placeholders = choose_placeholders(l, error);

    if (placeholders == NULL) {
        return false;
    }
    for (int i = 0; i < l->options->n_subjects; i++) {
        name_subject(l, i, placeholders);
        if (!embed_subject(l, &g_array_index(l->subjects, struct learner_subject, i), error)) {
            return false;
        }
    }
    return true;
}

void learner_subject_finish(struct learner_subject *one)
{
    g_free(one->prompt);
    g_free(one->class_prompt);
    g_free(one->placeholder);
    g_free(one->ids);
    g_free(one->class_ids);
    g_free(one->text);
    g_free(one->class_text);
}
