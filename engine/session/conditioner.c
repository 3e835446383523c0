/* Texts to conditioning; see conditioner.h.
 *
 *   text -> token ids -> text encoder -> last hidden state [tokens, width]
 *
 * Of a prompt with weights and of any length, each chunk z [tokens, width] for itself:
 *   weighted = weight of the token * z,  z' = weighted * mean(z) / mean(weighted)      over all of the chunk
 * as A1111's stable-diffusion-webui does, so that weights move what is said, not how strong it is. */
#include "engine/session/conditioner.h"

#include "engine/base/error.h"
#include "engine/text/prompt_chunks.h"

#include <math.h>
#include <string.h>

struct conditioner {
    svdiff *session;
    GPtrArray *encoders;
    int skip;                           // 1: the encoder's last layer
    struct tokenizer *own;              // with words; NULL: the session's
    const struct embedding_list *words; // NULL: none
    struct weight_source source;        // without them
};

/* ---- words with vectors of their own: the table's further rows ---- */

#define TABLE TEXT_ENCODER_MODULE "embeddings.token_embedding.weight"

static bool read_with_words(void *user, const char *name, const int64_t *shape, int n_dims,
                            float *out, GError **error)
{
    const struct conditioner *c = user;
    const struct weight_source *s = &c->source;

    if (strcmp(name, TABLE) != 0) {
        return s->read(s->user, name, shape, n_dims, out, error);
    }
    const int64_t own[] = {c->words->first, shape[1]};
    if (!s->read(s->user, name, own, 2, out, error)) {
        return false;
    }
    memcpy(out + own[0] * own[1], c->words->vectors->data, c->words->vectors->len * sizeof(float));
    return true;
}

static struct weight_source source_with_words(struct conditioner *c)
{
    if (embedding_list_count(c->words) == 0 || c->source.read == NULL) {
        return c->source;
    }
    return (struct weight_source){.read = read_with_words, .user = c, .serial = c->source.serial};
}

struct conditioner *conditioner_create(svdiff *s, component_source source, void *user,
                                       const struct embedding_list *words, GError **error)
{
    static const struct embedding_list none = {0};
    struct conditioner *c = g_new0(struct conditioner, 1);
    struct text_config config = *checkpoint_text_config(s->checkpoint);

    // set before anything can fail, so that freeing is the same for all
    c->session = s;
    c->skip = 1;
    c->encoders = g_ptr_array_new_with_free_func((GDestroyNotify)text_encoder_free);
    c->words = words != NULL ? words : &none;
    // subjects are in the weights that a source of theirs reads
    c->source =
        source != NULL ? source(user, MODEL_TEXT_ENCODER) : session_source(s, MODEL_TEXT_ENCODER);
    if (embedding_list_count(c->words) > 0) {
        config.vocabulary += embedding_list_count(c->words);
        c->own = tokenizer_with_words(s->tokenizer, (const void *)c->words->words->data,
                                      (int)c->words->words->len);
    }
    struct text_encoder *e = text_encoder_create(s->k, &config, source_with_words(c), error);
    if (e == NULL) {
        conditioner_free(c);
        return NULL;
    }
    g_ptr_array_add(c->encoders, e);
    return c;
}

void conditioner_free(struct conditioner *c)
{
    if (c != NULL) {
        g_ptr_array_unref(c->encoders);
        tokenizer_free(c->own);
        g_free(c);
    }
}

int conditioner_tokens(const struct conditioner *c)
{
    return text_encoder_config(c->encoders->pdata[0])->positions;
}

int conditioner_width(const struct conditioner *c)
{
    return text_encoder_config(c->encoders->pdata[0])->width;
}

const GPtrArray *conditioner_encoders(const struct conditioner *c)
{
    return c->encoders;
}

