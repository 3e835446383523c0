/* The subjects' words: which rare word of the vocabulary stands for [V], what the class is called,
 * and which tokens of a prompt are the subject's own.
 *
 * A subject whose prompt has no [V] is called by the words that its prompt has and its class prompt
 * lacks ("a photo of a sks dog", "a photo of a dog"). No two subjects are called by the same. */
#include "engine/learn/lesson.h"

#include "engine/base/error.h"
#include "engine/text/prompt.h"

#include <string.h>

// how many rare words are looked through: prompts rarely have one of them
#define CANDIDATES 64

static bool has(const char *text, const char *word)
{
    return text != NULL && strstr(text, word) != NULL;
}

// a word that some text of the run has, even as a part of another, stands for nothing else
static bool used(const struct lesson *l, const char *word)
{
    for (int i = 0; i < l->options->n_subjects; i++) {
        const struct svdiff_subject *s = &l->options->subjects[i];
        if (has(s->prompt, word) || has(s->class_prompt, word)) {
            return true;
        }
    }
    for (guint i = 0; i < l->captions->len; i++) {
        if (has(l->captions->pdata[i], word)) {
            return true;
        }
    }
    return has(l->options->sample_prompt, word);
}

/* One word for each subject, never the same and none that a prompt has. Owned by the caller,
 * NULL-terminated. */
static char **choose_placeholders(const struct lesson *l, GError **error)
{
    const int n = l->options->n_subjects;
    g_auto(GStrv) words = tokenizer_rare_words(l->session->tokenizer, CANDIDATES);
    g_autoptr(GPtrArray) chosen = g_ptr_array_new_with_free_func(g_free);

    for (char **word = words; *word != NULL && (int)chosen->len < n; word++) {
        if (!used(l, *word)) {
            g_ptr_array_add(chosen, g_strdup(*word));
        }
    }
    if ((int)chosen->len < n) {
        error_failed(error,
                     "The model's vocabulary has too few rare words for %d subjects; learn fewer.",
                     n);
        return NULL;
    }
    g_ptr_array_add(chosen, NULL);
    return (char **)g_ptr_array_steal(chosen, NULL);
}

/* ---- words that the vocabulary does not have ---- */

#define OWN_WORD "<V%d>" // which no other text has, whatever the file is called

// what of the class prompt the vectors begin as: its last word, the thing itself
static const char *class_word(const struct lesson *l, int i)
{
    const struct svdiff_learn_options *o = l->options;
    const char *text = lesson_subject(l, i)->class_prompt, *blank = strrchr(text, ' ');

    return o->start_word != NULL ? o->start_word : blank != NULL ? blank + 1 : text;
}

// of a subject's vectors, once its class prompt is known: in turn where there are more than tokens
static bool find_start(struct lesson *l, int i, GError **error)
{
    g_autoptr(GArray) pieces = tokenizer_pieces(l->session->tokenizer, class_word(l, i), error);

    if (pieces == NULL || pieces->len == 0) {
        return pieces != NULL &&
               error_usage(error,
                           "What is learned of \"%s\" has no word of its class to begin with; say "
                           "one with --start-word WORD.",
                           l->options->subjects[i].prompt);
    }
    for (int k = 0; k < lesson_subject(l, i)->vectors; k++) {
        g_array_append_val(l->start, g_array_index(pieces, int32_t, (guint)k % pieces->len));
    }
    return true;
}

// one for each subject, as choose_placeholders
static char **make_placeholders(struct lesson *l)
{
    const struct text_config *config = checkpoint_text_config(l->session->checkpoint);
    const int n = lesson_subjects(l);
    char **words = g_new0(char *, n + 1);

    embedding_list_create(&l->words, config->vocabulary, config->width);
    for (int i = 0; i < n; i++) {
        struct lesson_subject *one = lesson_subject(l, i);
        words[i] = g_strdup_printf(OWN_WORD, i + 1);
        one->vectors = l->options->vectors;
        one->first = l->words.first + embedding_list_count(&l->words);
        embedding_list_add_word(&l->words, words[i], one->vectors);
    }
    return words;
}

/* The prompt as it is tokenised, the class prompt, and the word. Without [V] and class prompt the
 * two would be the same text, which a prior cannot hold on to. */
static void name_subject(struct lesson *l, int i, const char *placeholder)
{
    struct lesson_subject *one = lesson_subject(l, i);
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
    if (replaced && one->vectors == 0) {
        session_note(l->session, "[V] of \"%s\" is the word \"%s\".", s->prompt, one->placeholder);
    }
}

