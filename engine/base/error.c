/* The error domain of the engine; see error.h. */
#include "engine/base/error.h"

GQuark svdiff_error_quark(void)
{
    return g_quark_from_static_string("svdiff-error-quark");
}
