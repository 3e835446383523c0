/* What a run's trace holds of its steps, so that PyTorch can repeat them: see learn_run.h.
 *
 *   of each micro-step M, once drawn    noise.M latents.M [n, c, h, w], noise_offset.M [n, c],
 *                                       tokens.M [n, t], timestep.M [n], regions.M [n, s, h, w],
 *                                       subject_tokens.M [n, s, t] and of mixed rows mix_pictures.M
 *                                       [2 n, 3, H, W] and mix_masks.M [2 n, 1, H, W]
 *   once run                            prediction.M, loss.M, loss_weights.M, unmix_loss.M and
 *                                       total_loss.M, which is what is differentiated
 *   of the shifts, or what else learns  gradient.NAME after the first step, before clipping, and
 *                                       shift.NAME after the last; where they do not begin with
 *                                       zeros initial.NAME before the first
 *
 * The rows of the prior have the same with `prior_` before the name, and prior_target.M. */
#include "engine/base/noise.h"
#include "engine/learn/mixing/learn_compose.h"
#include "engine/learn/run/learn_run.h"
#include "engine/options/option.h"

#include <string.h>

// rows of the batch: those of the subjects, or those of the prior
struct part {
    const char *prefix; // of the names of its tensors
    int first, n;
};

static struct part part_of(const struct learn_batch *b, bool prior)
{
    return prior ? (struct part){"prior_", b->instance, b->n - b->instance}
                 : (struct part){"", 0, b->instance};
}

// of all rows [rows, h, w, c] those of the part
static void add_image(const struct learn_run *r, const struct part *p, const float *all, int c,
                      const char *name, int m)
{
    const struct learn_batch *b = r->batch;

    trace_add_image(r->trace, all + (size_t)p->first * b->h * b->w * c, p->n, b->h, b->w, c,
                    "%s%s.%d", p->prefix, name, m);
}

static void add_number(const struct learn_run *r, double value, const char *prefix,
                       const char *name, int m)
{
    const float number = (float)value;

    trace_add(r->trace, &number, (const int64_t[]){1}, 1, "%s%s.%d", prefix, name, m);
}

/* ---- what was drawn ---- */

/* The latents and the noise, without its offset, that a row was drawn with, [h, w, c] each: by the reference, which a
 * device equals, from its moments. */
static void draw_again(const struct learn_run *r, int row, float *latents, float *noise)
{
    const kernels *device = r->learner->session->k;
    g_autoptr(kernels) host = kernels_reference(KERNELS_F32);
    const struct learn_batch *b = r->batch;
    const struct latents_row *drawn = &b->rows[row];
    const int64_t count = (int64_t)b->h * b->w * b->c;
    g_autofree real *moments = g_new0(real, 2 * count);
    struct latents_row one = *drawn;

    device->download(device, moments, b->moments + drawn->mean, (size_t)count * sizeof(real));
    if (drawn->deviation >= 0) {
        device->download(device, moments + count, b->moments + drawn->deviation,
                         (size_t)count * sizeof(real));
        one.deviation = count;
    }
    one.mean = 0;
    one.offset = one.noisy_noise = one.target_latents = 0;
    one.noisy_latents = one.target_noise = 1;
    host->latents_draw(host, (struct latents_shape){.n = 1, .t = b->h * b->w, .c = b->c}, &one,
                       moments, (cell *)latents, noise);
}

static void add_latents(const struct learn_run *r, const struct part *p, int m)
{
    const struct learn_batch *b = r->batch;
    const size_t count = (size_t)b->h * b->w * b->c;
    g_autofree float *latents = g_new(float, b->n *count), *noise = g_new(float, b->n *count);

    for (int i = p->first; i < p->first + p->n; i++) {
        draw_again(r, i, latents + i * count, noise + i * count);
    }
    add_image(r, p, noise, b->c, "noise", m);
    add_image(r, p, latents, b->c, "latents", m);
}

static void add_offset(const struct learn_run *r, const struct part *p, int m)
{
    const int c = r->batch->c;
    g_autofree float *offset = g_new(float, p->n *c);

    for (int i = 0; i < p->n; i++) {
        const struct normals_key *key = &r->batch->rows[p->first + i].of_channels;
        noise_normal(key->seed, (enum noise_stream)key->stream, key->step, offset + i * c, c);
    }
    trace_add(r->trace, offset, (const int64_t[]){p->n, c}, 2, "%snoise_offset.%d", p->prefix, m);
}

static void add_drawn(const struct learn_run *r, const struct part *p, int m)
{
    const struct learn_batch *b = r->batch;
    // a trace is f32; ids and timesteps are small enough to be exact in it
    g_autofree float *ids = g_new(float, (size_t)p->n * b->tokens);
    g_autofree float *steps = g_new(float, p->n);

    for (int i = 0; i < p->n * b->tokens; i++) {
        ids[i] = (float)b->ids[(size_t)p->first * b->tokens + i];
    }
    for (int i = 0; i < p->n; i++) {
        steps[i] = (float)b->timesteps[p->first + i];
    }
    add_latents(r, p, m);
    if (r->lesson->options->noise_offset > 0) {
        add_offset(r, p, m);
    }
    trace_add(r->trace, ids, (const int64_t[]){p->n, b->tokens}, 2, "%stokens.%d", p->prefix, m);
    trace_add(r->trace, steps, (const int64_t[]){p->n}, 1, "%stimestep.%d", p->prefix, m);
}

