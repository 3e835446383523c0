/* scenes.h: prompts to start from. */
#pragma once

#include <stdbool.h>

/* Prompts of a thing, "a fox" or "a fox and a cat", in scenes that suit it. small: those that the
 * model that ships paints well, else some that ask more. g_strfreev it. */
char **scenes_of(const char *thing, bool small);
