/* clip_unicode.h: characters as CLIP's tokenizer sees them.
 *
 * Kinds, lower case and normal form are those of the tokenizers library, not of the GLib at hand:
 * versions of Unicode differ, and so would token ids. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

// \p{L}, \p{N} and \s of the library's regular expressions
bool clip_is_letter(gunichar c);
bool clip_is_number(gunichar c);
bool clip_is_blank(gunichar c);

/* Whether normalisation may join c to the character before it: marks, and the later parts of a
 * Hangul syllable. Cutting a text before any other character leaves its normal form the same. */
bool clip_is_joining(gunichar c);

/* The text that is split into words: normal form C, each run of blanks one space, lower case
 * character by character. text: length bytes of valid UTF-8 without zeros. Caller frees
 * (g_string_free). Takes the square of the longest run of joining characters. */
GString *clip_normalize(const char *text, size_t length);