/* The captions of a subject's pictures as they are tokenised: with [V] in the place of its prompt, else behind
 * it, so that every picture has the subject's word. An empty one is none. */
static void put_captions(struct lesson *l, const struct lesson_subject *one,
                         const char *placeholder)
{
    for (guint i = 0; i < one->pictures->len; i++) {
        void **caption = &l->captions->pdata[g_array_index(one->pictures, int, i)];
        const char *said = *caption != NULL ? *caption : "";
        char *text = prompt_has_placeholder(said) ? prompt_with(said, placeholder)
                     : *said != '\0'              ? g_strdup_printf("%s, %s", one->prompt, said)
                                                  : NULL;
        g_free(*caption);
        *caption = text;
    }
}

bool lesson_name_subjects(struct lesson *l, bool own_words, GError **error)
{
    g_auto(GStrv) placeholders = own_words ? make_placeholders(l) : choose_placeholders(l, error);

    for (int i = 0; i < lesson_subjects(l) && placeholders != NULL; i++) {
        name_subject(l, i, placeholders[i]);
        put_captions(l, lesson_subject(l, i), placeholders[i]);
        if (own_words && !find_start(l, i, error)) {
            return false;
        }
    }
    return placeholders != NULL;
}

/* ---- the tokens that are a subject's own ---- */

static bool among(const int32_t *ids, int n, int32_t id)
{
    for (int i = 0; i < n; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

// of n tokens a text: that of the placeholder, or all that the class prompt has not, each once
static void find_own_tokens(const struct lesson *l, int n, struct lesson_subject *one)
{
    const struct tokenizer *t = l->session->tokenizer;
    const int32_t *ids = one->text->ids;

    one->own = g_array_new(FALSE, FALSE, sizeof(int));
    for (int i = 0; i < one->vectors; i++) {
        const int id = one->first + i;
        g_array_append_val(one->own, id);
    }
    if (one->vectors == 0 && one->placeholder != NULL) {
        const int id = tokenizer_id(t, one->placeholder);
        g_array_append_val(one->own, id);
    }
    for (int i = 1; one->placeholder == NULL && i < n && ids[i] != tokenizer_eos(t); i++) {
        if (!among(one->class_text->ids, n, ids[i]) && !learn_list_has(one->own, ids[i])) {
            g_array_append_val(one->own, ids[i]);
        }
    }
}

// takes from a subject's own tokens what another has, too; false when nothing is left of some
static bool part_tokens(GArray *own, const GArray *others)
{
    const guint before = own->len;

    for (guint i = own->len; i > 0; i--) {
        if (learn_list_has(others, g_array_index(own, int, i - 1))) {
            g_array_remove_index(own, i - 1);
        }
    }
    return before == 0 || own->len > 0;
}

static bool part_all(const struct lesson *l, GError **error)
{
    for (int i = 0; i < lesson_subjects(l); i++) {
        const struct lesson_subject *a = lesson_subject(l, i);
        for (int j = 0; j < i; j++) {
            const struct lesson_subject *b = lesson_subject(l, j);
            // both lose what they share, so the second looks at what the first had
            g_autoptr(GArray) before = g_array_copy(a->own);
            if (!part_tokens(a->own, b->own) || !part_tokens(b->own, before)) {
                return error_failed(error,
                                    "The subjects \"%s\" and \"%s\" are called by the same word; "
                                    "give each its own, or write [V] and one is chosen.",
                                    b->prompt, a->prompt);
            }
        }
    }
    return true;
}

bool lesson_tell_apart(struct lesson *l, const struct conditioner *c, GError **error)
{
    for (int i = 0; i < lesson_subjects(l); i++) {
        struct lesson_subject *one = lesson_subject(l, i);
        // both belong to the lesson's texts, which are there before any shift
        one->text = lesson_add_text(l, c, one->prompt, error);
        one->class_text =
            one->text != NULL ? lesson_add_text(l, c, one->class_prompt, error) : NULL;
        if (one->class_text == NULL) {
            return false;
        }
        find_own_tokens(l, conditioner_tokens(c), one);
    }
    for (guint i = 0; i < l->captions->len; i++) {
        const char *caption = l->captions->pdata[i];
        if (caption != NULL && lesson_add_text(l, c, caption, error) == NULL) {
            return false;
        }
    }
    return part_all(l, error);
}

int lesson_placeholders(const struct lesson *l, int32_t *ids)
{
    int n = 0;

    for (int i = 0; i < lesson_subjects(l); i++) {
        const char *placeholder = lesson_subject(l, i)->placeholder;
        if (placeholder != NULL) {
            ids[n++] = tokenizer_id(l->session->tokenizer, placeholder);
        }
    }
    return n;
}
