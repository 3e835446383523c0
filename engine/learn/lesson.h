/* lesson.h: what a run learns from. Once it is prepared nothing of it changes:
 *
 *   pictures  of the subjects and of their classes, as moments of the autoencoder
 *   subjects  their words, which pictures are theirs, where they go in mixed ones
 *   texts     all prompts of the run, and what they become without shifts
 *
 * The model that learns is a struct learner, the steps are a struct learn_run. */
#pragma once

#include "engine/adapter/adapter_list.h"
#include "engine/adapter/embedding_file.h"
#include "engine/sampler/schedule.h"
#include "engine/picture/layout.h"
#include "engine/learn/pictures/learn_data.h"
#include "engine/session/conditioner.h"

struct learner;

/* A text as the networks take it. */
struct lesson_text {
    int32_t *ids;                // [tokens]
    struct conditioning becomes; // by the text encoders without shifts
};

struct lesson_subject {
    GArray *pictures;                            // int: indices in lesson.pictures
    GArray *prior_pictures;                      // int: indices in lesson.prior_pictures
    char *prompt, *class_prompt;                 // as they are tokenised
    char *placeholder;                           // the word that stands for [V]; NULL without one
    int vectors;                                 // of a word of lesson.words that it is; else 0
    int32_t first;                               // its tokens, from this one on
    const struct lesson_text *text, *class_text; // of them, owned by lesson.texts
    GArray *own;   // int: the tokens that no class prompt and no other subject has
    float *region; // for mixing: that the user drew, [h, w]; NULL without one
    struct layout_box region_box;
    double region_x, region_y; // its middle, in parts of the square
};

struct lesson {
    svdiff *session;
    const struct svdiff_learn_options *options;
    struct adapter_list adapters; // in the weights when learning begins
    char *on;                     // which they are (adapter_list_text); NULL: none
    struct schedule *schedule;
    GArray *subjects; // struct lesson_subject
    struct learn_pictures *pictures, *prior_pictures;
    // two subjects in one picture, and pictures of their classes (learn_compose.h)
    struct learn_mixtures *mixed, *class_mixed;
    GHashTable *texts; // prompt -> struct lesson_text
    /* Words that stand for [V] and that the vocabulary does not have, with methods that make some; the
     * tokens that their vectors begin as, int32_t: one a vector. */
    struct embedding_list words;
    GArray *start;
    double prior_weight; // the option's, or 0 where a prior cannot be had
    GPtrArray *captions; // char *: of each picture, as it is tokenised; NULL: its subject's prompt
    char *thumbnail;     // the first picture, small, as the subject file has it

    progress_function progress; // of all that is done for the run; may be NULL
    void *user;
};

/* Checks the options, reads pictures and masks, and names the subjects: all that needs no network.
 * Then come moments, texts, and class pictures. Owned by the caller, NULL with an error. */
struct lesson *lesson_create(svdiff *s, const struct svdiff_learn_options *o,
                             progress_function progress, void *user, GError **error);
void lesson_free(struct lesson *l); // accepts NULL
typedef struct lesson owned_lesson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_lesson, lesson_free)

// tells it; false: stop
bool lesson_tell(const struct lesson *l, const struct progress *p);

int lesson_subjects(const struct lesson *l); // how many
struct lesson_subject *lesson_subject(const struct lesson *l, int i);

/* The most subjects that one row of a batch can show, and whether some picture has masks. */
int lesson_slots(const struct lesson *l);
bool lesson_has_masks(const struct lesson *l);

// how many prior rows a batch of a step that keeps the class has
int lesson_prior_rows(const struct lesson *l);
/* How often the prior's weight counts in a step, from 0: once in each of the first ones, then
 * --prior-every times in every so many, and 0 in those without prior rows. */
int lesson_prior_times(const struct lesson *l, int64_t step);
/* The unshifted model's prediction is the target of the prior rows. */
bool lesson_prior_by_prediction(const struct lesson *l);

/* Encodes the pictures, and what is mixed of them. */
bool lesson_encode(struct lesson *l, GError **error);

/* learn_images.c: reads the pictures and masks of all subjects; makes the list of the subjects. */
bool lesson_read_pictures(struct lesson *l, GError **error);

/* learn_placed.c: whether a subject is ever mixed with another; regions on a grid of n x n latents;
 * a picture and its mask (or NULL) placed for all places of a subject, to be composed. */
bool lesson_mixes(const struct lesson *l, int subject);
bool lesson_read_regions(struct lesson *l, int n, GError **error);
bool lesson_place(const struct lesson *l, struct learn_mixtures *m, const picture *image,
                  const picture *mask, int subject, GError **error);

/* learn_prompts.c: placeholders and prompts of all subjects; these among the texts, and which of
 * their tokens are a subject's own. With own_words placeholders are words of their own (lesson.words). */
bool lesson_name_subjects(struct lesson *l, bool own_words, GError **error);
bool lesson_tell_apart(struct lesson *l, const struct conditioner *c, GError **error);
/* The words that were chosen for [V]: ids [number of subjects] receives them; how many. */
int lesson_placeholders(const struct lesson *l, int32_t *ids);

/* learn_text.c: puts a text among those of the lesson, unless it is there; NULL with an error. All
 * that the run shows besides the subjects' own prompts. To be called while no shift acts. */
const struct lesson_text *lesson_add_text(struct lesson *l, const struct conditioner *c,
                                          const char *prompt, GError **error);
bool lesson_add_texts(struct lesson *l, const struct conditioner *c, GError **error);
// one that is there
const struct lesson_text *lesson_text(const struct lesson *l, const char *prompt);

/* learn_class.c: class pictures made by the model before it learns, where they are wanted. */
bool lesson_make_class_pictures(struct lesson *l, const struct learner *model, GError **error);
/* The same of a model of a dry session, which counts what it takes and makes none; the lesson need not be dry. */
bool lesson_count_class_pictures(const struct lesson *l, const struct learner *model,
                                 GError **error);
