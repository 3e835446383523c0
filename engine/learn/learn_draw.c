/* The random choices of a step, each a function of (seed, step, row): a run that was stopped and
 * resumed draws what an uninterrupted one draws.
 *
 *   latents   mean + deviation * noise of the autoencoder's posterior, or a mixture of two such
 *   noisy     sqrt(abar_t) latents + sqrt(1 - abar_t) noise
 *   target    noise, or for v-models sqrt(abar_t) noise - sqrt(1 - abar_t) latents
 *
 * A row of the prior shows the same subjects as the instance row of its number, under their class
 * words. */
#include "engine/learn/learn_compose.h"
#include "engine/learn/learn_mix.h"

#include "engine/base/noise.h"

#include <string.h>

/* The streams of random numbers of a row: the prior's are its own, so that the instance rows are
 * the same with and without it. */
struct streams {
    enum noise_stream training, timestep;
    struct learn_mix_streams pictures;
};
static const struct streams instance_streams = {
    NOISE_TRAINING, NOISE_TIMESTEP, {NOISE_ORDER, {NOISE_LATENT, NOISE_CUT_MIX_LATENT}}};
static const struct streams prior_streams = {
    NOISE_PRIOR_TRAINING,
    NOISE_PRIOR_TIMESTEP,
    {NOISE_PRIOR_ORDER, {NOISE_PRIOR_LATENT, NOISE_PRIOR_CUT_MIX_LATENT}}};

// a row of the batch while it is drawn
struct row {
    int i; // in the batch
    bool prior;
    uint64_t number;
    const struct streams *streams;
    struct learn_choice choice;
    float *noise, *latents; // [h, w, c]
    struct learn_mixture mixture;
    const struct learn_composed *composed; // NULL: not mixed, or in latents
};

// what is drawn besides the batch itself; kept for the trace
struct drawing {
    float *noise, *latents;                 // [n, h, w, c]
    float *sources;                         // [n, 2, h, w, c]
    float *weights;                         // [n, 2, h, w]
    float *regions;                         // [n, 2, h, w] of mixed rows
    const struct learn_composed **composed; // [n]
};

static struct drawing *drawing_create(const struct learn_batch *b)
{
    struct drawing *d = g_new(struct drawing, 1);
    const size_t places = (size_t)b->n * b->h * b->w;

    *d = (struct drawing){.noise = g_new(float, places * b->c),
                          .latents = g_new(float, places * b->c),
                          .sources = g_new0(float, 2 * places * b->c),
                          .weights = g_new0(float, 2 * places),
                          .regions = g_new0(float, 2 * places),
                          .composed = g_new0(const struct learn_composed *, b->n)};
    return d;
}

static void drawing_free(struct drawing *d)
{
    g_free(d->noise);
    g_free(d->latents);
    g_free(d->sources);
    g_free(d->weights);
    g_free(d->regions);
    g_free(d->composed);
    g_free(d);
}

/* ---- one picture ---- */

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
static int draw_variant(const struct learner *l, const struct row *r, const struct learn_picture *p)
{
    const int mirrors = l->options->flip && r->choice.n > 1 ? 2 : 1;

    return mirrors * noise_integer(l->options->seed, r->streams->pictures.order, r->number, 1,
                                   p->variants / mirrors);
}

static void draw_single(struct learner *l, struct row *r)
{
    const struct learn_batch *b = l->batch;
    const struct learner_subject *s =
        &g_array_index(l->subjects, struct learner_subject, r->choice.subjects[0]);
    const bool made = r->prior && s->prior_pictures->len > 0;
    const struct learn_pictures *pictures = made ? l->prior_pictures : l->pictures;
    const GArray *own = made ? s->prior_pictures : s->pictures;
    const int drawn =
        noise_integer(l->options->seed, r->streams->pictures.order, r->number, 0, (int)own->len);
    const bool given = !made && (!r->prior || r->choice.n > 1);
    const int index = given ? r->choice.picture : g_array_index(own, int, drawn);
    const struct learn_picture *p = learn_pictures_at(pictures, index);
    const int variant = made ? 0 : draw_variant(l, r, p);

    learner_take_latents(l, r->number, r->streams->pictures.latent[0], pictures, index, variant,
                         r->latents);
    if (r->prior) {
        return;
    }
    if (b->map != NULL) {
        g_autofree float *others = g_new(float, b->h * b->w);
        mark(p, variant, &r->choice, true, b->h * b->w, r->mixture.map);
        mark(p, variant, &r->choice, false, b->h * b->w, others);
        learner_loss_map(l, others, r->mixture.map, b->h * b->w);
    }
    if (r->choice.n > 1) {
        mark_regions(p, variant, &r->choice, b->h * b->w,
                     b->regions + (size_t)r->i * b->slots * b->h * b->w);
    }
}

