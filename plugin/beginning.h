/* beginning.h: what painting begins with: the subject that was learned last, and prompts of it. */
#pragma once

#include "plugin/values.h"

/* What these subjects ("fox:0.8; cat.safetensors") are in plain words, "a fox and a cat"; those
 * that do not say are called by their names. "" for none. g_free it. */
char *beginning_things(const char *subjects);

/* The same one by one, "a fox", "a cat"; g_strfreev it. files (g_strfreev): the subject file of
 * each.
 */
char **beginning_list(const char *subjects, char ***files);

/* Prompts to start from with these subjects, or with none, in a model ("": the one that ships).
 * g_strfreev it. */
char **beginning_prompts(const char *subjects, const char *model);

/* If a subject was learned since this was called before, the values of a procedure that paints
 * become those of painting it: itself, a prompt, and its model. They are kept in the file of the
 * last values, where it is noted, too. */
void beginning_fill(values *v, const char *file);
