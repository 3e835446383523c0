/* comparison.h: what a comparison of subjects shows: a matrix of cosines with names on both sides, for all
 * layers and for groups of them, as a text, as CSV, as a figure. */
#pragma once

#include "engine/subject/layer_group.h"

#include <glib.h>
#include <stdbool.h>

struct comparison {
    int n;                    // files, or things with several files
    const char *const *names; // [n]
    const double *cosine;     // [LAYER_GROUPS, n, n]; not a number: there is none
    const int *pairs;         // [n, n], of files
    bool groups;              // whether the text and the figure show groups of layers, too
};

/* Tables with a name before each row and above each column. Owned by the caller. */
char *comparison_text(const struct comparison *c);

/* A line for each group of layers and pair of names: group,first,second,pairs,cosine. The cosine is empty
 * where there is none; names with commas or quotes are quoted. Owned by the caller. */
char *comparison_csv(const struct comparison *c);

/* A figure from -1 to 1 (plot.h): white is 0. False with a sentence. */
bool comparison_plot(const struct comparison *c, const char *path, GError **error);
