/* The subjects' words: which rare word of the vocabulary stands for [V], what the class is called,
 * and which tokens of a prompt are the subject's own.
 *
 * A subject whose prompt has no [V] is called by the words that its prompt has and its class prompt
 * lacks ("a photo of a sks dog", "a photo of a dog"). No two subjects are called by the same. */
#include "engine/learn/learner.h"

#include "engine/base/error.h"
#include "engine/text/prompt.h"

#include <string.h>

#define CANDIDATES 64

static bool has(const char *text, const char *word)
{
    return text != NULL && strstr(text, word) != NULL;
}

static bool used(const struct learner *l, const char *word)
{
    for (int i = 0; i < l->options->n_subjects; i++) {
        const struct svdiff_subject *s = &l->options->subjects[i];
        if (has(s->prompt, word) || has(s->class_prompt, word)) {
            return true;
        }
    }
    return has(l->options->sample_prompt, word);
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

static void name_subject(struct learner *l, int i, const char *placeholder)
{
    struct learner_subject *one = &g_array_index(l->subjects, struct learner_subject, i);
    const struct svdiff_subject *s = &l->options->subjects[i];
    const bool replaced = prompt_has_placeholder(s->prompt);

    one->placeholder = replaced ? g_strdup(placeholder) : NULL;
    one->prompt = prompt_with(s->prompt, placeholder);
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

/* ---- the tokens that are a subject's own ---- */

bool learner_is_own_token(const struct learner_subject *one, int32_t id)
{
    for (guint i = 0; i < one->own->len; i++) {
        if (g_array_index(one->own, int32_t, i) == id) {
            return true;
        }
    }
    return false;
}

static bool among(const int32_t *ids, int n, int32_t id)
{
    for (int i = 0; i < n; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

static void find_own_tokens(const struct learner *l, struct learner_subject *one)
{
    const struct tokenizer *t = l->session->tokenizer;
    const int n = conditioner_tokens(l->conditioner);
    const int32_t *ids = one->text->ids;

    one->own = g_array_new(FALSE, FALSE, sizeof(int32_t));
    if (one->placeholder != NULL) {
        const int32_t id = tokenizer_id(t, one->placeholder);
        g_array_append_val(one->own, id);
        return;
    }
    for (int i = 1; i < n && ids[i] != tokenizer_eos(t); i++) {
        if (!among(one->class_text->ids, n, ids[i]) && !learner_is_own_token(one, ids[i])) {
            g_array_append_val(one->own, ids[i]);
        }
    }
}

// takes from each what another has, too; false when nothing is left of one that had some
static bool part_tokens(struct learner_subject *a, const struct learner_subject *b)
{
    const guint before = a->own->len;

    for (guint i = a->own->len; i > 0; i--) {
        if (learner_is_own_token(b, g_array_index(a->own, int32_t, i - 1))) {
            g_array_remove_index(a->own, i - 1);
        }
    }
    return before == 0 || a->own->len > 0;
}

static bool tell_apart(const struct learner *l, GError **error)
{
    for (guint i = 0; i < l->subjects->len; i++) {
        struct learner_subject *a = &g_array_index(l->subjects, struct learner_subject, i);
        for (guint j = 0; j < i; j++) {
            struct learner_subject *b = &g_array_index(l->subjects, struct learner_subject, j);
            g_autoptr(GArray) kept = g_array_copy(a->own);
            const bool apart = part_tokens(a, b);
            struct learner_subject before = {.own = kept};
            if (!apart || !part_tokens(b, &before)) {
                g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                            "The subjects \"%s\" and \"%s\" are called by the same word; give each "
                            "its own, or write [V] and one is chosen.",
                            b->prompt, a->prompt);
                return false;
            }
        }
    }
    return true;
}

bool learner_prepare_prompts(struct learner *l, GError **error)
{
    g_auto(GStrv) placeholders = choose_placeholders(l, error);

    if (placeholders == NULL) {
        return false;
    }
    for (int i = 0; i < l->options->n_subjects; i++) {
        struct learner_subject *one = &g_array_index(l->subjects, struct learner_subject, i);
        name_subject(l, i, placeholders[i]);
        one->text = learner_text(l, one->prompt, error);
        one->class_text = one->text != NULL ? learner_text(l, one->class_prompt, error) : NULL;
        if (one->class_text == NULL) {
            return false;
        }
        find_own_tokens(l, one);
    }
    return tell_apart(l, error);
}

void learner_subject_finish(struct learner_subject *one)
{
    g_free(one->prompt);
    g_free(one->class_prompt);
    g_free(one->placeholder);
    g_array_unref(one->pictures);
    g_array_unref(one->prior_pictures);
    g_free(one->region);
    if (one->own != NULL) {
        g_array_unref(one->own);
    }
}
