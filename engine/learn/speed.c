/* The speed of this machine; see speed.h.
 *
 *   seconds = sum over kinds and levels of operations * part / speed / SHARE
 *
 * The speed of a kind is measured at each resolution of the UNet, a few calls of each, of which the
 * best counts. The part of a kind's operations that runs at a level goes with
 *
 *   h w c^2      convolutions and linear layers
 *   (h w)^2 c    attention, where a level has it
 *
 * since all levels have about as many blocks. */
#include "engine/learn/speed.h"

// of the time of a network that its products take: norms, copies and what is small are the rest
#define SHARE 0.9
#define RUNS  3

/* Floating-point operations of a timed call, at most about: of a large level some rows of pixels or
 * of queries, enough to keep many threads busy; an operation takes as long in the others. */
#define OPERATIONS 2e10

// one resolution of the UNet: latents [2, h, w, c], two pictures at once as guidance has them
struct level {
    int h, w, c, heads;
    bool attends;
};

enum { PICTURES = 2, ARRAYS = 4 };

// so many of the level's rows as need OPERATIONS, of which each needs `each`; one at least
static int rows_for(int rows, double each)
{
    return CLAMP((int)MIN(OPERATIONS / each, (double)rows), 1, rows);
}

// what is timed; x: arrays of the level's values, weight: room for 3x3 of them
struct probe {
    const kernels *k;
    struct level level;
    cell *x[ARRAYS];
    void *weight;
};

static void run_conv(const struct probe *p)
{
    const struct level *l = &p->level;
    const int h = rows_for(l->h, 18.0 * PICTURES * l->w * l->c * l->c);
    const struct conv_shape s = {PICTURES, h, l->w, l->c, h, l->w, l->c, 3, 3, 1, 1, 1};
    const struct kernels_weight w = {.data = p->weight, .type = p->k->weight};

    p->k->conv_forward(p->k, s, p->x[0], w, NULL, p->x[1]);
}

static void run_linear(const struct probe *p)
{
    const struct level *l = &p->level;
    const int h = rows_for(l->h, 2.0 * PICTURES * l->w * l->c * l->c);
    const struct linear_shape s = {(int64_t)PICTURES * h * l->w, l->c, l->c};
    const struct kernels_weight w = {.data = p->weight, .type = p->k->weight};

    p->k->linear_forward(p->k, s, p->x[0], w, NULL, p->x[1]);
}

static void run_attention(const struct probe *p)
{
    const struct level *l = &p->level;
    const int tokens = l->h * l->w;
    const struct attention_shape s = {.n = PICTURES,
                                      .heads = l->heads,
                                      .tq = rows_for(tokens, 4.0 * PICTURES * tokens * l->c),
                                      .tk = tokens,
                                      .d = l->c / l->heads,
                                      .scale = 1};

    p->k->attention_forward(p->k, s, p->x[0], p->x[1], p->x[2], p->x[3], NULL);
}

static void (*const runs[KERNELS_KINDS])(const struct probe *p) = {
    [KERNELS_CONV] = run_conv,
    [KERNELS_LINEAR] = run_linear,
    [KERNELS_ATTENTION] = run_attention,
};

// seconds a floating-point operation of one kind takes
static double time_kind(const struct probe *p, enum kernels_kind kind, const kernels *count)
{
    struct probe counted = *p;
    double best = G_MAXDOUBLE;

    counted.k = count;
    const double before = kernels_counted(count, kind);
    runs[kind](&counted);
    const double operations = kernels_counted(count, kind) - before;
    for (int i = 0; i < RUNS; i++) {
        const gint64 begin = g_get_monotonic_time();
        runs[kind](p);
        p->k->sync(p->k, NULL); // a failure shows later
        best = MIN(best, (double)(g_get_monotonic_time() - begin + 1) / 1e6);
    }
    return best / operations;
}

// how much of a kind's work there is at a level, as against another
static double part_of(const struct level *l, enum kernels_kind kind)
{
    const double tokens = (double)l->h * l->w;

    if (kind == KERNELS_ATTENTION) {
        return l->attends ? tokens * tokens * l->c : 0;
    }
    return tokens * l->c * l->c;
}

