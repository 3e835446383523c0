/* clones.h: loops over cells of either type that this table has, in functions that are compiled for several instruction
 * sets (isa.h). */
#pragma once

#include "kernels/cell.h"
#include "kernels/isa.h"

/* A loop over cells, written once: its first parameter is their type, a constant where CPU_BY_TYPE
 * calls it, so that each type gets a loop of its own. To be called from what is marked CPU_CLONES. */
#if defined __GNUC__
#define CPU_LOOP static inline __attribute__((always_inline))
#else
#define CPU_LOOP static inline
#endif
#define CPU_BY_TYPE(loop, type, ...)                                                               \
    ((type) == KERNELS_BF16 ? loop(KERNELS_BF16, __VA_ARGS__) : loop(KERNELS_F32, __VA_ARGS__))
