/* error.h: the one GError domain of the engine.
 *
 * A message is one sentence that names the file, tensor or option and says what to do. The code
 * decides the exit status of the command: usage 2, failed 1, cancelled 130. */
#pragma once

#include <glib.h>

#define SVDIFF_ERROR (svdiff_error_quark())

enum svdiff_error_code {
    SVDIFF_ERROR_FAILED,    // a file, the memory or the arithmetic failed
    SVDIFF_ERROR_USAGE,     // what was asked for is wrong by itself
    SVDIFF_ERROR_CANCELLED, // stopped on request; what was learned so far is kept
};

GQuark svdiff_error_quark(void);
