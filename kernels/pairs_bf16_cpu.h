/* pairs_bf16_cpu.h: tokens of bfloat16 brought into the layouts that products of pairs read
 * (product_cpu.h), 16 x 16 pairs at a time, and floats with a token a lane brought back.
 *
 * Tokens are rows x [tokens, d], `row` values apart. Where d or the tokens end before a multiple of
 * 32 values or 16 tokens, what is laid out goes on to that multiple with zeros. */
#pragma once

#include "kernels/bf16_cpu.h"

#ifdef BF16_CODE

// an odd value is paired with zero
static inline int64_t pairs_of(int64_t values)
{
    return (values + 1) / 2;
}

// rounded up to whole vectors, or tiles
static inline int64_t whole(int64_t count)
{
    return (count + BF16_LANES - 1) / BF16_LANES * BF16_LANES;
}

// one token: to [whole(pairs of d)]
void pairs_row(int d, const uint16_t *x, uint32_t *to);

// up to 16 tokens, one a lane: to [whole(pairs of d)] rows that lie `step` pairs apart
void pairs_columns(int d, int tokens, const uint16_t *x, int64_t row, uint32_t *to, int64_t step);

// up to two tokens, a pair across them a value: to [whole(d)]
void pairs_across(int d, int tokens, const uint16_t *x, int64_t row, uint32_t *to);

/* Up to 32 tokens, a row a value, a pair every two tokens: to [whole(d)] rows of 16 pairs that lie
 * `step` pairs apart. */
void pairs_transposed(int d, int tokens, const uint16_t *x, int64_t row, uint32_t *to,
                      int64_t step);

/* y [d, step], a token a lane, of which the first `tokens` (16 at most) are wanted, times
 * factor [16]: to the tokens to [tokens, d], `row` values apart, rounded once; add: to what they
 * are. */
void pairs_back(int d, int tokens, const float *y, int64_t step, const float *factor, bool add,
                uint16_t *to, int64_t row);

// d floats of a token, times a factor, added to it
void pairs_add(int d, const float *y, float factor, uint16_t *to);
#endif
