/* The error domain of the engine; see error.h. */
#include "engine/base/error.h"

#include <errno.h>

GQuark svdiff_error_quark(void)
{
    return g_quark_from_static_string("svdiff-error-quark");
}

static void set(GError **error, enum svdiff_error_code code, const char *format, va_list arguments)
    G_GNUC_PRINTF(3, 0);
static void set(GError **error, enum svdiff_error_code code, const char *format, va_list arguments)
{
    // printed here, because g_set_error has no form for a list of arguments
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);

    g_set_error_literal(error, SVDIFF_ERROR, code, sentence);
}

bool error_usage(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set(error, SVDIFF_ERROR_USAGE, format, arguments);
    va_end(arguments);
    return false;
}

bool error_failed(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set(error, SVDIFF_ERROR_FAILED, format, arguments);
    va_end(arguments);
    return false;
}

bool error_system(GError **error, const char *path, const char *what)
{
    return error_failed(error, "%s: %s: %s.", path, what, g_strerror(errno));
}

bool error_is_cancel(const GError *error)
{
    return g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
}
