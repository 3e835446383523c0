/* typed_words.h: what people type and neither a shell nor GOption takes apart.
 *
 *   learn --image a.png b.png      each word is an image, as if --image stood before it
 *   --output=~/fox.safetensors     shells replace ~ at the beginning of a word alone
 */
#pragma once

#include <glib.h>

/* The words of a command line (argv[0] the command's own, NULL at the end) as GOption takes them;
 * g_strfreev it. Words behind the first value of --image of `learn` become values of --image+. */
char **typed_words(int argc, char **argv);
