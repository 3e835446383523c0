/* The validation loss: how well the shifts predict noise that no step learns from.
 *
 *   mean over i = 0 .. 7 of |prediction - target|^2 / (h w c)
 *
 * i goes through the pictures in turn, without flip or crop, at the timestep (i + 1/2) T / 8, with
 * noise that is the same in every run of every seed: the losses of a run can be compared, those of
 * its steps, with their random timesteps, hardly. */
#include "engine/learn/learner.h"

#include "engine/base/noise.h"

#define COUNT 8
#define SEED  0

struct validation {
    const struct learner *l;
    const float *noisy;
    struct conditioning *texts; // [subjects]: each one's prompt under the shifts as they are
    int subject;
    double timestep;
    float *prediction; // NULL while measuring
};

static void predict(void *user, struct tape *t)
{
    const struct validation *v = user;
    const struct learn_batch *b = v->l->batch;
    struct tensor *x = tape_input(t, v->noisy, 1, b->h, b->w, b->c, false);
    struct tensor *y = unet_forward(t, v->l->unet, x, &v->timestep,
                                    conditioning_input(t, &v->texts[v->subject], 0, 1));

    if (v->prediction != NULL) {
        tape_download(t, y, v->prediction);
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

// the loss of number i; space: [4, h, w, c]
static double one_loss(struct validation *v, struct tape *t, int i, float *space)
{
    const struct learner *l = v->l;
    const int64_t count = (int64_t)l->batch->h * l->batch->w * l->batch->c;
    const struct learner_subject *s =
        &g_array_index(l->subjects, struct learner_subject, i % l->subjects->len);
    const int turn = i / (int)l->subjects->len % (int)s->pictures->len;
    const int timestep = (2 * i + 1) * l->schedule->n_timesteps / (2 * COUNT);
    float *latents = space, *noise = space + count, *target = space + 2 * count;

    learn_pictures_latents(l->pictures, g_array_index(s->pictures, int, turn), 0, NULL, latents);
    noise_normal(SEED, NOISE_VALIDATION, (uint64_t)i, noise, count);
    schedule_target(l->schedule, timestep, latents, noise, target, count);
    schedule_add_noise(l->schedule, timestep, latents, noise, (float *)v->noisy, count);
    v->timestep = timestep;
    v->prediction = space + 3 * count;
    tape_reset(t);
    predict(v, t);
    return mean_square(v->prediction, target, count);
}

static bool embed_all(struct validation *v, GError **error)
{
    const struct learner *l = v->l;

    for (guint i = 0; i < l->subjects->len; i++) {
        const struct learner_subject *s = &g_array_index(l->subjects, struct learner_subject, i);
        if (!conditioner_encode(l->conditioner, s->text->ids, 1, &v->texts[i], error)) {
            return false;
        }
    }
    return true;
}

static void finish(struct validation *v)
{
    for (guint i = 0; i < v->l->subjects->len; i++) {
        conditioning_clear(&v->texts[i]);
    }
    g_free(v->texts);
}

bool learner_validate(struct learner *l, GError **error)
{
    const int64_t count = (int64_t)l->batch->h * l->batch->w * l->batch->c;
    g_autofree float *noisy = g_new(float, count), *space = g_new(float, 4 * count);
    struct validation v = {
        .l = l, .noisy = noisy, .texts = g_new0(struct conditioning, l->subjects->len)};
    double sum = 0;
    struct tape *t =
        embed_all(&v, error)
            ? tape_create_measured(l->session->k, (struct tape_options){0}, predict, &v, error)
            : NULL;

    for (int i = 0; i < COUNT && t != NULL; i++) {
        v.subject = i % (int)l->subjects->len;
        sum += one_loss(&v, t, i, space);
    }
    if (t != NULL) {
        learner_set_validation(l, l->step, (float)(sum / COUNT));
    }
    finish(&v);
    tape_free(t);
    return t != NULL;
}

void learner_set_validation(struct learner *l, int step, float loss)
{
    static const float none = -1;

    while (l->validations->len <= (guint)step) {
        g_array_append_val(l->validations, none);
    }
    g_array_index(l->validations, float, step) = loss;
}

double learner_validation(const struct learner *l, int step)
{
    return (guint)step < l->validations->len ? g_array_index(l->validations, float, step) : -1;
}
