/* The random choices of a step, each a function of (seed, step, row): a run that was stopped and
 * resumed draws what an uninterrupted one draws.
 *
 *   latents   mean + deviation * noise of the autoencoder's posterior
 *   noisy     sqrt(abar_t) latents + sqrt(1 - abar_t) noise
 *   target    noise, or for v-models sqrt(abar_t) noise - sqrt(1 - abar_t) latents */
#include "engine/learner.h"

#include "engine/noise.h"

#include <string.h>

#define ANYONE (-1) // all of a picture counts

struct row {
    float *noise, *latents, *noisy, *target; // [h, w, c]
    int timestep;
    const struct learn_picture *picture;
    int variant;
};

/* The streams of random numbers of a row: the prior's are its own, so that the instance rows are
 * the same with and without it. */
struct streams {
    enum noise_stream order, latent, training, timestep;
};
static const struct streams instance_streams = {NOISE_ORDER, NOISE_LATENT, NOISE_TRAINING,
                                                NOISE_TIMESTEP};
static const struct streams prior_streams = {NOISE_PRIOR_ORDER, NOISE_PRIOR_LATENT,
                                             NOISE_PRIOR_TRAINING, NOISE_PRIOR_TIMESTEP};

/* The weight of each place's loss, [h, w], mean 1: 1 where the subject is, mask_weight elsewhere,
 * over their mean. All of a picture without masks is the subject. */
static void fill_map(const struct learner *l, const struct learn_picture *one, int variant,
                     int subject, float *map)
{
    const int count = l->batch->h * l->batch->w;
    const double outside = l->options->mask_weight;
    double sum = 0;

    for (int i = 0; i < count; i++) {
        float share = one->n_masks == 0 || subject == ANYONE ? 1 : 0;
        for (int j = 0; j < one->n_masks; j++) {
            if (one->masks[j].subject == subject) {
                share = one->masks[j].share[variant * count + i];
            }
        }
        map[i] = (float)(outside + (1 - outside) * share);
        sum += map[i];
    }
    for (int i = 0; i < count; i++) {
        map[i] = (float)(map[i] * count / sum);
    }
}

/* Draws row number `number` from one of these pictures. */
static void draw_row(struct learner *l, uint64_t number, const struct streams *s,
                     const struct learn_pictures *pictures, const GArray *indices, struct row *r)
{
    const uint64_t seed = l->options->seed;
    const int64_t size = (int64_t)l->batch->h * l->batch->w * l->batch->c;
    const int chosen = noise_integer(seed, s->order, number, 0, (int)indices->len);
    const int index = g_array_index(indices, int, chosen);
    const struct learn_picture *one = learn_pictures_at(pictures, index);
    const int variant = noise_integer(seed, s->order, number, 1, one->variants);
    g_autofree float *posterior = NULL;

    r->picture = one;
    r->variant = variant;
    if (!l->options->latent_mean) {
        posterior = g_new(float, size);
        noise_normal(seed, s->latent, number, posterior, size);
    }
    learn_pictures_latents(pictures, index, variant, posterior, r->latents);
    noise_normal(seed, s->training, number, r->noise, size);
    r->timestep = noise_integer(seed, s->timestep, number, 0, l->schedule->n_timesteps);
    schedule_add_noise(l->schedule, r->timestep, r->latents, r->noise, r->noisy, size);
    schedule_target(l->schedule, r->timestep, r->latents, r->noise, r->target, size);
}

static void trace_rows(const struct learner *l, int64_t m, const float *noise, const float *latents)
{
    const struct learn_batch *b = l->batch;
    const char *const prefix[] = {"", "prior_"};
    const int first[] = {0, b->instance}, rows[] = {b->instance, b->n - b->instance};
    const size_t size = (size_t)b->h * b->w * b->c;

    for (int part = 0; part < 2 && l->trace != NULL; part++) {
        if (rows[part] == 0) {
            continue;
        }
        const int f = first[part], n = rows[part];
        g_autofree float *ids = g_new(float, (size_t)n * b->tokens);
        g_autofree float *steps = g_new(float, n);
        for (int i = 0; i < n * b->tokens; i++) {
            ids[i] = (float)b->ids[(size_t)f * b->tokens + i];
        }
        for (int i = 0; i < n; i++) {
            steps[i] = (float)b->timesteps[f + i];
        }
        trace_add_image(l->trace, noise + f * size, n, b->h, b->w, b->c, "%snoise.%d", prefix[part],
                        (int)m);
        trace_add_image(l->trace, latents + f * size, n, b->h, b->w, b->c, "%slatents.%d",
                        prefix[part], (int)m);
        trace_add(l->trace, ids, (const int64_t[]){n, b->tokens}, 2, "%stokens.%d", prefix[part],
                  (int)m);
        trace_add(l->trace, steps, (const int64_t[]){n}, 1, "%stimestep.%d", prefix[part], (int)m);
    }
}

static void set_text(struct learner *l, int i, const struct learner_text *text)
{
    struct learn_batch *b = l->batch;
    const size_t width = (size_t)unet_config(l->unet)->cross_attention_dim * b->tokens;

    memcpy(b->ids + (size_t)i * b->tokens, text->ids, b->tokens * sizeof *text->ids);
    memcpy(b->text + i * width, text->embedding, width * sizeof *text->embedding);
}

void learner_draw(struct learner *l, int64_t m)
{
    struct learn_batch *b = l->batch;
    const int chosen =
        noise_integer(l->options->seed, NOISE_SUBJECT, (uint64_t)m, 0, (int)l->subjects->len);
    const struct learner_subject *s = &g_array_index(l->subjects, struct learner_subject, chosen);
    const size_t size = (size_t)b->h * b->w * b->c;
    const double share = 1.0 / l->options->accumulate;
    g_autofree float *noise = g_new(float, b->n *size);
    g_autofree float *latents = g_new(float, b->n *size);

    for (int i = 0; i < b->n; i++) {
        const bool prior = i >= b->instance;
        const bool own = !prior || s->prior_pictures->len == 0;
        struct row r = {.noise = noise + i * size,
                        .latents = latents + i * size,
                        .noisy = b->noisy + i * size,
                        .target = b->target + i * size};
        const int i_part = prior ? i - b->instance : i;
        draw_row(l, (uint64_t)m * (uint64_t)l->options->batch + (uint64_t)i_part,
                 prior ? &prior_streams : &instance_streams, own ? l->pictures : l->prior_pictures,
                 own ? s->pictures : s->prior_pictures, &r);
        if (b->map != NULL) {
            fill_map(l, r.picture, r.variant, prior ? ANYONE : chosen,
                     b->map + (size_t)i * b->h * b->w);
        }
        b->timesteps[i] = r.timestep;
        b->weights[i] = (float)(prior ? share * l->prior_weight / (b->n - b->instance)
                                      : share / b->instance *
                                            schedule_min_snr_weight(l->schedule, r.timestep,
                                                                    l->options->min_snr));
        set_text(l, i, prior ? s->class_text : s->text);
    }
    trace_rows(l, m, noise, latents);
}
