/* prompt.h: placeholders in prompts. [V], or [V1], [V2] ... with several subjects, stand for the
 * words of the vocabulary that the subjects are learned as. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Whether a text that an option gives is UTF-8, and not too long; SVDIFF_ERROR_USAGE names the
 * option. */
bool prompt_check(const char *option, const char *text, GError **error);

/* text with [V] and [V1] replaced by placeholders[0], [V2] by placeholders[1], and so on; those
 * without a placeholder (NULL, or beyond n) stay as they are. Owned by the caller. */
char *prompt_replace(const char *text, const char *const *placeholders, int n);

/* text without its [V]s, blanks and articles tidied ("a [V] insect" leaves "an insect"): what the
 * class is called. Owned by the caller. */
char *prompt_without(const char *text);

/* The same where the class of [V] and [V1] is classes[0] and so on, "dog": it stands in the place of
 * those that have no such word behind them, "a [V] in the snow". Those without a class (NULL, or
 * beyond n) are left out. Owned by the caller. */
char *prompt_classes(const char *text, const char *const *classes, int n);

/* text with each [V] and [Vk] replaced by the same word. Owned by the caller. */
char *prompt_with(const char *text, const char *word);

/* How many bytes the [V] or [Vk] has that text begins with, 0 when it begins with none. */
gsize prompt_mark_length(const char *text);

/* Whether text has a [V] or [Vk]. */
int prompt_has_placeholder(const char *text);

/* The number k of the first [Vk] in text that is neither [V] nor [V`own`]; 0 when there is none. */
int prompt_foreign_placeholder(const char *text, int own);
