/* The random choices of a step, each a function of (seed, step, row): a run that was stopped and
 * resumed draws what an uninterrupted one draws.
 *
 *   latents   mean + deviation * noise of the autoencoder's posterior
 *   noise     normal, and with --noise-offset o * a normal number of the channel
 *   noisy     sqrt(abar_t) latents + sqrt(1 - abar_t) noise
 *   target    noise, or for v-models sqrt(abar_t) noise - sqrt(1 - abar_t) latents
 *
 * A row of the prior shows the same subjects as the instance row of its number, under their class
 * words. */
#include "engine/learn/mixing/learn_compose.h"
#include "engine/learn/run/learn_run.h"

#include "engine/base/noise.h"

#include <string.h>

/* The streams of random numbers of a row: the prior's are its own, so that the instance rows are
 * the same with and without it. */
struct streams {
    enum noise_stream training, timestep, order, latent, offset;
};
static const struct streams instance_streams = {NOISE_TRAINING, NOISE_TIMESTEP, NOISE_ORDER,
                                                NOISE_LATENT, NOISE_OFFSET};
static const struct streams prior_streams = {NOISE_PRIOR_TRAINING, NOISE_PRIOR_TIMESTEP,
                                             NOISE_PRIOR_ORDER, NOISE_PRIOR_LATENT,
                                             NOISE_PRIOR_OFFSET};

// a row of the batch while it is drawn
struct row {
    int i; // in the batch
    bool prior;
    uint64_t number;
    const struct streams *streams;
    struct learn_choice choice;
    float *noise, *latents; // [h, w, c]
    float *offset;          // [c]: of the noise, which is without it
    float *map;             // [h, w]: weights of the loss, as in learn_batch; NULL: not wanted
    const struct learn_composed *composed; // NULL: not mixed
};

// what is drawn besides the batch itself; kept for the trace
struct drawing {
    float *noise, *latents;                 // [n, h, w, c]
    float *offset;                          // [n, c]
    const struct learn_composed **composed; // [n]
};

static struct drawing *drawing_create(const struct learn_batch *b)
{
    struct drawing *d = g_new(struct drawing, 1);
    const size_t count = (size_t)b->n * b->h * b->w * b->c;

    *d = (struct drawing){.noise = g_new(float, count),
                          .latents = g_new(float, count),
                          .offset = g_new0(float, (size_t)b->n * b->c),
                          .composed = g_new0(const struct learn_composed *, b->n)};
    return d;
}

static void drawing_free(struct drawing *d)
{
    g_free(d->noise);
    g_free(d->latents);
    g_free(d->offset);
    g_free(d->composed);
    g_free(d);
}

/* ---- one picture ---- */

// into the row's latents: with --latent mean the mean, else a sample of the autoencoder
static void take_latents(const struct lesson *l, struct row *r,
                         const struct learn_pictures *pictures, int index, int variant)
{
    const int64_t size = (int64_t)pictures->h * pictures->w * pictures->c;
    g_autofree float *posterior = NULL;

    if (!l->options->latent_mean) {
        posterior = g_new(float, size);
        noise_normal(l->options->seed, r->streams->latent, r->number, posterior, size);
    }
    learn_pictures_latents(pictures, index, variant, posterior, r->latents);
}

/* Weight of each place's loss of `count` places from how much of each is the subject (in place):
 * 1 there, mask_weight elsewhere, 0 where another subject is that the prompt does not name (others,
 * how much of each is; NULL: none), over their mean. */
static void weigh_places(const struct lesson *l, const float *others, float *map, int count)
{
    const double outside = l->options->mask_weight;
    double sum = 0;

    for (int i = 0; i < count; i++) {
        const double unseen = others != NULL ? MAX(others[i] - map[i], 0) : 0;
        map[i] = (float)((outside + (1 - outside) * map[i]) * (1 - unseen));
        sum += map[i];
    }
    for (int i = 0; i < count; i++) {
        map[i] = (float)(map[i] * count / sum);
    }
}

// how much of each place is one of the subjects, or of those that are not among them; all of a
// picture without masks is
static void mark(const struct learn_picture *p, int variant, const struct learn_choice *c,
                 bool among, int count, float *map)
{
    for (int i = 0; i < count; i++) {
        map[i] = p->n_masks == 0 && among ? 1 : 0;
    }
    for (int j = 0; j < p->n_masks; j++) {
        bool shown = false;
        for (int k = 0; k < c->n; k++) {
            shown = shown || p->masks[j].subject == c->subjects[k];
        }
        for (int i = 0; i < count && shown == among; i++) {
            map[i] = MAX(map[i], p->masks[j].share[variant * count + i]);
        }
    }
}

// where each of several subjects of one picture is
static void mark_regions(const struct learn_picture *p, int variant, const struct learn_choice *c,
                         int count, float *regions)
{
    for (int k = 0; k < c->n; k++) {
        for (int j = 0; j < p->n_masks; j++) {
            if (p->masks[j].subject == c->subjects[k]) {
                memcpy(regions + (size_t)k * count, p->masks[j].share + variant * count,
                       count * sizeof *regions);
            }
        }
    }
}

