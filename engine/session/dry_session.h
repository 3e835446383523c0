/* dry_session.h: a session that computes nothing: it shares the model's files with the true one and
 * has a counting device (kernels_count), on which the true code tells what it takes. */
#pragma once

#include "engine/session/session.h"

/* Says nothing to anybody. To be finished by the caller (g_auto), before `s` is closed. */
svdiff dry_session(const svdiff *s);
void dry_session_finish(svdiff *dry);
typedef svdiff dry_svdiff;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(dry_svdiff, dry_session_finish)

// the program itself, its libraries and the host's copies of pictures
#define DRY_SESSION_PROGRAM ((uint64_t)32 << 20)

/* What a run takes on the host besides the device's memory: the program, and the largest weight's
 * copies while it is read or decomposed. */
uint64_t dry_session_host_bytes(const svdiff *s);
