/* Stored types and their conversion; see dtype.h.
 *
 *   f16, bf16  float_bits.h
 *   e5m2       the upper half of an f16
 *   e4m3       1 sign, 4 exponent (bias 7), 3 mantissa bits;     value = m 2^-9 below 2^-6; all ones NaN
 *
 * Loops over arrays of the types
 * that models have are compiled for several instruction sets. */
#include "engine/base/dtype.h"

#include "kernels/kernels.h"

#include <glib.h>
#include <string.h>

G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN); // files are, and values are copied as they are

static const struct {
    const char *name;
    int bits;
} dtype_names[] = {
    // the order of the first six is that of enum dtype
    {"F32", 32},    {"F16", 16}, {"BF16", 16},   {"F64", 64},        {"F8_E4M3", 8},
    {"F8_E5M2", 8}, {"BOOL", 8}, {"F4", 4},      {"F6_E2M3", 6},     {"F6_E3M2", 6},
    {"U8", 8},      {"I8", 8},   {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
    {"I16", 16},    {"U16", 16}, {"I32", 32},    {"U32", 32},        {"C64", 64},
    {"I64", 64},    {"U64", 64},
};

const char *dtype_name(enum dtype type)
{
    return type == DTYPE_OTHER ? "other" : dtype_names[type].name;
}

enum dtype dtype_from_name(const char *name)
{
    for (int type = 0; type < DTYPE_OTHER; type++) {
        if (strcmp(name, dtype_names[type].name) == 0) {
            return (enum dtype)type;
        }
    }
    return DTYPE_OTHER;
}

int dtype_name_bits(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dtype_names); i++) {
        if (strcmp(name, dtype_names[i].name) == 0) {
            return dtype_names[i].bits;
        }
    }
    return 0;
}

size_t dtype_bytes(enum dtype type)
{
    return type == DTYPE_OTHER ? 0 : (size_t)dtype_names[type].bits / 8;
}

enum dtype dtype_written(enum dtype type)
{
    return type == DTYPE_F8_E4M3 || type == DTYPE_F8_E5M2 ? DTYPE_F16 : type;
}

// as f16: three bits of mantissa go to 20..22, and the biases differ by 120
static inline float e4m3_to_f32(uint8_t value)
{
    uint32_t sign = (uint32_t)(value & 0x80) << 24;
    uint32_t magnitude = (uint32_t)(value & 0x7f) << 20;
    uint32_t normal = magnitude + (120u << 23);
    uint32_t subnormal = bits_of_float(float_of_bits(magnitude + (121u << 23)) - 0x1p-6f);
    uint32_t finite = bits_choose(0u - (magnitude < 0x00800000), subnormal, normal);

    return float_of_bits(sign | bits_choose(0u - (magnitude == 0x07f00000), 0x7fc00000, finite));
}

/* ---- arrays of n values that need not be aligned ---- */

CPU_CLONES static void f16_array_to_f32(const void *in, float *out, size_t n)
{
    const char *from = in;

    for (size_t i = 0; i < n; i++) {
        uint16_t value;
        memcpy(&value, from + 2 * i, sizeof(value));
        out[i] = f16_to_float(value);
    }
}

CPU_CLONES static void bf16_array_to_f32(const void *in, float *out, size_t n)
{
    const char *from = in;

    for (size_t i = 0; i < n; i++) {
        uint16_t value;
        memcpy(&value, from + 2 * i, sizeof(value));
        out[i] = bf16_to_float(value);
    }
}

static void f64_array_to_f32(const void *in, float *out, size_t n)
{
    const char *from = in;

    for (size_t i = 0; i < n; i++) {
        double value;
        memcpy(&value, from + 8 * i, sizeof(value));
        out[i] = (float)value;
    }
}

static void e4m3_array_to_f32(const void *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = e4m3_to_f32(((const uint8_t *)in)[i]);
    }
}

static void e5m2_array_to_f32(const void *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        // the eight bits that an f16 has more are zeros
        out[i] = f16_to_float((uint16_t)(((const uint8_t *)in)[i] << 8));
    }
}

CPU_CLONES static void f32_array_to_f16(const float *in, void *out, size_t n)
{
    char *to = out;

    for (size_t i = 0; i < n; i++) {
        uint16_t value = f16_from_float(in[i]);
        memcpy(to + 2 * i, &value, sizeof(value));
    }
}

CPU_CLONES static void f32_array_to_bf16(const float *in, void *out, size_t n)
{
    char *to = out;

    for (size_t i = 0; i < n; i++) {
        uint16_t value = bf16_from_float(in[i]);
        memcpy(to + 2 * i, &value, sizeof(value));
    }
}

static void f32_array_to_f64(const float *in, void *out, size_t n)
{
    char *to = out;

    for (size_t i = 0; i < n; i++) {
        double value = in[i];
        memcpy(to + 8 * i, &value, sizeof(value));
    }
}

// F32 is copied; the two of 8 bits have no way back
static const struct {
    void (*to_f32)(const void *in, float *out, size_t n);
    void (*from_f32)(const float *in, void *out, size_t n);
} conversions[DTYPE_OTHER] = {
    [DTYPE_F16] = {f16_array_to_f32, f32_array_to_f16},
    [DTYPE_BF16] = {bf16_array_to_f32, f32_array_to_bf16},
    [DTYPE_F64] = {f64_array_to_f32, f32_array_to_f64},
    [DTYPE_F8_E4M3] = {e4m3_array_to_f32, NULL},
    [DTYPE_F8_E5M2] = {e5m2_array_to_f32, NULL},
};

void dtype_to_f32(enum dtype type, const void *in, float *out, size_t n)
{
    g_assert(type < DTYPE_OTHER);
    if (type == DTYPE_F32) {
        memcpy(out, in, n * sizeof(float));
    } else {
        conversions[type].to_f32(in, out, n);
    }
}

void dtype_from_f32(enum dtype type, const float *in, void *out, size_t n)
{
    // what was stored in 8 bits is written in 16: see dtype_written
    g_assert(type < DTYPE_F8_E4M3);
    if (type == DTYPE_F32) {
        memcpy(out, in, n * sizeof(float));
    } else {
        conversions[type].from_f32(in, out, n);
    }
}

// static ones are cloned: a visible one would be exported whatever the visibility is
CPU_CLONES static bool all_finite(const float *values, size_t n)
{
    uint32_t special = 0; // gets a bit as soon as an exponent is all ones

    for (size_t i = 0; i < n; i++) {
        special |= (bits_of_float(values[i]) & 0x7f800000) + 0x00800000;
    }
    return (special & 0x80000000) == 0;
}

bool dtype_finite(const float *values, size_t n)
{
    return all_finite(values, n);
}

CPU_CLONES static bool all_finite_f16(const uint16_t *values, size_t n)
{
    uint16_t special = 0;

    for (size_t i = 0; i < n; i++) {
        special |= (uint16_t)((values[i] & 0x7c00) + 0x0400);
    }
    return (special & 0x8000) == 0;
}

bool dtype_finite_f16(const uint16_t *values, size_t n)
{
    return all_finite_f16(values, n);
}
