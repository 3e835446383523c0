/* The unmix loss of one attention; see attention_guide.h.
 *
 *   forward   a = attention(q, k, v) with v[t, i] = the share of token t among subject i's own, in
 *             every head: channel i of head h is the probability of the subject's words there; the
 *             device's unmix entry takes the loss of them
 *   backward  begins with the derivative of that entry; from there the attention's own
 *
 * A head has d channels, so more subjects than that take several runs. No more is kept than the
 * channels of these few tokens, and nothing waits for the host. */
#include "engine/tape/attention_guide.h"

#include "engine/tape/ops.h"

static enum map_scale scale_of(enum unmix_maps maps)
{
    return maps == UNMIX_MEAN ? MAP_MEAN : maps == UNMIX_MAX ? MAP_MAX : MAP_PLAIN;
}

// their shares as cells
static const cell *words_as_cells(struct tape *t, const struct unmix *u)
{
    const kernels *k = tape_kernels(t);
    const int64_t count = (int64_t)u->n * u->tokens * u->slots;

    if (k->activation == KERNELS_F32) {
        return (const cell *)u->words;
    }
    cell *words = tape_cells(t, count);
    k->convert(k, count, KERNELS_F32, u->words, k->activation, words);
    return words;
}

// the subjects' shares of their words as values, the same in each head
static struct tensor *words_as_values(struct tape *t, const struct unmix *u, struct unmix_shape s)
{
    const kernels *k = tape_kernels(t);
    const int width = s.heads * s.d;
    struct tensor *v = tape_tensor(t, u->n, 1, u->tokens, width);
    const cell *words = kernels_at(k, words_as_cells(t, u), s.first);

    k->zero(k, v->data, tape_bytes(t, tensor_count(v)));
    for (int h = 0; h < s.heads; h++) {
        k->copy_columns(k, tensor_rows(v), s.count, words, u->slots,
                        kernels_at(k, v->data, h * s.d), width, false);
    }
    return v;
}

static void run_part(struct tape *t, struct tensor *q, struct tensor *k, const struct unmix *u,
                     struct unmix_shape s, int layer)
{
    const kernels *table = tape_kernels(t);
    struct tensor *a = attention(t, q, k, words_as_values(t, u, s), s.heads, false);

    table->unmix(table, s, u->shown, u->factor, u->others, a->data, u->map,
                 u->losses + (size_t)layer * u->n * u->slots, tape_gradient(t, a));
}

// what forward runs alone are asked for
static void add_seen(const struct tape *t, const struct unmix *u, int layer)
{
    const kernels *k = tape_kernels(t);
    const size_t count = (size_t)u->n * u->slots * u->places;
    g_autofree double *map = g_new(double, count);

    k->download(k, map, u->map, count * sizeof *map);
    for (size_t i = 0; i < count; i++) {
        u->seen[layer * count + i] += map[i];
    }
}

void unmix_attention(struct tape *t, struct tensor *q, struct tensor *k, int heads,
                     const struct unmix *u, int layer)
{
    struct unmix_shape s = {.n = u->n,
                            .places = u->places,
                            .heads = heads,
                            .d = q->c / heads,
                            .slots = u->slots,
                            .scale = scale_of(u->maps)};

    g_assert(tensor_tokens(q) == u->places && tensor_tokens(k) == u->tokens && q->n == u->n);
    for (; s.first < u->slots; s.first += s.d) {
        s.count = MIN(s.d, u->slots - s.first);
        run_part(t, q, k, u, s, layer);
    }
    if (u->seen != NULL) {
        add_seen(t, u, layer);
    }
}