/* Words for places hold only as the picture is, so several subjects are not mirrored. */
static int draw_variant(const struct lesson *l, const struct row *r, const struct learn_picture *p)
{
    const int mirrors = l->options->flip && r->choice.n > 1 ? 2 : 1;

    return mirrors *
           noise_integer(l->options->seed, r->streams->order, r->number, 1, p->variants / mirrors);
}

static void draw_single(const struct lesson *l, struct learn_batch *b, struct row *r)
{
    const struct lesson_subject *s = lesson_subject(l, r->choice.subjects[0]);
    const bool made = r->prior && s->prior_pictures->len > 0;
    const struct learn_pictures *pictures = made ? l->prior_pictures : l->pictures;
    const GArray *own = made ? s->prior_pictures : s->pictures;
    const int drawn =
        noise_integer(l->options->seed, r->streams->order, r->number, 0, (int)own->len);
    const bool given = !made && (!r->prior || r->choice.n > 1);
    const int index = given ? r->choice.picture : g_array_index(own, int, drawn);
    const struct learn_picture *p = learn_pictures_at(pictures, index);
    const int variant = made ? 0 : draw_variant(l, r, p);

    take_latents(l, r, pictures, index, variant);
    if (r->prior) {
        return;
    }
    if (r->map != NULL) {
        g_autofree float *others = g_new(float, b->h * b->w);
        mark(p, variant, &r->choice, true, b->h * b->w, r->map);
        mark(p, variant, &r->choice, false, b->h * b->w, others);
        weigh_places(l, others, r->map, b->h * b->w);
    }
    if (r->choice.n > 1) {
        mark_regions(p, variant, &r->choice, b->h * b->w,
                     b->regions + (size_t)r->i * b->slots * b->h * b->w);
    }
}

/* ---- a row ---- */

static void draw_mixed(const struct lesson *l, struct learn_batch *b, struct row *r)
{
    const int places = b->h * b->w;
    const bool made = r->prior && !lesson_prior_by_prediction(l);
    const struct learn_mixtures *m = made ? l->class_mixed : l->mixed;
    const int index = lesson_pick_composed(l, m, r->number, r->streams->order, &r->choice);

    r->composed = &g_array_index(m->list, struct learn_composed, index);
    take_latents(l, r, m->pictures, index, 0);
    if (r->map != NULL) {
        mark(learn_pictures_at(m->pictures, index), 0, &r->choice, true, places, r->map);
        weigh_places(l, NULL, r->map, places);
    }
    if (!r->prior) {
        lesson_mixed_regions(l, &r->choice, b->regions + (size_t)r->i * b->slots * places);
    }
}

static void set_text(const struct lesson *l, struct learn_batch *b, const struct row *r)
{
    g_autofree char *prompt = lesson_prompt(l, &r->choice, r->prior);
    const struct lesson_text *text = lesson_text(l, prompt);

    memcpy(b->ids + (size_t)r->i * b->tokens, text->ids, b->tokens * sizeof *text->ids);
    conditioning_set(&b->text, r->i, &text->becomes, 0);
    if (!r->prior && r->choice.n > 1) {
        lesson_mark_words(l, &r->choice, text->ids, b->tokens,
                          b->own + (size_t)r->i * b->slots * b->tokens);
    }
}

static double row_weight(const struct lesson *l, const struct learn_batch *b, const struct row *r,
                         int timestep)
{
    const double share = 1.0 / l->options->accumulate;

    return r->prior ? share * l->prior_weight / (b->n - b->instance)
                    : share / b->instance *
                          schedule_min_snr_weight(l->schedule, timestep, l->options->min_snr);
}

/* noise [size]: the row's, each channel moved by its offset, as diffusers' scripts do it:
 * noise += offset * randn(n, c, 1, 1). */
static void draw_noise(const struct lesson *l, const struct row *r, int channels, int64_t size,
                       float *noise)
{
    const struct svdiff_learn_options *o = l->options;

    noise_normal(o->seed, r->streams->training, r->number, r->noise, size);
    if (o->noise_offset > 0) {
        noise_normal(o->seed, r->streams->offset, r->number, r->offset, channels);
    }
    for (int64_t i = 0; i < size; i++) {
        noise[i] = r->noise[i] + (float)o->noise_offset * r->offset[i % channels];
    }
}

static void draw_row(const struct lesson *l, struct learn_batch *b, struct row *r)
{
    const uint64_t seed = l->options->seed;
    const int64_t size = (int64_t)b->h * b->w * b->c, at = r->i * size;

    lesson_choose(l, r->number, r->prior, &r->choice);
    if (r->choice.mixed) {
        draw_mixed(l, b, r);
    } else {
        draw_single(l, b, r);
    }
    float *noise = b->target + at; // which is made in its place
    draw_noise(l, r, b->c, size, noise);
    const int timestep =
        noise_integer(seed, r->streams->timestep, r->number, 0, l->schedule->n_timesteps);
    schedule_add_noise(l->schedule, timestep, r->latents, noise, b->noisy + at, size);
    schedule_target(l->schedule, timestep, r->latents, noise, noise, size);
    b->timesteps[r->i] = timestep;
    b->weights[r->i] = (float)row_weight(l, b, r, timestep);
    b->shown[r->i] = r->prior ? 1 : r->choice.n;
    set_text(l, b, r);
}

