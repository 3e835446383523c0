/* Texts as the networks take them: token ids, and what the text encoders without shifts make of
 * them. Each text is made once; that of one that comes up while learning is made with all shifts of
 * the text encoder switched off, whenever that is, so that a resumed run gets the same bits. */
#include "engine/learn/learner.h"

void learner_text_free(void *text)
{
    struct learner_text *one = text;

    g_free(one->ids);
    conditioning_clear(&one->becomes);
    g_free(one);
}

static bool fill_text(struct learner *l, struct learner_text *one, const char *prompt,
                      GError **error)
{
    one->ids = conditioner_ids(l->conditioner, prompt, error);
    if (one->ids == NULL) {
        return false;
    }
    conditioner_refresh(l->conditioner, 0);
    const bool done = conditioner_encode(l->conditioner, one->ids, 1, &one->becomes, error);
    conditioner_refresh(l->conditioner, 1);
    return done;
}

const struct learner_text *learner_text(struct learner *l, const char *prompt, GError **error)
{
    struct learner_text *one = g_hash_table_lookup(l->texts, prompt);

    if (one != NULL) {
        return one;
    }
    one = g_new0(struct learner_text, 1);
    if (!fill_text(l, one, prompt, error)) {
        learner_text_free(one);
        return NULL;
    }
    g_hash_table_insert(l->texts, g_strdup(prompt), one);
    return one;
}
