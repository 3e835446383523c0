/* estimate.h: what a run of learning takes, counted: the true steps on a device that computes
 * nothing (dry_session.h). What it tells a person is in svdiff.h. */
#pragma once

#include "engine/learn/run/learn_run.h"

/* Whether the machine has the memory that learning takes at least, weights kept in factors and
 * segments run again on the way back. Nothing of the lesson need be encoded. False with what is
 * needed, what is there, and what would fit. */
bool estimate_check_memory(const struct lesson *l, GError **error);

/* Bytes on the session's device that a run with these options takes at least, with a group what those of its processes
 * take that are on this machine. */
bool estimate_least(svdiff *s, const struct svdiff_learn_options *o, uint64_t *bytes,
                    GError **error);

/* learn_fit.c: what would fit, for session_settle. lesson: struct lesson. */
void learn_fits(void *lesson, uint64_t available, GPtrArray *ways);
