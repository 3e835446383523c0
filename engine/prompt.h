/* prompt.h: placeholders in prompts. [V], or [V1], [V2] ... with several subjects, stand for the
 * words of the vocabulary that the subjects are learned as. */
#pragma once

/* text with [V] and [V1] replaced by placeholders[0], [V2] by placeholders[1], and so on; those
 * without a placeholder (NULL, or beyond n) stay as they are. Owned by the caller. */
char *prompt_replace(const char *text, const char *const *placeholders, int n);

/* text without its [V]s, blanks tidied: what the class is called. Owned by the caller. */
char *prompt_without(const char *text);

/* Whether text has a [V] or [Vk]. */
int prompt_has_placeholder(const char *text);