// of mixed rows the two pictures and how much of each is seen; nothing where none is mixed
static void add_composed(const struct learn_run *r, const struct part *p, int m)
{
    const int size = r->lesson->options->size, count = size * size;
    g_autofree float *pictures = g_new0(float, 2 * (size_t)p->n * count * 3);
    g_autofree float *weights = g_new0(float, 2 * (size_t)p->n * count);
    bool any = false;

    for (int i = 0; i < p->n; i++) {
        const struct learn_composed *one = r->batch->composed[p->first + i];
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
        trace_add_image(r->trace, pictures, 2 * p->n, size, size, 3, "%smix_pictures.%d", p->prefix,
                        m);
        trace_add_image(r->trace, weights, 2 * p->n, size, size, 1, "%smix_masks.%d", p->prefix, m);
    }
}

void learn_trace_drawn(const struct learn_run *r, int m)
{
    const struct learn_batch *b = r->batch;

    for (int prior = 0; prior <= (b->n > b->instance) && r->trace != NULL; prior++) {
        const struct part p = part_of(b, prior);
        add_drawn(r, &p, m);
        add_composed(r, &p, m);
    }
    // the regions and words of rows with several subjects
    if (r->trace != NULL && learn_batch_shown(b) > 1) {
        trace_add(r->trace, b->regions, (const int64_t[]){b->instance, b->slots, b->h, b->w}, 4,
                  "regions.%d", m);
        trace_add(r->trace, b->own, (const int64_t[]){b->instance, b->slots, b->tokens}, 3,
                  "subject_tokens.%d", m);
    }
}

/* ---- what came of it ---- */

void learn_trace_run(const struct learn_run *r, int m)
{
    const struct learn_batch *b = r->batch;
    const struct part instance = part_of(b, false), prior = part_of(b, true);
    float total = 0;

    if (r->trace == NULL) {
        return;
    }
    learn_step_read(r->tape, r->batch);
    for (int i = 0; i < b->n; i++) {
        total += b->weights[i] * b->weighted[i];
    }
    if (r->unmix != NULL && learn_batch_shown(b) > 1) {
        const double unmix = learn_unmix_loss(r->unmix);
        total += (float)(r->unmix->weight * unmix);
        add_number(r, unmix, "", "unmix_loss", m);
    }
    add_number(r, total, "", "total_loss", m);
    add_number(r, learn_batch_loss(b, instance.first, instance.n), "", "loss", m);
    add_image(r, &instance, b->prediction, b->c, "prediction", m);
    if (b->map != NULL) {
        add_image(r, &instance, b->map, 1, "loss_weights", m);
    }
    if (prior.n > 0) {
        add_number(r, learn_batch_loss(b, prior.first, prior.n), prior.prefix, "loss", m);
        add_image(r, &prior, b->prediction, b->c, "prediction", m);
        add_image(r, &prior, b->target, b->c, "target", m);
    }
}

void learn_trace_parameters(const struct learn_run *r, const real *array, double factor,
                            const char *kind)
{
    const struct parameters *p = r->learner->parameters;

    if (r->trace == NULL) {
        return;
    }
    g_autofree float *values = g_new(float, p->count), *ordered = g_new(float, p->count);
    // all that learns lies side by side; each is a tensor of its own here
    parameters_download(p, array, values);
    for (int64_t i = 0; i < p->count; i++) {
        values[i] = (float)(factor * values[i]);
    }
    for (guint i = 0; i < p->list->len; i++) {
        const struct parameter *one = &g_array_index(p->list, struct parameter, i);
        parameter_in_planes(one, values + one->offset, ordered + one->offset);
        trace_add(r->trace, ordered + one->offset, &one->count, 1, "%s.%s", kind, one->name);
    }
}

/* ---- the file ---- */

// what PyTorch has to know to repeat the run
static void note_options(const struct learn_run *r)
{
    trace_note(r->trace, "steps", "%d", r->lesson->options->steps);
    for (size_t i = 0; i < options_of_learn.n; i++) {
        const struct option *o = &options_of_learn.rows[i];
        if (o->flags & (OPTION_COUNTS | OPTION_SEVERAL)) {
            g_autofree char *key = option_key(o), *text = option_text(o, r->lesson->options);
            trace_note(r->trace, key, "%s", text);
        }
    }
    trace_note(r->trace, "prior", "%s",
               lesson_prior_rows(r->lesson) == 0       ? "none"
               : lesson_prior_by_prediction(r->lesson) ? "prediction"
                                                       : "images");
}

bool learn_trace_write(const struct learn_run *r, GError **error)
{
    if (r->trace == NULL) {
        return true;
    }
    learn_trace_parameters(r, r->learner->parameters->value, 1, "shift");
    note_options(r);
    return trace_write(r->trace, r->lesson->options->trace, error);
}
