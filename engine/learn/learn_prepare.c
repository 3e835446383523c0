/* Preparing a run of learning; see learn_prepare.h. The order keeps memory low: the autoencoder is
 * gone before the UNet comes, and W of a weight goes as soon as its factors are there. */
#include "engine/learn/learn_prepare.h"

// the components whose weights are there at once
#define LEARNING (1u << MODEL_UNET | 1u << MODEL_TEXT_ENCODER)

bool learning_prepare(struct learning *x, struct lesson *lesson, progress_function progress,
                      void *user, GError **error)
{
    svdiff *s = lesson->session;

    *x = (struct learning){0};
    if (!session_check_memory(s, LEARNING, true, error) ||
        session_hashes(s, progress, user, error) == NULL || !lesson_encode(lesson, error)) {
        return false;
    }
    x->learner = learner_open(s, error);
    if (x->learner == NULL || !lesson_tell_apart(lesson, x->learner->conditioner, error) ||
        !lesson_make_class_pictures(lesson, x->learner, progress, user, error) ||
        !learner_attach(x->learner, lesson, progress, user, error) ||
        !lesson_add_texts(lesson, x->learner->conditioner, error)) {
        return false;
    }
    x->run = learn_run_create(lesson, x->learner, progress, user, error);
    return x->run != NULL;
}

void learning_finish(struct learning *x)
{
    learn_run_free(x->run);
    learner_free(x->learner);
}
