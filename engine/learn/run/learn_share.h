/* learn_share.h: the micro-batches of a step, and who works them out.
 *
 *   gradient = sum over micro-batches i of gradient_i, each complete, added in their order
 *
 * A process that is alone works out all of them; of a group (engine/group/group.h) of n processes
 * rank r those with i mod n = r, and rank 0 adds them up, steps, and tells the others the new
 * values. So what is learned by n processes is what one learns with n times --accumulate, byte for
 * byte where their processors are of one kind. */
#pragma once

#include "engine/learn/run/learn_run.h"

/* Makes a run's options those that all processes share: rank 0's seed, and --accumulate counts each
 * process. False with an error: options that a group cannot have. */
bool learn_share_options(struct svdiff_learn_options *o, GError **error);

/* Has the model's spectra worked out by the first process of each machine, and waits for them: the
 * others find them in the cache. Nothing where a process is alone. */
bool learn_share_spectra(const struct lesson *l, GError **error);

/* Whether all processes learn the same, as far as they were told: model, precision, prompts, options.
 * False with an error, in all of them. */
bool learn_share_agree(const struct learn_run *r, GError **error);

/* Makes what a run needs for it; run->share, freed with learn_share_free (accepts NULL). */
struct learn_share *learn_share_create(struct learn_run *r, GError **error);
void learn_share_free(struct learn_share *s);

// how many processes there are, which one this is, and whether it leads
int learn_share_size(const struct learn_run *r);
int learn_share_rank(const struct learn_run *r);
bool learn_share_leads(const struct learn_run *r);

/* A step: begin; then, for each micro-batch of this process, add with whether it went well, its
 * losses and its complete gradient; then end, after which the gradient is the sum. *sums grows by the
 * losses of all processes, by rank. False with an error where one of them failed; r->cancelled where one of
 * them is to stop. */
void learn_share_begin(struct learn_run *r);
bool learn_share_add(struct learn_run *r, bool good, const struct learn_losses *losses,
                     struct learn_losses *sums, GError **error);
void learn_share_end(struct learn_run *r);

/* Before the first step and after each: all have rank 0's step and shifts, and know whether it goes
 * on. good: whether it does here; false with its error, or with one that says that rank 0 failed. */
bool learn_share_follow(struct learn_run *r, bool good, GError **error);
