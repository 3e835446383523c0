/* attention_blocks_cpu.c: softmax attention by blocks, whose probabilities are never written as a whole
 * (Dao et al. 2022, FlashAttention).
 *
 *   per block of 64 queries, over blocks of keys, everything transposed, a query a lane:
 *     S' [key, query] = K Q',  m = max(m, S'),  P' = e^(scale (S' - m))
 *     l = l e^(scale (m_old - m)) + sum P',  Y' [d, query] = Y' e^(scale (m_old - m)) + V' P'
 *   then y = Y / l and lse = scale m + log l
 *
 * With queries in lanes no sum or maximum runs across lanes, and K is multiplied in the order in which
 * it lies. Before, K and V of a head of a picture are laid into the workspace, for as many heads at a
 * time as fit. Rounded to the type of values are the probabilities and y; sums, maxima, l and lse are
 * float. What differs by that type is in attention_f32_cpu.c and attention_bf16_cpu.c. */
#include "kernels/attention_blocks_cpu.h"

#include <math.h>
#include <omp.h>

#if defined __x86_64__ && defined __GNUC__

#define FEW_KEYS   32 // at a time where the first cache, with more, would hold up AMX:
#define FEW_VALUES 80 // heads with at most so many

// what of a head of a picture is laid out ahead, for each block of keys
struct head {
    uint32_t *keys;   // [blocks, KEYS, room of d]
    uint32_t *values; // [blocks, room of d's rows, room of KEYS]
};

// a thread's own
struct block {
    uint32_t *q;       // [room of d, QUERIES]
    float *scores;     // [KEYS, QUERIES]
    uint32_t *p;       // [room of KEYS, QUERIES]; of floats the scores' place
    float *y;          // [d, QUERIES]
    float *most, *sum; // [QUERIES]
};

struct attention {
    const struct attention_values *values;
    enum product_way way;
    struct attention_shape s;
    int64_t keys_words, values_words; // of a block of keys
    const char *q, *key, *v;
    char *y;
    float *lse;
};

static int64_t blocks_of(int tokens, int size)
{
    return (tokens + size - 1) / size;
}

// AMX's tiles have 16 rows
static int64_t rows_of(int d)
{
    return blocks_of(d, PRODUCT_LANES) * PRODUCT_LANES;
}

static bool take_head(struct onednn_room *room, const struct attention *a, struct head *h)
{
    const size_t blocks = (size_t)blocks_of(a->s.tk, KEYS);

    h->keys = cpu_take(room, blocks * (size_t)a->keys_words * sizeof *h->keys);
    h->values = cpu_take(room, blocks * (size_t)a->values_words * sizeof *h->values);
    return h->keys != NULL && h->values != NULL;
}

static bool take_block(struct onednn_room *room, const struct attention *a, struct block *b)
{
    const size_t row = QUERIES * sizeof(float);

    b->q = cpu_take(room, (size_t)a->values->room(a->s.d) * row);
    b->scores = cpu_take(room, KEYS * row);
    b->p = a->values->type == KERNELS_F32 ? (uint32_t *)b->scores
                                          : cpu_take(room, (size_t)a->values->room(KEYS) * row);
    b->y = cpu_take(room, (size_t)rows_of(a->s.d) * row);
    b->most = cpu_take(room, row);
    b->sum = cpu_take(room, row);
    return b->q && b->scores && b->p && b->y && b->most && b->sum;
}

/* ---- a block of queries ---- */

// products of keys first .. first + keys, and the maxima that they raise
static void block_scores(const struct attention *a, const struct head *h, const struct block *b,
                         int first, int keys)
{
    const int64_t row = a->values->room(a->s.d);
    const struct product p = {.way = a->way,
                              .rows = keys,
                              .k = (int)a->values->words(a->s.d),
                              .lanes = QUERIES,
                              .a = h->keys + first * row,
                              .a_row = row,
                              .b = b->q,
                              .b_row = QUERIES,
                              .c = b->scores,
                              .c_row = QUERIES};

    product_run(&p, b->most);
}

static void block_values(const struct attention *a, const struct head *h, const struct block *b,
                         int first, int keys)
{
    const struct attention_values *t = a->values;
    const struct product p = {.way = a->way,
                              .rows = a->s.d,
                              .k = (int)t->words(keys),
                              .lanes = QUERIES,
                              .a = h->values + first / KEYS * a->values_words +
                                   t->words(first % KEYS),
                              .a_row = t->room(KEYS),
                              .b = b->p,
                              .b_row = QUERIES,
                              .c = b->y,
                              .c_row = QUERIES,
                              .accumulate = first > 0};

    product_run(&p, NULL);
}

static void block_keys(const struct attention *a, const struct head *h, const struct block *b,
                       int first, int keys)
{
    const float scale = a->s.scale;
    float before[QUERIES];

    for (int i = 0; i < QUERIES; i++) {
        before[i] = b->most[i];
    }
    block_scores(a, h, b, first, keys);
    if (first > 0) {
        a->values->rescale(scale, a->s.d, before, b->most, b->sum, b->y);
    }
    a->values->powers(scale, keys, b->scores, b->most, b->p, b->sum);
    block_values(a, h, b, first, keys);
}

