/* Texts as the networks take them: token ids, and the embedding of the text encoder without shifts.
 * Each text is made once; the embedding of one that comes up while learning is made with all shifts
 * of the text encoder switched off, whenever that is, so that a resumed run gets the same bits. */
#include "engine/learn/learner.h"

#include "engine/base/error.h"

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

void learner_text_free(void *text)
{
    struct learner_text *one = text;

    g_free(one->ids);
    g_free(one->embedding);
    g_free(one);
}

static bool fill_text(struct learner *l, struct learner_text *one, const char *prompt,
                      GError **error)
{
    one->ids = session_tokens(l->session, prompt, error);
    if (one->ids == NULL) {
        return false;
    }
    network_refresh(text_encoder_network(l->text_encoder), 0);
    one->embedding = learner_embed(l, one->ids, error);
    network_refresh(text_encoder_network(l->text_encoder), 1);
    return one->embedding != NULL;
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
