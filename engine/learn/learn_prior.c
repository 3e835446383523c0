/* Prior preservation: what keeps the class as the model knew it.
 *
 * With class pictures (made by the model itself before learning) the prior rows are ordinary rows
 * of those pictures. Without, their target is what the model predicts with all shifts switched
 * off, on the subject's own noisy latents under the class prompt: distillation from the model that
 * it was, which needs no pictures and no time before learning. */
#include "engine/learn/learner.h"

#include "engine/base/error.h"

#include <string.h>

int learner_prior_rows(const struct learner *l)
{
    return l->prior_weight > 0 ? l->options->batch : 0;
}

bool learner_prior_by_prediction(const struct learner *l)
{
    return learner_prior_rows(l) > 0 && l->options->prior_images == 0;
}

struct teacher {
    struct learner *l;
    float *prediction; // NULL while measuring
};

static void teach(void *user, struct tape *t)
{
    const struct teacher *teacher = user;
    const struct learner *l = teacher->l;
    const struct learn_batch *b = l->batch;
    const int rows = b->n - b->instance;
    const size_t size = (size_t)b->h * b->w * b->c;
    struct tensor *x = tape_input(t, b->noisy + b->instance * size, rows, b->h, b->w, b->c, false);
    struct tensor *y = unet_forward(t, l->unet, x, b->timesteps + b->instance,
                                    conditioning_input(t, &b->text, b->instance, rows));

    if (teacher->prediction != NULL) {
        tape_download(t, y, teacher->prediction);
    }
}

bool learner_prior_targets(struct learner *l, GError **error)
{
    struct teacher teacher = {.l = l};
    const struct learn_batch *b = l->batch;
    const size_t size = (size_t)b->h * b->w * b->c;

    if (!learner_prior_by_prediction(l)) {
        return true;
    }
    if (l->teacher_tape == NULL) {
        l->teacher_tape =
            tape_create_measured(l->session->k, (struct tape_options){0}, teach, &teacher, error);
    }
    if (l->teacher_tape == NULL) {
        return false;
    }
    tape_reset(l->teacher_tape);
    teacher.prediction = b->target + b->instance * size;
    network_refresh(unet_network(l->unet), 0);
    teach(&teacher, l->teacher_tape);
    network_refresh(unet_network(l->unet), 1);
    return true;
}
