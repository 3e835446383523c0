/* float_bits.h: the bits of floats, and the two types of 16 bits, which round to nearest, ties to even:
 *
 *   bfloat16  the upper half of a float: sign, 8 bits of exponent, 7 of mantissa
 *   float16   1 sign, 5 exponent (bias 15), 10 mantissa bits;   value = m 2^-24 below 2^-14
 *
 * float16 to float shifts exponent and mantissa to their place and adds the difference of the biases;
 * subnormals go through one exact float subtraction. The way back adds the rounding bias and the
 * lowest kept bit before the shift. Without branches, so that loops become vector code. */
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

    const uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1);
    const uint32_t quiet = bits | 0x400000u;
    return (uint16_t)(((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded) >> 16);
}

// `yes` where the mask is ones, `no` where it is zeros
static inline uint32_t bits_choose(uint32_t mask, uint32_t yes, uint32_t no)
{
    return (yes & mask) | (no & ~mask);
}

static inline float f16_to_float(uint16_t value)
{
    const uint32_t sign = (uint32_t)(value & 0x8000) << 16;
    const uint32_t magnitude = (uint32_t)(value & 0x7fff) << 13;
    // normal numbers change the bias by 112; infinity and NaN by twice that, to exponent 255
    const uint32_t special = 0u - (magnitude >= 0x0f800000);
    const uint32_t normal = magnitude + (112u << 23) + (special & (112u << 23));
    // subnormals: put the mantissa under a hidden one at 2^-14 and take that one away
    const uint32_t subnormal = bits_of_float(float_of_bits(magnitude + (113u << 23)) - 0x1p-14f);

    return float_of_bits(sign | bits_choose(0u - (magnitude < 0x00800000), subnormal, normal));
}

// NaN becomes the quiet one of its sign, too large becomes infinity
static inline uint16_t f16_from_float(float value)
{
    const uint32_t bits = bits_of_float(value);
    const uint32_t sign = bits & 0x80000000;
    const uint32_t magnitude = bits ^ sign;
    // normal results: the bias, half of the last kept place less one, and the last kept bit
    const uint32_t normal = (magnitude - (112u << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    // subnormal results: adding 0.5 leaves exactly ten bits below, rounded by the addition itself
    const uint32_t subnormal = bits_of_float(float_of_bits(magnitude) + 0.5f) - bits_of_float(0.5f);
    const uint32_t special = bits_choose(0u - (magnitude > 0x7f800000), 0x7e00, 0x7c00);
    const uint32_t finite = bits_choose(0u - (magnitude < 0x38800000), subnormal, normal);

    return (uint16_t)((sign >> 16) | bits_choose(0u - (magnitude >= 0x47800000), special, finite));
}
