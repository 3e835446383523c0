/* The random choices of a step, each a function of (seed, step, row): a run that was stopped and
 * resumed draws what an uninterrupted one draws. Of what has as many numbers as latents only the factors and the keys
 * of random numbers are chosen here; the device draws it (latents_draw) from the moments that lie there:
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
    int times;       // the prior's weight
    uint64_t number; // of all rows of the run: step, accumulation and row of the batch in one
    const struct streams *streams;
    struct learn_choice choice;
    float *map; // [h, w]: weights of the loss, as in learn_batch; NULL: not wanted
};

/* ---- one picture ---- */

static struct normals_key key_of(const struct lesson *l, const struct row *r,
                                 enum noise_stream stream)
{
    return (struct normals_key){.seed = l->options->seed, .step = r->number, .stream = stream};
}

// the row's latents: with --latent mean the mean, else a sample of the autoencoder
static void take_latents(const struct lesson *l, struct learn_batch *b, const struct row *r,
                         const struct learn_pictures *pictures, int index, int variant)
{
    struct latents_row *row = &b->rows[r->i];

    row->mean = learn_pictures_mean(pictures, index, variant);
    row->deviation =
        l->options->latent_mean ? -1 : learn_pictures_deviation(pictures, index, variant);
    row->of_latents = key_of(l, r, r->streams->latent);
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
    // class pictures are any picture of the class, not the one of the instance row
    const bool made = r->prior && s->prior_pictures->len > 0;
    const struct learn_pictures *pictures = made ? l->prior_pictures : l->pictures;
    const GArray *own = made ? s->prior_pictures : s->pictures;
    const int drawn =
        noise_integer(l->options->seed, r->streams->order, r->number, 0, (int)own->len);
    // with buckets a batch has one shape, that of its first picture
    const bool given = !made && (!r->prior || r->choice.n > 1 || l->options->buckets);
    const int index = given ? r->choice.picture : g_array_index(own, int, drawn);
    const struct learn_picture *p = learn_pictures_at(pictures, index);
    const int variant = made ? 0 : draw_variant(l, r, p);

    take_latents(l, b, r, pictures, index, variant);
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

    b->composed[r->i] = &g_array_index(m->list, struct learn_composed, index);
    take_latents(l, b, r, m->pictures, index, 0);
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
    // used where no text encoder learns; else the ids are encoded anew
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

    return r->prior ? share * l->prior_weight * r->times / (b->n - b->instance)
                    : share / b->instance *
                          schedule_min_snr_weight(l->schedule, timestep, l->options->min_snr);
}

/* Noise whose channels are each moved by an offset, as diffusers' scripts do it: noise += offset *
 * randn(n, c, 1, 1); and what it and the latents come to. */
static void draw_noise(const struct lesson *l, const struct row *r, int timestep,
                       struct latents_row *row)
{
    row->of_noise = key_of(l, r, r->streams->training);
    row->of_channels = key_of(l, r, r->streams->offset);
    row->offset = l->options->noise_offset;
    row->noisy_latents = schedule_alpha(l->schedule, timestep);
    row->noisy_noise = schedule_sigma(l->schedule, timestep);
    schedule_target_factors(l->schedule, timestep, &row->target_latents, &row->target_noise);
}

static void draw_row(const struct lesson *l, struct learn_batch *b, struct row *r)
{
    lesson_choose(l, r->number, r->prior, &r->choice);
    if (r->choice.mixed) {
        draw_mixed(l, b, r);
    } else {
        draw_single(l, b, r);
    }
    const int timestep = noise_integer(l->options->seed, r->streams->timestep, r->number, 0,
                                       l->schedule->n_timesteps);
    draw_noise(l, r, timestep, &b->rows[r->i]);
    b->timesteps[r->i] = timestep;
    b->weights[r->i] = (float)row_weight(l, b, r, timestep);
    b->shown[r->i] = r->prior ? 1 : r->choice.n;
    set_text(l, b, r);
}

static void clear(struct learn_batch *b)
{
    const size_t places = (size_t)b->h * b->w;

    // rows with one subject leave theirs untouched
    if (b->slots > 1) {
        memset(b->regions, 0, b->n * b->slots * places * sizeof *b->regions);
        memset(b->own, 0, (size_t)b->n * b->slots * b->tokens * sizeof *b->own);
    }
    for (size_t i = 0; b->map != NULL && i < b->n * places; i++) {
        b->map[i] = 1;
    }
    memset(b->composed, 0, b->n * sizeof(const struct learn_composed *));
}

// the shape of micro-batch m: its first picture's
static void shape(const struct lesson *l, int64_t m, struct learn_batch *b)
{
    struct learn_choice choice;

    if (l->options->buckets) {
        lesson_choose(l, (uint64_t)m * (uint64_t)l->options->batch, false, &choice);
        b->h = learn_pictures_at(l->pictures, choice.picture)->h;
        b->w = learn_pictures_at(l->pictures, choice.picture)->w;
    }
}

void learn_draw(const struct lesson *l, int64_t m, struct learn_batch *b)
{
    const int times = lesson_prior_times(l, m / l->options->accumulate);

    shape(l, m, b);
    const size_t places = (size_t)b->h * b->w;

    b->n = b->instance + (times > 0 ? lesson_prior_rows(l) : 0);
    clear(b);
    for (int i = 0; i < b->n; i++) {
        const bool prior = i >= b->instance;
        const int in_part = prior ? i - b->instance : i;
        struct row r = {.i = i,
                        .prior = prior,
                        .times = times,
                        .number = (uint64_t)m * (uint64_t)l->options->batch + (uint64_t)in_part,
                        .streams = prior ? &prior_streams : &instance_streams,
                        .map = b->map != NULL && !prior ? b->map + i * places : NULL};
        draw_row(l, b, &r);
    }
}
