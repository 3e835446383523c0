/* float_bits.h: the bits of floats, and bfloat16, the upper half of a float: sign, 8 bits of
 * exponent, 7 of mantissa. */
#pragma once

#include <stdint.h>
#include <string.h>

static inline float float_of_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float bf16_to_float(uint16_t bits)
{
    return float_of_bits((uint32_t)bits << 16);
}

// rounds to nearest, ties to even; NaN stays NaN, too large becomes infinity
static inline uint16_t bf16_from_float(float value)
{
    const uint32_t bits = bits_of_float(value);

    // chosen without a branch, so that loops become vector code
    const uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1);
    const uint32_t quiet = bits | 0x400000u;
    return (uint16_t)(((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded) >> 16);
}
