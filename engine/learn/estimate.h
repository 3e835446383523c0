/* estimate.h: what a run of learning takes, counted: the true steps on a device that computes
 * nothing (dry_session.h). What it tells a person is in svdiff.h. */
#pragma once

#include "engine/learn/run/learn_run.h"

/* Whether the machine has the memory that learning takes at least, weights kept in factors and
 * segments run again on the way back. Nothing of the lesson need be encoded. False with what is
 * needed and what is there. */
bool estimate_check_memory(const struct lesson *l, GError **error);
