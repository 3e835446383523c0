/* Texts as the UNet takes them; see conditioning.h. */
#include "engine/network/conditioning.h"

#include <string.h>

void conditioning_init(struct conditioning *c, int n, int tokens, int width, int pooled_width)
{
    *c = (struct conditioning){
        .n = n, .tokens = tokens, .width = width, .pooled_width = pooled_width};
    // zeros: rows that nobody sets are still numbers
    c->context = g_new0(float, (size_t)n *tokens *width);
    c->pooled = pooled_width > 0 ? g_new0(float, (size_t)n *pooled_width) : NULL;
}

void conditioning_clear(struct conditioning *c)
{
    g_free(c->context);
    g_free(c->pooled);
    *c = (struct conditioning){0};
}

void conditioning_set(struct conditioning *c, int to, const struct conditioning *from, int row)
{
    const size_t size = (size_t)c->tokens * c->width, pooled = (size_t)c->pooled_width;

    // a text of another length would run into the next row
    g_assert(from->tokens == c->tokens && from->width == c->width);
    memcpy(c->context + to * size, from->context + row * size, size * sizeof *c->context);
    if (c->pooled != NULL) {
        memcpy(c->pooled + to * pooled, from->pooled + row * pooled, pooled * sizeof *c->pooled);
    }
}

void conditioning_join(struct conditioning *c, const struct conditioning *all, const int *rows,
                       int n, int parts)
{
    // the same memory as n * parts texts of one part each
    struct conditioning pieces = {.tokens = all->tokens, .width = all->width};

    // longer texts: the UNet's attention takes any number of tokens
    conditioning_init(c, n, parts * all->tokens, all->width, all->pooled_width);
    pieces.context = c->context;
    for (int i = 0; i < n * parts; i++) {
        conditioning_set(&pieces, i, all, rows[i]);
    }
    for (int i = 0; i < n && c->pooled != NULL; i++) {
        memcpy(c->pooled + (size_t)i * c->pooled_width,
               all->pooled + (size_t)rows[i * parts] * c->pooled_width,
               (size_t)c->pooled_width * sizeof *c->pooled);
    }
}

static struct tensor *pooled_input(struct tape *t, const struct conditioning *c, int first, int n)
{
    const float *pooled = c->pooled + (size_t)first * c->pooled_width;

    return c->pooled != NULL ? tape_input(t, pooled, n, 1, 1, c->pooled_width, false) : NULL;
}

struct text_tensors conditioning_input(struct tape *t, const struct conditioning *c, int first,
                                       int n)
{
    // copied by tape_input: c may change afterwards
    const float *context = c->context + (size_t)first * c->tokens * c->width;
    struct tensor *x = tape_input(t, context, n, 1, c->tokens, c->width, false);

    return (struct text_tensors){
        .context = x, .pooled = pooled_input(t, c, first, n), .n = n, .tokens = c->tokens};
}

struct text_tensors conditioning_with_keys(struct tape *t, const struct conditioning *c, int first,
                                           int n, const cell *keys)
{
    return (struct text_tensors){
        .pooled = pooled_input(t, c, first, n), .keys = keys, .n = n, .tokens = c->tokens};
}
