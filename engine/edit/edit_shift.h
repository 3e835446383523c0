/* edit_shift.h: what is learned of a picture before it is edited, and where that is kept. */
#pragma once

#include "engine/session/session.h"

/* svdiff_edit_shift's file; learned first when it is not there, and anew where it is damaged or of
 * another model, unless the person named it. The file is written whole, after the last step; a run
 * that is cancelled leaves nothing. Owned by the caller; NULL with an error. */
char *edit_shift_ready(svdiff *s, const struct svdiff_edit_options *options,
                       progress_function progress, void *user, GError **error);

/* Whether options->shift is that file itself, and no folder for it. */
bool edit_shift_named(const struct svdiff_edit_options *options);

/* The file in whose place it is learned. Owned by the caller. */
char *edit_shift_part(const char *file);
