/* directions.h: directions in the space of shifts, found from a set of n subjects of one model.
 *
 *   x_i       all shifts of subject i behind each other, 0 where it has none; rows of embeddings, which
 *             are words of its own, are left out
 *   m         their mean
 *   principal G_ij = <x_i - m, x_j - m>, G t = lambda t, |t| = 1:  d = sum_i t_i (x_i - m) / sqrt(n - 1)
 *             of the largest lambda first. |d| is the set's standard deviation along d, so that strength 1
 *             is as far as subjects usually go; the subject with the most of it is where d points to.
 *   random    in each layer normal numbers, as long as the subjects' shifts of it are (root mean square):
 *             NaviGAN's unsupervised directions (Cherepkov and others, 2021) in place of weights in shifts
 *
 * Each is a subject file; the mean has the words that all subjects have. G is n x n however many values there are. */
#pragma once

#include "engine/subject/subject_file.h"

struct directions;

/* n, 2 or more, subjects and their names for sentences are borrowed for the call. NULL with a sentence: they are of
 * different models or on top of different adapters, a shift of two lengths, too little memory. */
struct directions *directions_create(const struct subject *const *subjects,
                                     const char *const *names, int n, GError **error);
void directions_free(struct directions *d); // accepts NULL
typedef struct directions directions;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(directions, directions_free)

/* How many principal directions there are: at most n - 1, fewer where subjects lie in fewer. */
int directions_count(const struct directions *d);

/* What part of the set's variance lies along direction k, from 0. */
double directions_share(const struct directions *d, int k);

// owned by the caller
struct subject *directions_mean(const struct directions *d);
struct subject *directions_principal(const struct directions *d, int k);
struct subject *directions_random(const struct directions *d, uint64_t seed, int k);
