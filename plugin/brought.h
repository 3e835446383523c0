/* brought.h: adapters and textual inversions that a person has beside learned subjects: in the list of
 * subjects they are parts such as "lora ink:0.8" and "embedding glow", by name or file. */
#pragma once

#include <glib.h>

/* Those in the user's folders and in the folders that these name, sorted. g_strfreev it. */
char **brought_names(void);

/* The option of the command for a part of the list, "--lora", and in *rest what follows it; NULL: the part
 * is a subject. */
const char *brought_option(const char *part, const char **rest);
