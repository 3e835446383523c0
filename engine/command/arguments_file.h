/* arguments_file.h: the arguments of a command from a file, so that prompts do not show in the list
 * of processes. */
#pragma once

#include <glib.h>

/* argv with every "--arguments FILE" replaced by the strings of the JSON array in FILE. Owned by
 * the caller (g_strfreev). NULL with SVDIFF_ERROR_FAILED or _USAGE. */
char **arguments_expand(int argc, char **argv, GError **error);
