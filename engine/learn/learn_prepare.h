/* learn_prepare.h: everything that is done once before the first step of learning, but reading. */
#pragma once

#include "engine/learn/run/learn_run.h"

/* Makes the lesson complete, reads the networks, makes them spectral, and sizes the tape. Owned by
 * the caller, who frees it before the lesson; NULL with an error. */
struct learn_run *learn_prepare(struct lesson *lesson, GError **error);