// adds the seconds of so many operations of each kind at a level; false without memory
static bool add_level(const svdiff *s, struct level level, const double operations[KERNELS_KINDS],
                      double *seconds)
{
    g_autoptr(kernels) count = kernels_count(s->k);
    struct probe p = {.k = s->k, .level = level};
    const size_t bytes =
        (size_t)PICTURES * level.h * level.w * level.c * kernels_size(s->k->activation);
    const size_t weight = (size_t)9 * level.c * level.c * kernels_size(s->k->weight);
    bool done = (p.weight = s->k->alloc(s->k, weight)) != NULL;

    for (int i = 0; i < ARRAYS; i++) {
        p.x[i] = s->k->alloc(s->k, bytes);
        done = done && p.x[i] != NULL;
    }
    for (int kind = 0; kind < KERNELS_KINDS && done; kind++) {
        if (operations[kind] > 0) {
            *seconds += operations[kind] * time_kind(&p, (enum kernels_kind)kind, count);
        }
    }
    for (int i = 0; i < ARRAYS; i++) {
        s->k->release(s->k, p.x[i], bytes);
    }
    s->k->release(s->k, p.weight, weight);
    return done;
}

static int list_levels(const svdiff *s, int width, int height, struct level *levels)
{
    const struct unet_config *u = checkpoint_unet_config(s->checkpoint);
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));

    for (int i = 0; i < u->n_levels; i++) {
        levels[i] = (struct level){.h = MAX(height / factor >> i, 1),
                                   .w = MAX(width / factor >> i, 1),
                                   .c = u->block_out_channels[i],
                                   .heads = u->heads[i],
                                   .attends = u->down_cross[i]};
    }
    return u->n_levels;
}

double speed_seconds(const svdiff *s, const double operations[KERNELS_KINDS], int width, int height)
{
    struct level levels[UNET_MAX_LEVELS];
    const int n = list_levels(s, width, height, levels);
    double all[KERNELS_KINDS] = {0}, seconds = 0;

    for (int i = 0; i < n; i++) {
        for (int kind = 0; kind < KERNELS_KINDS; kind++) {
            all[kind] += part_of(&levels[i], (enum kernels_kind)kind);
        }
    }
    for (int i = 0; i < n; i++) {
        double here[KERNELS_KINDS];
        for (int kind = 0; kind < KERNELS_KINDS; kind++) {
            // a text encoder's attention where the UNet has none
            const double part = part_of(&levels[i], (enum kernels_kind)kind);
            here[kind] = all[kind] > 0 ? operations[kind] * part / all[kind] : 0;
        }
        if (!add_level(s, levels[i], here, &seconds)) {
            return -1;
        }
    }
    return seconds / SHARE;
}

/* ---- weights ---- */

#define READ_VALUES (16 << 20) // that are read for a measure, at most about

// some of the UNet's convolutions, which are the most of it; returns how many values
static int64_t name_weights(struct reader *r, const svdiff *s, struct weight *weights, int room)
{
    int64_t values = 0;
    int n = 0;

    for (size_t i = 0; i < checkpoint_count(s->checkpoint) && n < room && values < READ_VALUES;
         i++) {
        const struct model_tensor *t = checkpoint_at(s->checkpoint, i);
        if (t->component == MODEL_UNET && t->n_dims == 4 && t->shape[2] == 3) {
            read_conv(r, &weights[n++], (int)t->shape[1], (int)t->shape[0], 3, "%s", t->module);
            values += model_tensor_values(t);
        }
    }
    return values;
}

double speed_value_seconds(svdiff *s)
{
    struct network net;
    struct weight weights[16];
    struct reader r = {.net = &net, .source = session_source(s, MODEL_UNET)};

    network_init(&net, s->k, "UNet");
    const gint64 begin = g_get_monotonic_time();
    const int64_t values = name_weights(&r, s, weights, G_N_ELEMENTS(weights));
    const bool done = read_end(&r);
    const double seconds = (double)(g_get_monotonic_time() - begin) / 1e6;
    network_finish(&net);
    // whoever really reads them says what is wrong
    return done && values > 0 ? seconds / (double)values : 0;
}

/* ---- memory ---- */

#define FRESH_BYTES ((size_t)64 << 20)

double speed_byte_seconds(const svdiff *s)
{
    void *memory = s->k->alloc(s->k, FRESH_BYTES);

    if (memory == NULL) {
        return 0;
    }
    const gint64 begin = g_get_monotonic_time();
    s->k->zero(s->k, memory, FRESH_BYTES);
    s->k->sync(s->k, NULL); // a failure shows later
    const double seconds = (double)(g_get_monotonic_time() - begin) / 1e6;
    s->k->release(s->k, memory, FRESH_BYTES);
    // by one thread here, by all of them in a run
    return seconds / FRESH_BYTES / s->k->threads;
}