/* ---- a row ---- */

/* As the mixture of one picture with itself, whose weights say for the trace who is where: w of the
 * one in front is its mask. */
static void note_composed(const struct learner *l, struct row *r, int index)
{
    const int places = l->batch->h * l->batch->w, channels = l->batch->c;
    const int front = r->composed->front;
    const float *mask = learn_pictures_at(l->composed, index)->masks[0].share;
    float *weights = r->mixture.weights;

    for (int i = 0; i < 2; i++) {
        memcpy(r->mixture.sources + (size_t)i * places * channels, r->latents,
               (size_t)places * channels * sizeof(float));
    }
    for (int i = 0; i < places; i++) {
        weights[front * places + i] = mask[i];
        weights[(1 - front) * places + i] = 1 - mask[i];
    }
}

static void draw_composed(struct learner *l, struct row *r)
{
    const int index = learner_pick_composed(l, r->number, r->streams->pictures.order, &r->choice);
    const struct learn_picture *p = learn_pictures_at(l->composed, index);
    const int places = l->batch->h * l->batch->w;

    r->composed = &g_array_index(l->compositions, struct learn_composed, index);
    learner_take_latents(l, r->number, r->streams->pictures.latent[0], l->composed, index, 0,
                         r->latents);
    learner_mixed_regions(l, &r->choice, r->mixture.regions);
    note_composed(l, r, index);
    if (r->mixture.map != NULL) {
        mark(p, 0, &r->choice, true, places, r->mixture.map);
        learner_loss_map(l, NULL, r->mixture.map, places);
    }
}

static void draw_mixed(struct learner *l, struct row *r)
{
    const bool class_pictures = r->prior && !learner_prior_by_prediction(l);

    if (l->compositions->len > 0 && !class_pictures) {
        draw_composed(l, r);
        return;
    }
    learner_mix(l, r->number, &r->choice, &r->streams->pictures, class_pictures, &r->mixture,
                r->latents);
}

static void draw_latents(struct learner *l, struct row *r)
{
    struct learn_batch *b = l->batch;

    if (!r->choice.mixed) {
        draw_single(l, r);
        return;
    }
    draw_mixed(l, r);
    if (!r->prior) {
        memcpy(b->regions + (size_t)r->i * b->slots * b->h * b->w, r->mixture.regions,
               2 * (size_t)b->h * b->w * sizeof(float));
    }
}

void learner_mark_words(const struct learner *l, const struct learn_choice *c, const int32_t *ids,
                        int tokens, float *own)
{
    for (int k = 0; k < c->n; k++) {
        const struct learner_subject *s =
            &g_array_index(l->subjects, struct learner_subject, c->subjects[k]);
        for (int t = 0; t < tokens; t++) {
            own[k * tokens + t] = learner_is_own_token(s, ids[t]);
        }
    }
}

static bool set_text(struct learner *l, const struct row *r, GError **error)
{
    struct learn_batch *b = l->batch;
    g_autofree char *prompt = learn_choice_prompt(l, &r->choice, r->prior);
    const struct learner_text *text = learner_text(l, prompt, error);

    if (text == NULL) {
        return false;
    }
    memcpy(b->ids + (size_t)r->i * b->tokens, text->ids, b->tokens * sizeof *text->ids);
    conditioning_set(&b->text, r->i, &text->becomes, 0);
    if (!r->prior && r->choice.n > 1) {
        learner_mark_words(l, &r->choice, text->ids, b->tokens,
                           b->own + (size_t)r->i * b->slots * b->tokens);
    }
    return true;
}

static double row_weight(const struct learner *l, const struct row *r, int timestep)
{
    const struct learn_batch *b = l->batch;
    const double share = 1.0 / l->options->accumulate;

    return r->prior ? share * l->prior_weight / (b->n - b->instance)
                    : share / b->instance *
                          schedule_min_snr_weight(l->schedule, timestep, l->options->min_snr);
}

