/* Prior preservation: what keeps the class as the model knew it.
 *
 * With class pictures (made by the model itself before learning) the prior rows are ordinary rows
 * of those pictures. Without, their target is what the model predicts with all shifts switched
 * off, on the subject's own noisy latents under the class prompt: distillation from the model that
 * it was, which needs no pictures and no time before learning. */
#include "engine/learn/run/learn_run.h"

struct teacher {
    const struct learn_batch *batch;
    const struct unet *unet;
    float *prediction; // NULL while measuring
};

static void teach(void *user, struct tape *t)
{
    const struct teacher *teacher = user;
    const struct learn_batch *b = teacher->batch;
    const int rows = b->n - b->instance;
    const size_t size = (size_t)b->h * b->w * b->c;
    struct tensor *x = tape_input(t, b->noisy + b->instance * size, rows, b->h, b->w, b->c, false);
    struct tensor *y = unet_forward(t, teacher->unet, x, b->timesteps + b->instance,
                                    conditioning_input(t, &b->text, b->instance, rows));

    if (teacher->prediction != NULL) {
        tape_download(t, y, teacher->prediction);
    }
}

bool learn_prior_targets(struct learn_run *r, GError **error)
{
    const struct learn_batch *b = r->batch;
    struct teacher teacher = {.batch = b, .unet = r->learner->unet};

    // not every step keeps the class
    if (!lesson_prior_by_prediction(r->lesson) || b->n == b->instance) {
        return true;
    }
    if (r->teacher_tape == NULL) {
        // once, at the first step: its batches have the same shapes
        r->teacher_tape = tape_create_measured(r->learner->session->k, (struct tape_options){0},
                                               teach, &teacher, error);
    }
    if (r->teacher_tape == NULL) {
        return false;
    }
    // in place of the noise, which was drawn as the target of these rows
    teacher.prediction = b->target + (size_t)b->instance * b->h * b->w * b->c;
    learner_set_acting(r->learner, false);
    tape_reset(r->teacher_tape);
    teach(&teacher, r->teacher_tape);
    learner_set_acting(r->learner, true);
    return true;
}