// y [queries, d] of the rows at y, and lse where it is wanted
static void block_finish(const struct attention *a, const struct block *b, int queries, char *y,
                         float *lse)
{
    float inverse[QUERIES];

    for (int i = 0; i < QUERIES; i++) {
        inverse[i] = 1 / b->sum[i];
    }
    a->values->finish(a->s, queries, b->y, inverse, y);
    for (int i = 0; lse != NULL && i < queries; i++) {
        lse[i] = b->most[i] * a->s.scale + logf(b->sum[i]);
    }
}

// where a token of a head of a picture begins in an array with so many tokens
static size_t bytes_at(const struct attention *a, int pair, int tokens, int token)
{
    const struct attention_shape s = a->s;
    const int64_t row = (int64_t)(pair / s.heads) * tokens + token;

    return (size_t)(row * row_of(s) + (int64_t)(pair % s.heads) * s.d) *
           kernels_size(a->values->type);
}

// queries first .. of a pair of picture and head
static void block_forward(const struct attention *a, const struct head *h, const struct block *b,
                          int pair, int first)
{
    const struct attention_shape s = a->s;
    const int queries = MIN(QUERIES, s.tq - first);
    const int step = a->way == PRODUCT_AMX && s.d <= FEW_VALUES ? FEW_KEYS : KEYS;
    const size_t at = bytes_at(a, pair, s.tq, first);

    a->values->lay_queries(s, queries, a->q + at, b->q);
    for (int i = 0; i < QUERIES; i++) {
        b->most[i] = -INFINITY;
        b->sum[i] = 0;
    }
    for (int from = 0; from < s.tk; from += step) {
        block_keys(a, h, b, from, MIN(step, s.tk - from));
    }
    block_finish(a, b, queries, a->y + at,
                 a->lse != NULL ? a->lse + (int64_t)pair * s.tq + first : NULL);
}

/* ---- all of them ---- */

static void lay_keys(const struct attention *a, const struct head *h, int pair, int block)
{
    const size_t at = bytes_at(a, pair, a->s.tk, block * KEYS);

    a->values->lay_keys(a->s, MIN(KEYS, a->s.tk - block * KEYS), a->key + at, a->v + at,
                        h->keys + block * a->keys_words, h->values + block * a->values_words);
}

// pairs of picture and head from `first` on, whose keys and values are laid into heads
static void run_heads(const kernels *k, const struct attention *a, const struct head *heads,
                      int first, int count, const struct block *blocks)
{
    const struct attention_shape s = a->s;
    const int64_t key_blocks = blocks_of(s.tk, KEYS), q_blocks = blocks_of(s.tq, QUERIES);
    const int threads = cpu_threads(k, (int64_t)count * s.tq * s.tk);

#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
        for (int64_t i = 0; i < count * key_blocks; i++) {
            const int pair = (int)(i / key_blocks);
            lay_keys(a, &heads[pair], first + pair, (int)(i % key_blocks));
        }
        product_begin(a->way);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < count * q_blocks; i++) {
            const int pair = (int)(i / q_blocks);
            block_forward(a, &heads[pair], &blocks[omp_get_thread_num()], first + pair,
                          (int)(i % q_blocks) * QUERIES);
        }
        product_end(a->way);
    }
}

static bool possible(const struct attention *a)
{
    // by AVX2 it takes as long as whole rows of scores; measured, see SPEED.md
    return !a->s.causal && a->s.tk > 0 && a->s.scale > 0 && a->way != PRODUCT_NONE &&
           a->way != PRODUCT_AVX2;
}

bool attention_blocks_forward(const kernels *k, const struct attention_values *values,
                              struct attention_shape s, const cell *q, const cell *key,
                              const cell *v, cell *y, float *lse)
{
    const struct attention a = {.values = values,
                                .way = product_way(values->type),
                                .s = s,
                                .keys_words = KEYS * values->room(s.d),
                                .values_words = rows_of(s.d) * values->room(KEYS),
                                .q = (const char *)q,
                                .key = (const char *)key,
                                .v = (const char *)v,
                                .y = (char *)y,
                                .lse = lse};
    const int pairs = s.n * s.heads;
    g_autofree struct block *blocks = g_new(struct block, k->threads);
    g_autofree struct head *heads = g_new(struct head, MAX(pairs, 1));
    struct onednn_room room = cpu_workspace(k);
    int fit = 0;

    if (!possible(&a)) {
        return false;
    }
    for (int i = 0; i < k->threads; i++) {
        if (!take_block(&room, &a, &blocks[i])) {
            return false;
        }
    }
    while (fit < pairs && take_head(&room, &a, &heads[fit])) {
        fit++;
    }
    for (int first = 0; fit > 0 && first < pairs; first += fit) {
        run_heads(k, &a, heads, first, MIN(fit, pairs - first), blocks);
    }
    return fit > 0;
}

#else

bool attention_blocks_forward(const kernels *k, const struct attention_values *values,
                              struct attention_shape s, const cell *q, const cell *key,
                              const cell *v, cell *y, float *lse)
{
    return false;
}
#endif
