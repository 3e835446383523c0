/* dtype.h: the types of stored values and their conversion to and from float.
 *
 * Conversions are exact where the target can hold the value; towards f16 and bf16 they round to
 * nearest, ties to even, overflow to infinity, keep the sign of zero and make every NaN a quiet
 * one. They are loops without branches, which the compiler turns into vector code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_F64,
    DTYPE_F8_E4M3, // as PyTorch's float8_e4m3fn: no infinity
    DTYPE_F8_E5M2, // the two of 8 bits are read only
    DTYPE_OTHER,   // integers, booleans and whatever comes: never converted
};

// for sentences
#define DTYPE_READABLE "F32, F16, BF16, F64, F8_E4M3 or F8_E5M2"

// "F32", "F16", ... as safetensors spells them; "other"
const char *dtype_name(enum dtype type);

// the type of a safetensors name; DTYPE_OTHER for all other names
enum dtype dtype_from_name(const char *name);

/* Bits of one value of the safetensors type `name`, 0 when the name is not known. Covers all names
 * of the format, so that shapes of foreign tensors can be checked. */
int dtype_name_bits(const char *name);

// bytes of one value: 4, 2, 2, 8, 1, 1; 0 for DTYPE_OTHER
size_t dtype_bytes(enum dtype type);

// the type in which values are written that were stored in this one: F16 for those of 8 bits
enum dtype dtype_written(enum dtype type);

/* Converts n values of `type` (not DTYPE_OTHER) at `in`, which need not be aligned, to floats.
 * f64 rounds to nearest. */
void dtype_to_f32(enum dtype type, const void *in, float *out, size_t n);

/* Converts n floats to `type` (of at least 16 bits) at `out`, which need not be aligned. */
void dtype_from_f32(enum dtype type, const float *in, void *out, size_t n);

// true when none of the n values is infinite or NaN
bool dtype_finite(const float *values, size_t n);
// the same of f16
bool dtype_finite_f16(const uint16_t *values, size_t n);
