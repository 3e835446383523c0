/* weight_value.h: reading plain weights one value at a time, for the reference. */
#pragma once

#include "kernels/kernels.h"

// value i of a plain weight
static inline double weight_value(struct kernels_weight w, int64_t i)
{
    if (w.type == KERNELS_BF16) {
        return bf16_to_float(((const uint16_t *)w.data)[i]);
    }
    return ((const real *)w.data)[i];
}

// an activation as it meets a weight of that type: a bfloat16 weight rounds it
static inline double rounded_for(struct kernels_weight w, real x)
{
    return w.type == KERNELS_BF16 ? (double)bf16_to_float(bf16_from_float((float)x)) : (double)x;
}
