/* subject_part.h: a part of a subject: some of its layers, and of each layer's shift the largest values.
 *
 *   fox:keep=40           of each shift the 40 values that are farthest from 0 (the paper's ranks)
 *   fox:only=down,mid     the shifts that have one of these in their names; * stands for anything
 *   fox:without=attn2     those that have none of them
 *
 * One behind the other, and a strength behind all of them: "fox:only=down:keep=40:0.8". Two subjects that
 * share the layers out are mixed in style: the geometry of one, the appearance of the other (SVDiff,
 * section 4.4). The plug-in reads names with parts, too. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct subject_part {
    int keep;               // 0: all
    char **only, **without; // patterns, or NULL
};

/* Where the part begins in a name with one, at its colon; NULL without one. */
const char *subject_part_at(const char *name);

/* Reads ":keep=40:only=down"; NULL: all of the subject. False with SVDIFF_ERROR_USAGE that names what
 * is wrong. To be cleared in either case. */
bool subject_part_parse(const char *text, struct subject_part *part, GError **error);
void subject_part_clear(struct subject_part *part);

/* Whether a shift called so belongs to it. */
bool subject_part_has(const struct subject_part *part, const char *name);

/* sum [n] += scale * values [n], of those that are kept: of equal ones the first. */
void subject_part_add(const struct subject_part *part, const float *values, int n, double scale,
                      double *sum);

/* Each pattern must be in one of the names at least, which are those of a subject's shifts,
 * NULL-terminated. False with SVDIFF_ERROR_FAILED; file: for the sentence. */
bool subject_part_check(const struct subject_part *part, const char *const *names, const char *file,
                        GError **error);
