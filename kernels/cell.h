/* cell.h: reading and writing one value of a given type; the one place that knows how cells are
 * stored. Where the type is a constant of the caller, nothing of it is left in a loop. */
#pragma once

#include "kernels/kernels.h"

static inline real cell_get(enum kernels_type type, const void *x, int64_t i)
{
    return type == KERNELS_BF16  ? (real)bf16_to_float(((const uint16_t *)x)[i])
           : type == KERNELS_F16 ? (real)f16_to_float(((const uint16_t *)x)[i])
                                 : ((const real *)x)[i];
}

/* Rounds what was computed to bfloat16, to the nearest even. A NaN that arithmetic makes stays one; that all do, as
 * in cell_convert, costs the loops twice as much. */
static inline uint16_t cell_round(float value)
{
    const uint32_t bits = bits_of_float(value);

    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

static inline void cell_set(enum kernels_type type, void *x, int64_t i, real value)
{
    if (type == KERNELS_BF16) {
        ((uint16_t *)x)[i] = cell_round((float)value);
    } else if (type == KERNELS_F16) {
        ((uint16_t *)x)[i] = f16_from_float((float)value);
    } else {
        ((real *)x)[i] = value;
    }
}

// the sum is rounded once
static inline void cell_add(enum kernels_type type, void *x, int64_t i, real value)
{
    cell_set(type, x, i, cell_get(type, x, i) + value);
}

// value i of another type, whatever bits it has
static inline void cell_convert(enum kernels_type from, const void *x, enum kernels_type to,
                                void *y, int64_t i)
{
    if (from == to && to != KERNELS_F32) {
        ((uint16_t *)y)[i] = ((const uint16_t *)x)[i];
    } else if (to == KERNELS_BF16) {
        ((uint16_t *)y)[i] = bf16_from_float((float)cell_get(from, x, i));
    } else {
        cell_set(to, y, i, cell_get(from, x, i));
    }
}
