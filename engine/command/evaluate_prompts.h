/* evaluate_prompts.h: the texts of `svdiff evaluate`, as they are drawn and as they are compared. */
#pragma once

#include "engine/base/output_guard.h"
#include "engine/subject/subject_words.h"

/* All prompts of a list of files, a prompt a line, and texts: char *, to be freed with
 * g_ptr_array_unref. NULL with a sentence for a file that cannot be read, a line with options, and
 * no prompt at all. */
GPtrArray *evaluate_prompts_read(char *const *list, GError **error);

/* Whether what of list is a file is read: tells each of them. */
void evaluate_prompts_guard(char *const *list, output_guard *guard);

/* What stands for [V] where pictures are compared with a text, "fox": the classes that the subject's file says, or
 * `said` (of --class) for all. file NULL: of a folder with pictures, said alone. g_strfreev it; NULL with an
 * error. */
char **evaluate_classes(const char *file, const char *said, GError **error);

/* A prompt without the subjects' own words, as CLIP knows it: [V] fox is a fox. Owned by the caller;
 * NULL with a sentence where nobody says what a [V] is. */
char *evaluate_prompt_plain(const char *prompt, char *const *classes, GError **error);

/* The prompt as it is drawn with this subject. Owned by the caller; NULL with a sentence where it does not
 * speak of it. */
char *evaluate_prompt_drawn(const char *prompt, const struct svdiff_scaled_subject *subject,
                            GError **error);
