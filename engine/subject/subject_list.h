/* subject_list.h: several subjects with their strengths, opened for one model. */
#pragma once

#include "engine/subject/bake.h"
#include "engine/session/session.h"

struct subject_list {
    struct bake_subject *items; // the subjects are owned
    int n;
};

/* "fox.safetensors:keep=40:0.5": a file or a name with its part (subject_part.h) and its scale
 * (subject_lookup.h). File and part are owned by the caller (g_free). */
struct svdiff_scaled_subject subject_list_parse(const char *text);

/* Several: *n of them, `first` and then all of `more`, NULL-terminated; both may be NULL. keep: of those
 * that do not say it, so many values of each shift; 0: all. Owned by the caller, with the files' names. */
struct svdiff_scaled_subject *subject_list_parse_all(const char *first, const char *const *more,
                                                     int keep, int *n);
void subject_list_free_parsed(struct svdiff_scaled_subject *all, int n);

/* Opens them and makes sure that they belong to the session's model: by the hash of its weights,
 * unless `force`, and by the names and lengths of all shifts. What a person should know goes
 * through the session's warn. False with a sentence; the list is to be closed in any case. */
bool subject_list_open(struct subject_list *l, svdiff *s,
                       const struct svdiff_scaled_subject *wanted, int n, bool force,
                       GError **error);
void subject_list_close(struct subject_list *l); // accepts a zeroed one
