/* The error domain of the engine; see error.h. */
#include "engine/error.h"

G_DEFINE_QUARK(svdiff-error-quark, svdiff_error)
