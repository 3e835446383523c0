/* brought.h: adapters and textual inversions that a person has beside learned subjects: in the list of
 * subjects they are parts such as "lora ink:0.8" and "embedding glow", by name or file. */
#pragma once

#include <glib.h>

/* Those in the user's folders and in the folders that these name, sorted. g_strfreev it. */
char **brought_names(void);

/* The option of the command for a part of a list of them, "--lora", and in *rest what follows the word; NULL: the
 * part says no kind. */
const char *brought_option(const char *part, const char **rest);

/* What a method of learning makes: what its part of a list begins with, "lora ", and in *folder the one where it
 * lies below svdiff/ of the user's data folder; NULL: a subject. */
const char *brought_of_method(const char *method, const char **folder);

/* The method that makes what a name such as "lora fox" is a part for, and in *rest "fox"; NULL: a subject. */
const char *brought_method(const char *name, const char **rest);

/* The file of such a part of a list, without a strength; g_free it. NULL: it is none, or there is no file. */
char *brought_file(const char *name);

/* The same in a list of subjects, where one that is called "lora ink" comes first; NULL: the part is a subject, and
 * *rest is not to be used. */
const char *brought_among_subjects(const char *part, const char **rest);
