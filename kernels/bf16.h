/* bf16.h: bfloat16, the upper half of a float: sign, 8 bits of exponent, 7 of mantissa. */
#pragma once

#include "kernels/kernels.h"

#include <string.h>

static inline float bf16_to_float(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float value;

    memcpy(&value, &wide, sizeof value);
    return value;
}

// rounds to nearest, ties to even; NaN stays NaN, too large becomes infinity
static inline uint16_t bf16_from_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);

    // chosen without a branch, so that loops become vector code
    const uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1);
    const uint32_t quiet = bits | 0x400000u;
    return (uint16_t)(((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded) >> 16);
}
