/* cell.h: reading and writing one value of a given type; the one place that knows how cells are
 * stored. Where the type is a constant of the caller, nothing of it is left in a loop. */
#pragma once

#include "kernels/kernels.h"

static inline real cell_get(enum kernels_type type, const void *x, int64_t i)
{
    return type == KERNELS_BF16 ? (real)bf16_to_float(((const uint16_t *)x)[i])
                                : ((const real *)x)[i];
}

// rounds to the nearest even
static inline void cell_set(enum kernels_type type, void *x, int64_t i, real value)
{
    if (type == KERNELS_BF16) {
        ((uint16_t *)x)[i] = bf16_from_float((float)value);
    } else {
        ((real *)x)[i] = value;
    }
}

// the sum is rounded once
static inline void cell_add(enum kernels_type type, void *x, int64_t i, real value)
{
    cell_set(type, x, i, cell_get(type, x, i) + value);
}