bool conditioner_skip(struct conditioner *c, int skip, GError **error)
{
    const int layers = text_encoder_config(c->encoders->pdata[0])->layers;

    if (skip < 1 || skip > layers) {
        return error_usage(error,
                           "--clip-skip is %d; the text encoder of this model has %d layers, so it "
                           "can be from 1, the last one, to %d.",
                           skip, layers, layers);
    }
    c->skip = skip;
    return true;
}

void conditioner_refresh(struct conditioner *c)
{
    for (guint i = 0; i < c->encoders->len; i++) {
        network_refresh(text_encoder_network(c->encoders->pdata[i]), 1);
    }
}

/* ---- ids ---- */

static const struct tokenizer *tokenizer_of(const struct conditioner *c)
{
    return c->own != NULL ? c->own : c->session->tokenizer;
}

static bool check_ids(const struct conditioner *c, const int32_t *ids, GError **error)
{
    // a tokenizer that was named by hand may be another model's
    const int vocabulary = text_encoder_config(c->encoders->pdata[0])->vocabulary;

    for (int i = 0; i < conditioner_tokens(c); i++) {
        if (ids[i] < 0 || ids[i] >= vocabulary) {
            return error_failed(error,
                                "The tokenizer of %s gives the token %d, but its text encoder has "
                                "only %d; the two folders belong to different models.",
                                c->session->options.model, ids[i], vocabulary);
        }
    }
    return true;
}

int32_t *conditioner_ids(const struct conditioner *c, const char *text, GError **error)
{
    const int length = conditioner_tokens(c);
    g_autofree int32_t *ids = g_new(int32_t, length);
    g_autofree char *left_out = NULL;

    if (!tokenizer_encode(tokenizer_of(c), text, length, ids, &left_out, error) ||
        !check_ids(c, ids, error)) {
        return NULL;
    }
    // the encoder has so many positions and no more
    if (left_out != NULL) {
        session_warn(c->session, "The prompt is too long for the model; left out: \"%s\".",
                     left_out);
    }
    return g_steal_pointer(&ids);
}

/* ---- encoding ---- */

static int layers_of(const struct conditioner *c)
{
    return text_encoder_config(c->encoders->pdata[0])->layers - (c->skip - 1);
}

struct text_tensors conditioner_forward(const struct conditioner *c, struct tape *t,
                                        const int32_t *ids, int n)
{
    const struct text_encoder *e = c->encoders->pdata[0];

    // no pooled vector: SD 1 and 2 have none
    return (struct text_tensors){
        .context = text_encoder_forward(t, e, ids, n, conditioner_tokens(c), layers_of(c))};
}

struct texts {
    const struct conditioner *conditioner;
    const int32_t *ids; // [n, tokens]
    int n;
    struct conditioning *out; // NULL while measuring
};

static void encode(void *user, struct tape *t)
{
    const struct texts *x = user;
    const struct text_tensors text = conditioner_forward(x->conditioner, t, x->ids, x->n);

    if (x->out != NULL) {
        tape_download(t, text.context, x->out->context);
    }
}

bool conditioner_encode(const struct conditioner *c, const int32_t *ids, int n,
                        struct conditioning *out, GError **error)
{
    struct texts x = {.conditioner = c, .ids = ids, .n = n};
    struct tape *t =
        tape_create_measured(c->session->k, (struct tape_options){0}, encode, &x, error);

    if (t == NULL) {
        return false;
    }
    conditioning_init(out, n, conditioner_tokens(c), conditioner_width(c), 0);
    // the tape was measured without a result
    x.out = out;
    encode(&x, t);
    const bool done = tape_sync(t, error);
    tape_free(t);
    if (!done) {
        conditioning_clear(out); // the caller got nothing that it would have to free
    }
    return done;
}

bool conditioner_embed(const struct conditioner *c, const char *const *texts, int n,
                       struct conditioning *out, GError **error)
{
    const int tokens = conditioner_tokens(c);
    g_autofree int32_t *ids = g_new(int32_t, (size_t)n * tokens);

