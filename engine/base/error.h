/* error.h: the one GError domain of the engine, which is the public header's. */
#pragma once

#include "engine/svdiff.h"

/* Sets the sentence, printf-like, with the code SVDIFF_ERROR_USAGE or SVDIFF_ERROR_FAILED. Always
 * false, so that a check ends with it. */
bool error_usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
bool error_failed(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Whether it says that somebody asked to stop; NULL does not. */
bool error_is_cancel(const GError *error);

/* "PATH: WHAT: REASON.": what a call of the system that just failed says in errno. Always false. */
bool error_system(GError **error, const char *path, const char *what);
