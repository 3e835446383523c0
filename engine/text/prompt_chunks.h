/* prompt_chunks.h: a prompt of any length as chunks of an encoder's length, with a weight for each token.
 *
 * As A1111's stable-diffusion-webui cuts: each chunk is the beginning token, as many of the text's as fit, the end
 * token and padding. Where a chunk is full and a comma stands among its last 20 tokens, what follows the
 * comma moves to the next one, and the vectors of a textual inversion are in one. BREAK ends a chunk. */
#pragma once

#include "engine/text/tokenizer.h"

struct prompt_chunks {
    int n, length;  // 1 chunk at least
    int32_t *ids;   // [n, length]
    float *weights; // [n, length]: 1 for what is not the text's
};

/* For an encoder of `length` tokens, 3 at least. To be cleared by the caller; false with
 * SVDIFF_ERROR_USAGE, then there is nothing to clear. */
bool prompt_chunks_make(struct prompt_chunks *c, const struct tokenizer *t, const char *text,
                        int length, GError **error);
void prompt_chunks_clear(struct prompt_chunks *c); // accepts a zeroed one