    for (int i = 0; i < n; i++) {
        g_autofree int32_t *one = conditioner_ids(c, texts[i], error);
        if (one == NULL) {
            return false;
        }
        // [n, tokens]: all texts in one run of the encoder
        memcpy(ids + (size_t)i * tokens, one, (size_t)tokens * sizeof *ids);
    }
    return conditioner_encode(c, ids, n, out, error);
}

/* ---- prompts ---- */

// n texts of at most `chunks` chunks; those that have fewer get empty ones
struct prompts {
    struct prompt_chunks *texts;
    int n, chunks;
};

static void clear_prompts(struct prompts *p)
{
    for (int i = 0; i < p->n; i++) {
        prompt_chunks_clear(&p->texts[i]);
    }
    g_free(p->texts);
}

static bool make_prompts(const struct conditioner *c, const char *const *texts, int n,
                         struct prompts *p, GError **error)
{
    *p = (struct prompts){.texts = g_new0(struct prompt_chunks, n), .n = n};
    for (int i = 0; i < n; i++) {
        if (!prompt_chunks_make(&p->texts[i], tokenizer_of(c), texts[i], conditioner_tokens(c),
                                error)) {
            return false;
        }
        p->chunks = MAX(p->chunks, p->texts[i].n);
    }
    return true;
}

// [n * chunks, tokens]; NULL with an error
static int32_t *prompt_ids(const struct conditioner *c, const struct prompts *p, GError **error)
{
    const int tokens = conditioner_tokens(c);
    g_autofree int32_t *ids = g_new(int32_t, (size_t)p->n * p->chunks * tokens);

    for (int i = 0; i < p->n * p->chunks; i++) {
        const struct prompt_chunks *text = &p->texts[i / p->chunks];
        const int chunk = i % p->chunks;
        int32_t *row = ids + (size_t)i * tokens;
        if (chunk < text->n) {
            memcpy(row, text->ids + (size_t)chunk * tokens, (size_t)tokens * sizeof *row);
        } else {
            tokenizer_frame(tokenizer_of(c), NULL, 0, tokens, row);
        }
        if (!check_ids(c, row, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&ids);
}

static bool has_weights(const float *weights, int tokens)
{
    for (int i = 0; i < tokens; i++) {
        if (weights[i] != 1) {
            return true;
        }
    }
    return false;
}

static double mean_of(const float *values, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return sum / (double)count;
}

// a chunk [tokens, width]
static bool weigh(float *chunk, const float *weights, int tokens, int width, GError **error)
{
    const size_t count = (size_t)tokens * width;
    const double mean = mean_of(chunk, count);

    if (!has_weights(weights, tokens)) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        chunk[i] *= weights[i / width];
    }
    const double factor = mean / mean_of(chunk, count);
    for (size_t i = 0; i < count; i++) {
        chunk[i] = (float)(factor * chunk[i]);
    }
    return isfinite(factor) ||
           error_usage(error, "The weights of a prompt leave nothing of it; use other ones.");
}

bool conditioner_embed_prompts(const struct conditioner *c, const char *const *texts, int n,
                               struct conditioning *out, GError **error)
{
    const int tokens = conditioner_tokens(c), width = conditioner_width(c);
    struct prompts p;
    g_autofree int32_t *ids =
        make_prompts(c, texts, n, &p, error) ? prompt_ids(c, &p, error) : NULL;
    bool done = ids != NULL && conditioner_encode(c, ids, n * p.chunks, out, error);

    if (done) {
        for (int i = 0; done && i < n * p.chunks; i++) {
            const struct prompt_chunks *text = &p.texts[i / p.chunks];
            const int chunk = i % p.chunks;
            done = chunk >= text->n ||
                   weigh(out->context + (size_t)i * tokens * width,
                         text->weights + (size_t)chunk * tokens, tokens, width, error);
        }
        // chunks of a text lie behind each other already
        out->n = n;
        out->tokens = p.chunks * tokens;
    }
    if (!done && ids != NULL) {
        conditioning_clear(out);
    }
    clear_prompts(&p);
    return done;
}
