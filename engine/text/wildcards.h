/* wildcards.h: {red|green|blue} in a prompt: one of several texts, chosen by a seed.
 *
 *   {a|b}        a or b, each as likely; {|very } may be nothing
 *   {a|{b|c}}    within each other
 *   {a}          no choice: these characters
 *   \{ \| \}     the characters, as prompt_parts.h has them
 *
 * A seed and a text always give the same. It is done before all else is read in a prompt: what is
 * chosen may have weights and marks, and [a|b], which changes while a picture is drawn, stays refused. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether there is anything to choose. */
bool wildcards_any(const char *text);

/* A text in which nothing is to be chosen, such as one for which that was done: \{ in the place of each {. Owned
 * by the caller. */
char *wildcards_plain(const char *text);

/* The text with its choices made; number: which text of a picture it is, so that two of them choose by
 * themselves; option: for sentences. Owned by the caller; NULL with SVDIFF_ERROR_USAGE. */
char *wildcards_choose(const char *option, const char *text, uint64_t seed, int number,
                       GError **error);
