/* Prior preservation: what keeps the class as the model knew it.
 *
 * With class pictures (made by the model itself before learning) the prior rows are ordinary rows
 * of those pictures. Without, their target is what the model predicts with all shifts switched
 * off, on the subject's own noisy latents under the class prompt: distillation from the model that
 * it was, which needs no pictures and no time before learning. It never leaves the device. */
#include "engine/learn/run/learn_run.h"

#include "engine/base/error.h"

static void teach(void *user, struct tape *t)
{
    const struct learn_run *r = user;
    const struct learn_batch *b = r->batch;
    const int rows = b->n - b->instance;
    const kernels *k = tape_kernels(t);
    struct tensor *x = learn_step_draw(t, b, b->instance, NULL);
    struct tensor *y = unet_forward(t, r->learner->unet, x, b->timesteps + b->instance,
                                    conditioning_input(t, &b->text, b->instance, rows));

    k->convert(k, tensor_count(y), k->activation, y->data, KERNELS_F32, r->taught);
}

static void measure(void *user, struct tape *t)
{
    learn_run_each_shape(user, t, teach, user);
}

// not every step keeps the class, nor every run by predictions
static bool is_taught(const struct learn_run *r)
{
    return lesson_prior_by_prediction(r->lesson) && r->batch->n > r->batch->instance;
}

static size_t taught_bytes(const struct learn_run *r)
{
    const struct learn_batch *b = r->batch;
    const struct learn_pictures *p = r->lesson->pictures;

    // of the square, which has the most places of all shapes
    return (size_t)lesson_prior_rows(r->lesson) * p->h * p->w * b->c * sizeof(real);
}

bool learn_prior_prepare(struct learn_run *r, GError **error)
{
    const kernels *k = r->learner->session->k;

    r->batch->taught = is_taught(r) ? r->taught : NULL;
    // once, at the first step: its batches have the same shapes
    if (!is_taught(r) || r->teacher_tape != NULL) {
        return true;
    }
    r->taught = k->alloc(k, taught_bytes(r));
    if (r->taught == NULL) {
        return error_failed(error, "There is no memory for the targets of the prior; close other "
                                   "programs or choose a smaller --batch.");
    }
    r->batch->taught = r->taught;
    r->teacher_tape = tape_create_measured(k, (struct tape_options){0}, measure, r, error);
    return r->teacher_tape != NULL;
}

void learn_prior_teach(struct learn_run *r)
{
    if (r->batch->taught == NULL) {
        return;
    }
    learner_set_acting(r->learner, false);
    tape_reset(r->teacher_tape);
    teach(r, r->teacher_tape);
    learner_set_acting(r->learner, true);
}

void learn_prior_finish(struct learn_run *r)
{
    const kernels *k = r->learner->session->k;

    g_clear_pointer(&r->teacher_tape, tape_free);
    if (r->taught != NULL) {
        k->release(k, r->taught, taught_bytes(r));
    }
}
