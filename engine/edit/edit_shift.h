/* edit_shift.h: what is learned of a picture before it is edited, and where that is kept. */
#pragma once

#include "engine/session/session.h"

/* svdiff_edit_shift's file. kept: it is there; else it is to be learned, also where it is damaged or of another model,
 * unless the person named it. Owned by the caller; NULL with an error. */
char *edit_shift_find(svdiff *s, const struct svdiff_edit_options *options, bool *kept,
                      GError **error);

/* Bytes on the session's device that learning takes at least. */
bool edit_shift_least(svdiff *s, const struct svdiff_edit_options *options, uint64_t *bytes,
                      GError **error);

/* Learns it. The file is written whole, after the last step; a run that is cancelled leaves nothing. */
bool edit_shift_learn(svdiff *s, const struct svdiff_edit_options *options, const char *file,
                      progress_function progress, void *user, GError **error);

/* Whether options->shift is that file itself, and no folder for it. */
bool edit_shift_named(const struct svdiff_edit_options *options);

/* The file in whose place it is learned. Owned by the caller. */
char *edit_shift_part(const char *file);
