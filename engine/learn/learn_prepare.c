/* Preparing a run of learning; see learn_prepare.h. The order keeps memory low: the autoencoder is
 * gone before the UNet comes, and W of a weight goes as soon as its factors are there. */
#include "engine/learn/learn_prepare.h"

// the components whose weights are there at once
#define LEARNING (1u << MODEL_UNET | 1u << MODEL_TEXT_ENCODER)

struct learn_run *learn_prepare(struct lesson *lesson, GError **error)
{
    svdiff *s = lesson->session;

    if (!session_check_memory(s, LEARNING, true, error) ||
        session_hashes(s, lesson->progress, lesson->user, error) == NULL ||
        !lesson_encode(lesson, error)) {
        return NULL;
    }
    g_autoptr(owned_learner) l = learner_open(s, error);
    // the shifts that learner_attach adds are all 0: texts after it become what they do before it
    if (l == NULL || !lesson_tell_apart(lesson, l->conditioner, error) ||
        !lesson_make_class_pictures(lesson, l, error) || !learner_attach(l, lesson, error) ||
        !lesson_add_texts(lesson, l->conditioner, error)) {
        return NULL;
    }
    return learn_run_create(lesson, g_steal_pointer(&l), error);
}
