/* compare.h: how alike subjects are.
 *
 *   c(a, b) = mean over layers of <shift_a, shift_b> / (|shift_a| |shift_b|)      (SVDiff fig. 9)
 *
 * over the layers in which both have a shift of more than one value that is not zero: one value
 * has no direction. Shifts are coordinates in the basis of a model's weights; of different models
 * they cannot be compared. */
#pragma once

#include "engine/subject/layer_group.h"
#include "engine/subject/subject_file.h"

/* cosine [LAYER_GROUPS, n, n] and layers [LAYER_GROUPS, n, n]: how many the mean is over, by groups of
 * layers; not a number where there are none. False with a sentence that names two subjects (names
 * [n]) that have no such layer in common at all. */
bool compare_subjects(const struct subject *const *subjects, const char *const *names, int n,
                      double *cosine, int *layers, GError **error);

/* Of files that are of m things: things [n] says of which. all [LAYER_GROUPS, m, m]: the mean over pairs of
 * different files, one of each thing, as many as pairs [m, m] says; of one thing with itself over pairs of
 * its own files, and not a number where it has one file. */
void compare_things(const double *cosine, int n, const int *things, int m, double *all, int *pairs);