static bool draw_row(struct learner *l, struct row *r, GError **error)
{
    struct learn_batch *b = l->batch;
    const uint64_t seed = l->options->seed;
    const int64_t size = (int64_t)b->h * b->w * b->c, at = r->i * size;

    learner_choose(l, r->number, &r->choice);
    if (r->prior && !r->choice.mixed && !learner_prior_by_prediction(l)) {
        // pictures of the class show one thing each
        r->choice.n = 1;
    }
    draw_latents(l, r);
    noise_normal(seed, r->streams->training, r->number, r->noise, size);
    const int timestep =
        noise_integer(seed, r->streams->timestep, r->number, 0, l->schedule->n_timesteps);
    schedule_add_noise(l->schedule, timestep, r->latents, r->noise, b->noisy + at, size);
    schedule_target(l->schedule, timestep, r->latents, r->noise, b->target + at, size);
    b->timesteps[r->i] = timestep;
    b->weights[r->i] = (float)row_weight(l, r, timestep);
    b->shown[r->i] = r->prior ? 1 : r->choice.n;
    return set_text(l, r, error);
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

static void trace_rows(const struct learner *l, int64_t m, const float *noise, const float *latents)
{
    const struct learn_batch *b = l->batch;
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
        trace_add_image(l->trace, noise + f * size, n, b->h, b->w, b->c, "%snoise.%d", prefix[part],
                        (int)m);
        trace_add_image(l->trace, latents + f * size, n, b->h, b->w, b->c, "%slatents.%d",
                        prefix[part], (int)m);
        trace_add(l->trace, ids, (const int64_t[]){n, b->tokens}, 2, "%stokens.%d", prefix[part],
                  (int)m);
        trace_add(l->trace, steps, (const int64_t[]){n}, 1, "%stimestep.%d", prefix[part], (int)m);
    }
}

// the regions and words of rows with several subjects, and what was mixed how
static void trace_mixture(const struct learner *l, int64_t m, const struct drawing *d)
{
    const struct learn_batch *b = l->batch;
    const int n = b->instance, places = b->h * b->w;
    const int64_t regions[] = {n, b->slots, b->h, b->w}, words[] = {n, b->slots, b->tokens};
    const int64_t weights[] = {n, 2, b->h, b->w};
    bool mixed = false;

    if (learn_batch_shown(b) < 2) {
        return;
    }
    trace_add(l->trace, b->regions, regions, 4, "regions.%d", (int)m);
    trace_add(l->trace, b->own, words, 3, "subject_tokens.%d", (int)m);
    for (int i = 0; i < 2 * n * places; i++) {
        mixed = mixed || d->weights[i] > 0;
    }
    if (mixed) {
        trace_add(l->trace, d->weights, weights, 4, "mix_weights.%d", (int)m);
        trace_add_image(l->trace, d->sources, 2 * n, b->h, b->w, b->c, "mix_latents.%d", (int)m);
    }
}

// of rows that were composed in pixels the two pictures and how much of each is seen
static void trace_composed(const struct learner *l, int64_t m, const struct drawing *d)
{
    const int n = l->batch->instance, size = l->options->size, count = size * size;
    g_autofree float *pictures = g_new0(float, 2 * (size_t)n * count * 3);
    g_autofree float *weights = g_new0(float, 2 * (size_t)n * count);
    bool any = false;

    for (int i = 0; i < n; i++) {
        const struct learn_composed *one = d->composed[i];
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
        trace_add_image(l->trace, pictures, 2 * n, size, size, 3, "mix_pictures.%d", (int)m);
        trace_add_image(l->trace, weights, 2 * n, size, size, 1, "mix_masks.%d", (int)m);
    }
}

bool learner_draw(struct learner *l, int64_t m, GError **error)
{
    struct learn_batch *b = l->batch;
    const size_t places = (size_t)b->h * b->w, size = places * b->c;
    struct drawing *d = drawing_create(b);
    bool done = true;

    clear(b);
    for (int i = 0; i < b->n && done; i++) {
        const bool prior = i >= b->instance;
        const int in_part = prior ? i - b->instance : i;
        struct row r = {.i = i,
                        .prior = prior,
                        .number = (uint64_t)m * (uint64_t)l->options->batch + (uint64_t)in_part,
                        .streams = prior ? &prior_streams : &instance_streams,
                        .noise = d->noise + i * size,
                        .latents = d->latents + i * size,
                        .mixture = {.sources = d->sources + 2 * i * size,
                                    .weights = d->weights + 2 * i * places,
                                    .regions = d->regions + 2 * i * places}};
        r.mixture.map = b->map != NULL && !prior ? b->map + i * places : NULL;
        done = draw_row(l, &r, error);
        d->composed[i] = r.composed;
    }
    if (l->trace != NULL && done) {
        trace_rows(l, m, d->noise, d->latents);
        trace_mixture(l, m, d);
        trace_composed(l, m, d);
    }
    drawing_free(d);
    return done;
}
