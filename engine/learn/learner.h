/* learner.h: the state of a run of learning, shared by the files that make it up.
 *
 *   learn.c         opens everything, runs the loop, writes the subject file
 *   learn_images.c  files to pictures and masks  learn_placed.c the same for mixing
 *   learn_data.c    pictures to latents          learn_prior.c  what keeps the class as it was
 *   learn_prompts.c texts and placeholders       learn_sample.c pictures on the way
 *   learn_choice.c  what a row shows             learn_compose.c  two subjects in one picture
 *   learn_validate.c  the validation loss        learn_apart.c  how well subjects stay apart
 *   learn_draw.c    the batch of a step          learn_step.c   forward and backward
 *   learn_state.c   checkpoint and resume        learn_text.c   token ids and embeddings */
#pragma once

#include "engine/learn/learn_data.h"
#include "engine/learn/learn_layout.h"
#include "engine/learn/learn_step.h"
#include "engine/learn/learn_unmix.h"
#include "engine/session.h"
#include "engine/base/trace.h"

/* A text as the networks take it. */
struct learner_text {
    int32_t *ids;                // [tokens]
    struct conditioning becomes; // by the text encoders without shifts
};

struct learner_subject {
    GArray *pictures;                             // int: indices in learner.pictures
    GArray *prior_pictures;                       // int: indices in learner.prior_pictures
    char *prompt, *class_prompt;                  // as they are tokenised
    char *placeholder;                            // the word that stands for [V]; NULL without one
    const struct learner_text *text, *class_text; // of them, owned by learner.texts
    GArray *own;   // int32_t: the tokens that no class prompt and no other subject has
    float *region; // for mixing: that the user drew, [h, w]; NULL without one
    struct layout_box region_box;
    double region_x, region_y; // its middle, in parts of the square
};

struct learner {
    svdiff *session;
    const struct svdiff_learn_options *options;
    struct schedule *schedule;
    struct unet *unet;
    struct conditioner *conditioner;
    struct learn_pictures *pictures, *prior_pictures;
    // two subjects in one picture, and pictures of their classes (learn_compose.h)
    struct learn_mixtures *mixed, *class_mixed;
    double prior_weight; // the option's, or 0 where a prior cannot be had
    GArray *subjects;    // struct learner_subject
    GHashTable *texts;   // prompt -> struct learner_text
    struct parameters *parameters;
    struct learn_batch *batch;
    struct learn_unmix *unmix; // NULL: off
    struct tape *tape, *teacher_tape;
    struct trace *trace;
    char *thumbnail;     // the first picture, small, as the subject file has it
    GArray *losses;      // float: of each step so far, instance part
    GArray *validations; // float: the validation loss after step i, negative where there is none
    float *good;         // [parameters.count]: the last values whose loss was a number
    int good_step;       // and the steps that they had
    int step;            // next to be done
    double loss;         // of the last step, instance part
    progress_function progress;
    void *user;
    gint64 started;
    int started_at; // step
    bool cancelled;
};

/* learn_prepare.c: what a step runs. The text encoder is run where any of it learns; otherwise its
 * texts are embedded once. */
struct learn_networks learner_networks(const struct learner *l);

/* learn_images.c: reads the pictures and masks of all subjects and encodes them; makes the list of
 * the subjects. */
bool learner_encode_images(struct learner *l, GError **error);

/* learn_placed.c: whether a subject is ever mixed with another; regions on a grid of n x n latents;
 * a picture and its mask (or NULL) placed for all places of a subject, to be composed. */
bool learner_mixes(const struct learner *l, int subject);
bool learner_read_regions(struct learner *l, int n, GError **error);
bool learner_add_placed(const struct learner *l, struct learn_mixtures *m, const picture *image,
                        const picture *mask, int subject, GError **error);

/* learn_text.c: a text's tokens and what it becomes, made once and owned by the learner. */
const struct learner_text *learner_text(struct learner *l, const char *prompt, GError **error);
void learner_text_free(void *text);

/* learn_prompts.c: placeholders and texts of all subjects. */
bool learner_prepare_prompts(struct learner *l, GError **error);
bool learner_is_own_token(const struct learner_subject *one, int32_t id);
void learner_subject_finish(struct learner_subject *one);

// how many prior rows a batch has
int learner_prior_rows(const struct learner *l);
/* The unshifted model's prediction is the target of the prior rows. */
bool learner_prior_by_prediction(const struct learner *l);

/* learn_draw.c: fills the batch for micro-step m (step * accumulate + i): which subjects, pictures,
 * timesteps, noise, latents, targets, weights, prompts. A function of (seed, m) alone. */
bool learner_draw(struct learner *l, int64_t m, GError **error);

/* learn_prior.c: the targets of the prior rows of the drawn batch, where the unshifted model's
 * prediction is wanted: a forward with all shifts switched off. */
bool learner_prior_targets(struct learner *l, GError **error);

/* learn_validate.c: works out the validation loss of the shifts as they are and keeps it as that of
 * l->step. */
bool learner_validate(struct learner *l, GError **error);
void learner_set_validation(struct learner *l, int step, float loss);
// after `step` steps; negative: none
double learner_validation(const struct learner *l, int step);

/* learn_state.c: OUTPUT.resume, written whole or not at all; and the subject file itself. */
bool learner_save_state(const struct learner *l, GError **error);
/* True with step 0 when there is nothing to go on from. */
bool learner_load_state(struct learner *l, GError **error);
/* values: the shifts after `steps` steps. */
bool learner_write_subject(const struct learner *l, const float *values, int steps, GError **error);

/* learn_sample.c: class pictures made by the model before it learns, where they are wanted. */
bool learner_prior_pictures(struct learner *l, GError **error);
/* `count` pictures' latents [count, h, w, c] under a text with the shifts as they are, of the seeds
 * from `seed` on; guide may be NULL. */
bool learner_draw_latents(struct learner *l, const struct conditioning *text,
                          const struct attention_guide *guide, uint64_t seed, int count,
                          float *latents, const char *phase, GError **error);
// latents [h, w, c] as a picture, owned by the caller
picture *learner_decode(const struct learner *l, const float *latents, GError **error);
// rows that drawing one picture has at each step; the text with its prompt is the last
int learner_drawn_rows(const struct learner *l);

/* learn_prepare.c: what the unmix options say. */
struct learn_unmix_options learner_unmix_options(const struct learner *l);

/* learn_apart.c: draws pictures of two subjects each and tells how well they stay apart; nothing
 * for one subject. To be called when the tape is not needed any more. */
bool learner_apart(struct learner *l, GError **error);
