/* learn_run.h: a run of learning: the lesson, the model that learns it, and how far it is.
 *
 *   learn_draw.c      the batch of a step      learn_step.c    forward and backward
 *   learn_prior.c     the teacher's targets    learn_unmix.c   the unmix loss
 *   learn_validate.c  the validation loss      learn_state.c   checkpoint and resume
 *   learn_sample.c    pictures on the way      learn_apart.c   how well subjects stay apart
 *   learn_trace.c     what PyTorch is held against
 *   learn_curve.c     the losses as a figure
 *   learn_share.c     the micro-batches of a step, over one or several processes
 *   learn_outcome.c   what a step came to, known when the next one is computed
 *   loss_scale.c      what the loss is multiplied by in float16 */
#pragma once

#include "engine/base/progress.h"
#include "engine/base/trace.h"
#include "engine/learn/learner.h"
#include "engine/learn/lesson.h"
#include "engine/learn/run/learn_outcome.h"
#include "engine/learn/run/learn_unmix.h"
#include "engine/learn/run/loss_scale.h"

struct learn_run {
    const struct lesson *lesson; // borrowed
    struct learner *learner;     // owned
    struct learn_batch *batch;
    struct learn_unmix *unmix; // NULL: off
    struct learn_share *share;
    struct tape *tape, *teacher_tape;
    real *taught;  // of the teacher: learn_prior.c; NULL before
    real *moments; // of all pictures on the device, from which steps draw
    int64_t n_moments;
    struct trace *trace;
    GArray *losses;       // float: of each step so far, instance part
    GArray *prior_losses; // float: the same of the prior, negative where a step had none
    GArray *validations;  // float: the validation loss after step i, negative where there is none
    struct learn_outcome *outcomes[2]; // by the evenness of steps, or the first alone
    float *good[LEARN_ARRAYS];     // as outcome's arrays, of the last step whose loss was a number
    int good_step;                 // and how many steps they had
    bool diverged;                 // the loss was no number
    struct kernels_kept *updating; // of the update, which comes again
    int step;                      // next to be done
    struct loss_scale scale;
    double loss;       // of the last step that is known, instance part; negative: none is
    double prior_loss; // and of the prior; negative: it had none
    struct progress_clock clock;
    bool cancelled;
};

/* Sizes batch and tape: keeps every segment, or where that takes too much runs them again. Takes
 * the learner, also when it fails. Owned by the caller, NULL with an error. */
struct learn_run *learn_run_create(const struct lesson *lesson, struct learner *learner,
                                   GError **error);
/* The same after all that is done once before the first step of learning, but reading: makes the
 * lesson complete, reads the networks and makes them spectral. The lesson is freed after it. */
struct learn_run *learn_run_prepare(struct lesson *lesson, GError **error);
void learn_run_free(struct learn_run *r); // accepts NULL
typedef struct learn_run learn_run;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(learn_run, learn_run_free)

/* Tells where the run is, or a file that it wrote. loss: negative where there is none to tell. False
 * when the run is to stop. */
bool learn_run_tell(struct learn_run *r, enum progress_event event, double loss, const char *file);

/* Runs something for the batch in each shape that the pictures have, on an empty tape each, as a tape is
 * measured. */
void learn_run_each_shape(const struct learn_run *r, struct tape *t,
                          void (*run)(void *user, struct tape *t), void *user);

/* The gradient of the drawn batch alone: its forward and backward on the run's tape, and before it that
 * of its teacher. unmix: whether several subjects are kept apart. False with an error; where it was
 * cancelled the tape is. */
bool learn_run_batch(struct learn_run *r, bool unmix, GError **error);

/* The tape anew, of the one kind or the other. */
bool learn_run_replay(struct learn_run *r, bool replay, GError **error);

/* learn_draw.c: fills the batch for micro-step m (step * accumulate + i): which subjects, pictures,
 * timesteps, noise, latents, targets, weights, prompts. A function of (seed, m) alone. */
void learn_draw(const struct lesson *l, int64_t m, struct learn_batch *b);

/* learn_trace.c: micro-step m as it was drawn, and what came of it; values [parameters.count] of all
 * shifts, times a factor, as KIND.NAME; the file. Nothing without a trace. */
void learn_trace_drawn(const struct learn_run *r, int m);
void learn_trace_run(const struct learn_run *r, int m);
void learn_trace_parameters(const struct learn_run *r, const real *array, double factor,
                            const char *kind);
bool learn_trace_write(const struct learn_run *r, GError **error);

/* learn_prior.c: the targets of the prior rows of the drawn batch, where the unshifted model's
 * prediction is wanted: memory for them; they themselves, on the device; nothing of it any more. */
bool learn_prior_prepare(struct learn_run *r, GError **error);
void learn_prior_teach(struct learn_run *r);
void learn_prior_finish(struct learn_run *r);

/* learn_validate.c: works out the validation loss of the shifts as they are and keeps it as that of
 * r->step. */
bool learn_validate(struct learn_run *r, GError **error);
// after `step` steps; negative: none
double learn_validation(const struct learn_run *r, int step);

/* learn_curve.c: the losses so far as the figure that is asked for, if any. */
bool learn_plot(const struct learn_run *r, GError **error);

/* learn_state.c: a fingerprint of everything that decides the course of a run but its length; pictures:
 * with the pixels of what it learns from, once they are encoded. Owned by the caller. */
char *learn_print(const struct lesson *l, bool pictures);
/* OUTPUT.resume, written whole or not at all; where the device is lost, of the last good step; and the
 * file that the method makes. */
bool learn_save_state(const struct learn_run *r, GError **error);
bool learn_save_good(struct learn_run *r, GError **error);
/* True with step 0 when there is nothing to go on from. */
bool learn_load_state(struct learn_run *r, GError **error);
/* values: the shifts after `steps` steps. */
bool learn_write_result(const struct learn_run *r, const float *values, int steps, GError **error);

/* learn_sample.c: draws the sample prompt with the shifts as they are and writes OUTPUT-STEP.png.
 */
bool learn_sample(struct learn_run *r, GError **error);

/* learn_apart.c: draws pictures of two subjects each and tells how well they stay apart; nothing
 * for one subject. The tape is gone afterwards. */
bool learn_apart(struct learn_run *r, GError **error);
