/* learn_count.h: what a run of learning takes, counted: the true steps on a device that computes
 * nothing (dry_session.h). */
#pragma once

#include "engine/learn/run/learn_run.h"

/* Products of one step; the memory of the prior's teacher is counted on the way. Of a run whose
 * lesson is complete and whose learner is dry. */
bool learn_count_step(struct learn_run *r, double *operations, GError **error);

/* The peak of bytes with segments run again instead of kept; of a dry learner. */
bool learn_count_least(struct learn_run *r, uint64_t *bytes, GError **error);

/* Whether the machine has the memory that learning takes at least, weights kept in factors and
 * segments run again on the way back. Nothing of the lesson need be encoded. False with what is
 * needed and what is there. */
bool learn_check_memory(const struct lesson *l, GError **error);
