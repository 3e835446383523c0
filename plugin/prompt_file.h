/* prompt_file.h: a file of prompts, a line each, as `svdiff generate --prompts` reads it. */
#pragma once

#include <glib.h>

/* The prompts in it; empty lines and those that begin with # are none. g_strfreev it. NULL with a sentence for
 * what is no text or has no prompts or more than a hundred, and for options behind a prompt (--steps 20): here
 * fields say them, and layers are called by what was painted. */
char **prompt_file_read(const char *path, GError **error);