static void clear(struct learn_batch *b)
{
    const size_t places = (size_t)b->h * b->w;

    if (b->slots > 1) {
        memset(b->regions, 0, b->n * b->slots * places * sizeof *b->regions);
        memset(b->own, 0, (size_t)b->n * b->slots * b->tokens * sizeof *b->own);
    }
    for (size_t i = 0; b->map != NULL && i < b->n * places; i++) {
        b->map[i] = 1;
    }
}

/* ---- the trace ---- */

static void trace_rows(struct trace *trace, const struct learn_batch *b, int64_t m,
                       const struct drawing *d, bool offset)
{
    const char *const prefix[] = {"", "prior_"};
    const int first[] = {0, b->instance}, rows[] = {b->instance, b->n - b->instance};
    const size_t size = (size_t)b->h * b->w * b->c;

    for (int part = 0; part < 2; part++) {
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
        trace_add_image(trace, d->noise + f * size, n, b->h, b->w, b->c, "%snoise.%d", prefix[part],
                        (int)m);
        trace_add_image(trace, d->latents + f * size, n, b->h, b->w, b->c, "%slatents.%d",
                        prefix[part], (int)m);
        if (offset) {
            trace_add(trace, d->offset + (size_t)f * b->c, (const int64_t[]){n, b->c}, 2,
                      "%snoise_offset.%d", prefix[part], (int)m);
        }
        trace_add(trace, ids, (const int64_t[]){n, b->tokens}, 2, "%stokens.%d", prefix[part],
                  (int)m);
        trace_add(trace, steps, (const int64_t[]){n}, 1, "%stimestep.%d", prefix[part], (int)m);
    }
}

// the regions and words of rows with several subjects
static void trace_several(struct trace *trace, const struct learn_batch *b, int64_t m)
{
    const int64_t regions[] = {b->instance, b->slots, b->h, b->w};
    const int64_t words[] = {b->instance, b->slots, b->tokens};

    if (learn_batch_shown(b) > 1) {
        trace_add(trace, b->regions, regions, 4, "regions.%d", (int)m);
        trace_add(trace, b->own, words, 3, "subject_tokens.%d", (int)m);
    }
}

// of mixed rows the two pictures and how much of each is seen
static void trace_composed(struct trace *trace, const char *prefix, int n, int size, int64_t m,
                           const struct learn_composed *const *composed)
{
    const int count = size * size;
    g_autofree float *pictures = g_new0(float, 2 * (size_t)n * count * 3);
    g_autofree float *weights = g_new0(float, 2 * (size_t)n * count);
    bool any = false;

    for (int i = 0; i < n; i++) {
        const struct learn_composed *one = composed[i];
        for (int j = 0; j < 2 && one != NULL; j++) {
            const size_t at = (size_t)(2 * i + j) * count;
            any = true;
            memcpy(pictures + 3 * at, one->placed[j]->pixels, 3 * (size_t)count * sizeof(float));
            for (int k = 0; k < count; k++) {
                const float w = one->weight->pixels[k];
                weights[at + k] = j == one->front ? w : 1 - w;
            }
        }
    }
    if (any) {
        trace_add_image(trace, pictures, 2 * n, size, size, 3, "%smix_pictures.%d", prefix, (int)m);
        trace_add_image(trace, weights, 2 * n, size, size, 1, "%smix_masks.%d", prefix, (int)m);
    }
}

void learn_draw(const struct lesson *l, int64_t m, struct learn_batch *b, struct trace *trace)
{
    const size_t places = (size_t)b->h * b->w, size = places * b->c;
    struct drawing *d = drawing_create(b);

    clear(b);
    for (int i = 0; i < b->n; i++) {
        const bool prior = i >= b->instance;
        const int in_part = prior ? i - b->instance : i;
        struct row r = {.i = i,
                        .prior = prior,
                        .number = (uint64_t)m * (uint64_t)l->options->batch + (uint64_t)in_part,
                        .streams = prior ? &prior_streams : &instance_streams,
                        .noise = d->noise + i * size,
                        .latents = d->latents + i * size,
                        .offset = d->offset + (size_t)i * b->c,
                        .map = b->map != NULL && !prior ? b->map + i * places : NULL};
        draw_row(l, b, &r);
        d->composed[i] = r.composed;
    }
    if (trace != NULL) {
        trace_rows(trace, b, m, d, l->options->noise_offset > 0);
        trace_several(trace, b, m);
        trace_composed(trace, "", b->instance, l->options->size, m, d->composed);
        trace_composed(trace, "prior_", b->n - b->instance, l->options->size, m,
                       d->composed + b->instance);
    }
    drawing_free(d);
}
