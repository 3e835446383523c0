/* typed_words.h: what people type, or the plug-in has typed, and neither a shell nor GOption takes
 * apart.
 *
 *   learn --image a.png b.png      each word is an image, as if --image stood before it
 *   --output=~/fox.safetensors     shells replace ~ at the beginning of a word alone
 *   --arguments FILE               the strings of the JSON array in FILE stand for it, so that
 *                                  prompts do not show in the list of processes
 */
#pragma once

#include <glib.h>

/* The words of a command line (argv[0] the command's own, NULL at the end) as GOption takes them;
 * g_strfreev it. Words behind the first value of --image of `learn` become values of --image+. What
 * a file says is taken as it is. NULL with SVDIFF_ERROR_FAILED or _USAGE. */
char **typed_words(int argc, char **argv, GError **error);
