/* The speed of this machine; see speed.h.
 *
 *   seconds = sum over kinds of operations / speed / SHARE
 *
 * The speed of a kind is measured at the first and the last resolution of the UNet, a few calls of
 * each, of which the best counts. Half of the operations are taken to run at each of the two, so
 * that their harmonic mean is the speed. */
#include "engine/learn/speed.h"

// of the time of a network that its products take: norms, copies and what is small are the rest
#define SHARE 0.8
#define RUNS  4

// one resolution of the UNet: latents [2, h, w, c], two pictures at once as guidance has them
struct level {
    int h, w, c, heads;
};

enum { PICTURES = 2, ARRAYS = 4 };

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
    const struct conv_shape s = {PICTURES, l->h, l->w, l->c, l->h, l->w, l->c, 3, 3, 1, 1, 1};
    const struct kernels_weight w = {.data = p->weight, .type = p->k->precision};

    p->k->conv_forward(p->k, s, p->x[0], w, NULL, p->x[1]);
}

static void run_linear(const struct probe *p)
{
    const struct level *l = &p->level;
    const struct linear_shape s = {(int64_t)PICTURES * l->h * l->w, l->c, l->c};
    const struct kernels_weight w = {.data = p->weight, .type = p->k->precision};

    p->k->linear_forward(p->k, s, p->x[0], w, NULL, p->x[1]);
}

static void run_attention(const struct probe *p)
{
    const struct level *l = &p->level;
    const struct attention_shape s = {.n = PICTURES,
                                      .heads = l->heads,
                                      .tq = l->h * l->w,
                                      .tk = l->h * l->w,
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

// adds half of the seconds of each kind; false without memory
static bool add_level(const svdiff *s, struct level level, const double operations[KERNELS_KINDS],
                      double *seconds)
{
    g_autoptr(kernels) count = kernels_count(s->k);
    struct probe p = {.k = s->k, .level = level};
    const size_t bytes =
        (size_t)PICTURES * level.h * level.w * level.c * kernels_size(s->k->activation);
    const size_t weight = (size_t)9 * level.c * level.c * kernels_size(s->k->precision);
    bool done = (p.weight = s->k->alloc(s->k, weight)) != NULL;

    for (int i = 0; i < ARRAYS; i++) {
        p.x[i] = s->k->alloc(s->k, bytes);
        done = done && p.x[i] != NULL;
    }
    for (int kind = 0; kind < KERNELS_KINDS && done; kind++) {
        if (operations[kind] > 0) {
            *seconds += operations[kind] / 2 * time_kind(&p, (enum kernels_kind)kind, count);
        }
    }
    for (int i = 0; i < ARRAYS; i++) {
        s->k->release(s->k, p.x[i], bytes);
    }
    s->k->release(s->k, p.weight, weight);
    return done;
}

double speed_seconds(const svdiff *s, const double operations[KERNELS_KINDS], int width, int height)
{
    const struct unet_config *u = checkpoint_unet_config(s->checkpoint);
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));
    double seconds = 0;

    for (int i = 0; i < 2; i++) {
        const int level = i * (u->n_levels - 1);
        const struct level l = {.h = MAX(height / factor >> level, 1),
                                .w = MAX(width / factor >> level, 1),
                                .c = u->block_out_channels[level],
                                .heads = u->heads[level]};
        if (!add_level(s, l, operations, &seconds)) {
            return -1;
        }
    }
    return seconds / SHARE;
}
