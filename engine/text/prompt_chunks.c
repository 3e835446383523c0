/* prompt_chunks.c: see prompt_chunks.h. */
#include "engine/text/prompt_chunks.h"

#include "engine/text/prompt_parts.h"

#include <string.h>

#define BACKTRACK 20 // tokens behind a comma that move to the next chunk

// the chunk that is being filled, and those that are full
struct filling {
    const struct tokenizer *tokenizer;
    int length;
    int comma;              // the comma's own token
    int last_comma;         // where the last one of the chunk stands, or -1
    GArray *tokens, *known; // int32_t and float of the chunk
    GArray *ids, *weights;  // of all, framed
};

// the first n tokens are a chunk; what is behind them begins the next one
static void end_chunk(struct filling *f, guint n)
{
    const guint at = f->ids->len;

    g_array_set_size(f->ids, at + (guint)f->length);
    tokenizer_frame(f->tokenizer, (const int32_t *)(void *)f->tokens->data, (int)n, f->length,
                    &g_array_index(f->ids, int32_t, at));
    for (int i = 0; i < f->length; i++) {
        const bool own = i >= 1 && i <= (int)n;
        const float weight = own ? g_array_index(f->known, float, i - 1) : 1;
        g_array_append_val(f->weights, weight);
    }
    if (n > 0) {
        g_array_remove_range(f->tokens, 0, n);
        g_array_remove_range(f->known, 0, n);
    }
    f->last_comma = -1;
}

// for a token that n - 1 others follow as vectors of one word, which stay together
static void add_token(struct filling *f, int32_t id, int n, float weight)
{
    const int full = f->length - 2, count = (int)f->tokens->len;

    if (id == f->comma) {
        f->last_comma = count;
    } else if (count == full && f->last_comma >= 0 && count - f->last_comma <= BACKTRACK) {
        end_chunk(f, (guint)f->last_comma + 1);
    }
    if ((int)f->tokens->len == full || (n <= full && (int)f->tokens->len + n > full)) {
        end_chunk(f, f->tokens->len);
    }
    g_array_append_val(f->tokens, id);
    g_array_append_val(f->known, weight);
}

static bool add_part(struct filling *f, const struct prompt_part *part, GError **error)
{
    g_autoptr(GArray) ids = NULL;

    if (part->breaks) {
        end_chunk(f, f->tokens->len);
        return true;
    }
    ids = tokenizer_pieces(f->tokenizer, part->text, error);
    for (guint i = 0; ids != NULL && i < ids->len; i++) {
        const int32_t id = g_array_index(ids, int32_t, i);
        add_token(f, id, tokenizer_word_length(f->tokenizer, id), (float)part->weight);
    }
    return ids != NULL;
}

static bool fill(struct filling *f, const GArray *parts, GError **error)
{
    for (guint i = 0; i < parts->len; i++) {
        if (!add_part(f, prompt_part_at(parts, i), error)) {
            return false;
        }
    }
    if (f->tokens->len > 0 || f->ids->len == 0) {
        end_chunk(f, f->tokens->len);
    }
    return true;
}

bool prompt_chunks_make(struct prompt_chunks *c, const struct tokenizer *t, const char *text,
                        int length, GError **error)
{
    g_autoptr(GArray) parts = prompt_parts("The prompt", text, error);
    g_autoptr(GArray) tokens = g_array_new(FALSE, FALSE, sizeof(int32_t));
    g_autoptr(GArray) known = g_array_new(FALSE, FALSE, sizeof(float));
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int32_t));
    g_autoptr(GArray) weights = g_array_new(FALSE, FALSE, sizeof(float));
    struct filling f = {.tokenizer = t,
                        .length = length,
                        .comma = tokenizer_id(t, ","),
                        .last_comma = -1,
                        .tokens = tokens,
                        .known = known,
                        .ids = ids,
                        .weights = weights};

    if (parts == NULL || !fill(&f, parts, error)) {
        return false;
    }
    *c = (struct prompt_chunks){.n = (int)ids->len / length, .length = length};
    c->ids = g_memdup2(ids->data, ids->len * sizeof *c->ids);
    c->weights = g_memdup2(weights->data, weights->len * sizeof *c->weights);
    return true;
}

void prompt_chunks_clear(struct prompt_chunks *c)
{
    g_free(c->ids);
    g_free(c->weights);
    *c = (struct prompt_chunks){0};
}
