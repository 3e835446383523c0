/* learn_choice.h: what a row of a learning batch shows, a function of (seed, number) alone.
 *
 *   one subject            a picture of it
 *   several of a picture   each subject that has a mask in the picture, with probability 1/2,
 *                          besides the one that was drawn
 *   two, cut and mixed     with probability --cut-mix, where two have no picture in common */
#pragma once

#include "engine/picture/layout.h"
#include "engine/learn/lesson.h"

// subjects that one row can show
#define CHOICE_MAX 8

struct learn_choice {
    int n;
    int subjects[CHOICE_MAX]; // in the order of the picture
    int picture;              // which of lesson.pictures; not when mixed
    bool mixed;
    enum layout layout; // mixed
    int wording;        // which of those for this layout
};

/* Row number `number`: step, accumulation and row of the batch in one. A row of the prior shows the
 * same subjects, under their class words; a picture that was made of a class shows one thing. */
void lesson_choose(const struct lesson *l, uint64_t number, bool prior, struct learn_choice *c);

/* Two subjects in one picture: where the user's regions are, or else the first left of the other;
 * in the first wording of that. */
void lesson_choose_pair(const struct lesson *l, int first, int second, struct learn_choice *c);

/* [2, h, w]: where the two subjects of a mixed choice go. */
void lesson_mixed_regions(const struct lesson *l, const struct learn_choice *c, float *regions);

/* The prompt of exactly these subjects, or with their class words. Owned by the caller. */
char *lesson_prompt(const struct lesson *l, const struct learn_choice *c, bool class_words);

/* own [n, tokens]: 1 where a token of its prompt is one of a subject's own words, else 0. */
void lesson_mark_words(const struct lesson *l, const struct learn_choice *c, const int32_t *ids,
                       int tokens, float *own);

/* Whether two subjects can be mixed: they share no picture. */
bool lesson_can_mix(const struct lesson *l, int a, int b);
