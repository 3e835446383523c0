/* evaluate_set.h: a set of pictures that `svdiff evaluate` judges: a subject that draws them, or a folder that has
 * them, and what it is called.
 *
 *   fox:0.8            called as its file, with part and strength
 *   drawn/fox=svdiff   called svdiff; all that are called so are one point
 *   drawn/5=fox@500    the same, of a figure along steps at 500; without a name: drawn/5=@500
 *
 * A subject is at its strength along `scale`, and at the steps that it learned along `steps`. */
#pragma once

#include "engine/subject/subject_list.h"

struct evaluate_set {
    char *word;                           // without its name
    char *name;                           // for people
    bool named;                           // as others may be, too
    double place;                         // along what is asked for; not finite: along nothing
    struct svdiff_scaled_subject subject; // that draws; no file: a folder
};

/* Reads a word of --pictures, or a subject's, into *set; along: NULL, or what places are along. False with a
 * sentence: no name, no such subject, no place. To be cleared in either case. */
bool evaluate_set_read(const char *word, bool subject, const char *along, struct evaluate_set *set,
                       GError **error);
void evaluate_set_clear(struct evaluate_set *set); // accepts a zeroed one
