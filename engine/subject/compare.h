/* compare.h: how alike subjects are.
 *
 *   c(a, b) = mean over layers of <shift_a, shift_b> / (|shift_a| |shift_b|)      (SVDiff fig. 9)
 *
 * over the layers in which both have a shift of more than one value that is not zero: one value
 * has no direction. Shifts are coordinates in the basis of a model's weights; of different models
 * they cannot be compared. */
#pragma once

#include "engine/picture/picture.h"
#include "engine/subject/subject_file.h"

/* cosine [n, n] and, unless NULL, layers [n, n]: how many the mean is over. False with a sentence
 * that names two subjects (names [n]) that have no such layer in common. */
bool compare_subjects(const struct subject *const *subjects, const char *const *names, int n,
                      double *cosine, int *layers, GError **error);

/* The matrix as a table with a name before each row and above each column. Owned by the caller. */
char *compare_text(const double *cosine, const char *const *names, int n);

/* The matrix as squares: white is 0, red 1, blue -1. Owned by the caller; NULL with a sentence. */
picture *compare_picture(const double *cosine, int n, GError **error);
