/* The validation loss: how well the shifts predict noise that no step learns from.
 *
 *   mean over i = 0 .. 7 of |prediction - target|^2 / (h w c)
 *
 * i goes through the pictures in turn, without flip or crop, at the timestep (i + 1/2) T / 8, with
 * noise that is the same in every run of every seed: the losses of a run can be compared, those of
 * its steps, with their random timesteps, hardly. */
#include "engine/learn/run/learn_run.h"

#include "engine/base/noise.h"

#define COUNT 8
#define SEED  0

struct validation {
    const struct lesson *lesson;
    const struct learner *learner;
    const struct learn_batch *batch; // for its sizes
    const float *noisy;
    struct conditioning *texts; // [subjects]: each one's prompt under the shifts as they are
    int subject;
    int h, w; // of the picture
    double timestep;
    struct tensor *prediction;
};

static void predict(void *user, struct tape *t)
{
    struct validation *v = user;
    const struct learn_batch *b = v->batch;
    struct tensor *x = tape_input(t, v->noisy, 1, v->h, v->w, b->c, false);
    // without the unmix guide: only predictions are looked at
    v->prediction = unet_forward(t, v->learner->unet, x, &v->timestep,
                                 conditioning_input(t, &v->texts[v->subject], 0, 1));
}

static void set_shape(struct validation *v, int index)
{
    const struct learn_picture *p = learn_pictures_at(v->lesson->pictures, index);

    v->h = p->h;
    v->w = p->w;
}

// every picture, each on an empty tape
static void measure(void *user, struct tape *t)
{
    struct validation *v = user;

    for (guint i = 0; i < v->lesson->pictures->list->len; i++) {
        set_shape(v, (int)i);
        tape_reset(t);
        predict(v, t);
    }
}

static double mean_square(const float *a, const float *b, int64_t count)
{
    double sum = 0;

    for (int64_t i = 0; i < count; i++) {
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    }
    return sum / (double)count;
}

// the loss of number i; space: [3, h, w, c]
static double one_loss(struct validation *v, struct tape *t, int i, float *space)
{
    const struct lesson *l = v->lesson;
    const struct lesson_subject *s = lesson_subject(l, i % lesson_subjects(l));
    // subjects in turn, and of each its pictures in turn
    const int turn = i / lesson_subjects(l) % (int)s->pictures->len;
    const int index = g_array_index(s->pictures, int, turn);
    const int timestep = (2 * i + 1) * l->schedule->n_timesteps / (2 * COUNT);
    set_shape(v, index);
    const int64_t count = (int64_t)v->h * v->w * v->batch->c;
    const float *latents = learn_pictures_at(l->pictures, index)->mean;
    float *noise = space, *target = space + count, *prediction = space + 2 * count;

    noise_normal(SEED, NOISE_VALIDATION, (uint64_t)i, noise, count);
    schedule_target(l->schedule, timestep, latents, noise, target, count);
    schedule_add_noise(l->schedule, timestep, latents, noise, (float *)v->noisy, count);
    v->timestep = timestep;
    tape_repeat(t, learn_pictures_shape(l->pictures, v->h, v->w), predict, v);
    tape_download(t, v->prediction, prediction);
    return mean_square(prediction, target, count);
}

static bool embed_all(struct validation *v, GError **error)
{
    for (int i = 0; i < lesson_subjects(v->lesson); i++) {
        const int32_t *ids = lesson_subject(v->lesson, i)->text->ids;
        if (!conditioner_encode(v->learner->conditioner, ids, 1, &v->texts[i], error)) {
            return false;
        }
    }
    return true;
}

static void finish(struct validation *v)
{
    for (int i = 0; i < lesson_subjects(v->lesson); i++) {
        conditioning_clear(&v->texts[i]);
    }
    g_free(v->texts);
}

static void keep(struct learn_run *r, float loss)
{
    // steps that nobody validated have no loss
    static const float none = -1;

    while (r->validations->len <= (guint)r->step) {
        g_array_append_val(r->validations, none);
    }
    g_array_index(r->validations, float, r->step) = loss;
}

bool learn_validate(struct learn_run *r, GError **error)
{
    const struct learn_batch *b = r->batch;
    const struct learn_pictures *p = r->lesson->pictures;
    // of the square, which has the most places of all shapes
    const int64_t count = (int64_t)p->h * p->w * p->c;
    const int subjects = lesson_subjects(r->lesson);
    g_autofree float *noisy = g_new(float, count), *space = g_new(float, 3 * count);
    struct validation v = {.lesson = r->lesson,
                           .learner = r->learner,
                           .batch = b,
                           .noisy = noisy,
                           .texts = g_new0(struct conditioning, subjects)};
    double sum = 0;
    struct tape *t = NULL;

    // the tape is as large as one row needs it, whatever the batch of learning is
    if (embed_all(&v, error)) {
        t = tape_create_measured(r->learner->session->k, (struct tape_options){0}, measure, &v,
                                 error);
    }
    for (int i = 0; i < COUNT && t != NULL; i++) {
        v.subject = i % subjects;
        sum += one_loss(&v, t, i, space);
    }
    const bool done = t != NULL && tape_sync(t, error);
    if (done) {
        keep(r, (float)(sum / COUNT));
    }
    finish(&v);
    tape_free(t);
    return done;
}

double learn_validation(const struct learn_run *r, int step)
{
    return (guint)step < r->validations->len ? g_array_index(r->validations, float, step) : -1;
}
