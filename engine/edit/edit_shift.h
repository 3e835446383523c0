/* edit_shift.h: what is learned of a picture before it is edited, and where that is kept. */
#pragma once

#include "engine/session.h"

/* options->shift or svdiff_edit_shift's file; learned first when it is not there. The file is
 * written whole, after the last step; a run that is cancelled leaves nothing. Owned by the caller;
 * NULL with an error. */
char *edit_shift_ready(svdiff *s, const struct svdiff_edit_options *options,
                       progress_function progress, void *user, GError **error);

/* The file in whose place it is learned. Owned by the caller. */
char *edit_shift_part(const char *file);
