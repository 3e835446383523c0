/* prompt_parts.h: a prompt as people write it, in the syntax of A1111's stable-diffusion-webui: parts of it
 * with weights.
 *
 *   (word)       weighs 1.1 times as much, ((word)) 1.21 times
 *   (word:1.3)   1.3 times
 *   [word]       1 / 1.1 times
 *   \( \) \[ \]  the characters themselves, and \\
 *   BREAK        goes on in the next chunk of the encoder's length, in brackets as well
 *   [V] [Vk]     always a subject's mark and never a weight
 *
 * Brackets that are not closed go to the end of the text, those that were never opened are characters.
 * What such programs read as a change of the text while drawing, [from:to:when] and [a|b], and AND
 * between several prompts, is refused. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct prompt_part {
    char *text;    // owned
    double weight; // 1: as it is
    bool breaks;   // a BREAK, without a text
};

#define PROMPT_WEIGHT_MAX 100.0 // of either sign

/* The parts of a text that is UTF-8, neighbours of one weight as one; option: "--prompt", for messages. To be freed
 * with g_array_unref. NULL with SVDIFF_ERROR_USAGE. */
GArray *prompt_parts(const char *option, const char *text, GError **error);

static inline const struct prompt_part *prompt_part_at(const GArray *parts, guint i)
{
    return &g_array_index(parts, struct prompt_part, i);
}

/* The first bracket that was never opened, else the first that is not closed, in the text; NULL: there is neither. */
const char *prompt_unbalanced(const char *text);

/* The text that has these characters and no weights; owned by the caller. */
char *prompt_escape(const char *text);
