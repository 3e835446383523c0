/* Texts as the networks take them: token ids, and what the text encoders without shifts make of
 * them. Each is made once, all of them before the first step: which a run shows is known from its
 * seed, and a resumed run gets the same bits. */
#include "engine/learn/mixing/learn_choice.h"

const struct lesson_text *lesson_text(const struct lesson *l, const char *prompt)
{
    return g_hash_table_lookup(l->texts, prompt);
}

const struct lesson_text *lesson_add_text(struct lesson *l, const struct conditioner *c,
                                          const char *prompt, GError **error)
{
    struct lesson_text *one = g_hash_table_lookup(l->texts, prompt);
    struct conditioning becomes = {0};

    if (one != NULL) {
        return one;
    }
    g_autofree int32_t *ids = conditioner_ids(c, prompt, error);
    if (ids == NULL || !conditioner_encode(c, ids, 1, &becomes, error)) {
        return NULL;
    }
    one = g_new(struct lesson_text, 1);
    *one = (struct lesson_text){.ids = g_steal_pointer(&ids), .becomes = becomes};
    // the table owns both; pointers to a text stay good while others come
    g_hash_table_insert(l->texts, g_strdup(prompt), one);
    return one;
}

// those of one row, and of the prior's row of the same number
static bool add_texts_of(struct lesson *l, const struct conditioner *c, uint64_t number,
                         GError **error)
{
    for (int prior = 0; prior <= (lesson_prior_rows(l) > 0); prior++) {
        struct learn_choice choice;
        lesson_choose(l, number, prior, &choice);
        g_autofree char *prompt = lesson_prompt(l, &choice, prior);
        if (lesson_add_text(l, c, prompt, error) == NULL) {
            return false;
        }
    }
    return true;
}

bool lesson_add_texts(struct lesson *l, const struct conditioner *c, GError **error)
{
    const struct svdiff_learn_options *o = l->options;
    const uint64_t rows = (uint64_t)o->steps * (uint64_t)o->accumulate * (uint64_t)o->batch;

    // one subject alone has no other texts than its own
    for (uint64_t i = 0; i < rows && lesson_subjects(l) > 1; i++) {
        if (!add_texts_of(l, c, i, error)) {
            return false;
        }
    }
    return true;
}
