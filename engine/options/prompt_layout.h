/* prompt_layout.h: how a file of prompts is laid out (command/prompt_lines.h says what it means). The plug-in reads
 * such files, too: how many pictures there will be, and what they are called. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The lines of a text, without blanks around them and without a mark of its encoding; g_strfreev it. */
char **prompt_layout_lines(const char *text);

/* Whether such a line is left out: it is empty, or a remark. */
bool prompt_layout_is_none(const char *line);

/* Where options begin in a line, at the first " --" with a letter behind it, or its end. */
const char *prompt_layout_options(const char *line);
