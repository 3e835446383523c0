/* clones.h: one source, several instruction sets. A function marked CPU_CLONES is compiled for
 * AVX-512, AVX2 with FMA and the base line; the loader picks the best for this CPU. Loops of OpenMP
 * inside it are compiled along. */
#pragma once

#include "kernels/cell.h"

#if defined __x86_64__ && defined __GNUC__ && !defined __clang__
#define CPU_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CPU_CLONES
#endif

/* A loop over cells, written once: its first parameter is their type, a constant where CPU_BY_TYPE
 * calls it, so that each type gets a loop of its own. To be called from what is marked CPU_CLONES. */
#if defined __GNUC__
#define CPU_LOOP static inline __attribute__((always_inline))
#else
#define CPU_LOOP static inline
#endif
#define CPU_BY_TYPE(loop, type, ...)                                                               \
    ((type) == KERNELS_BF16 ? loop(KERNELS_BF16, __VA_ARGS__) : loop(KERNELS_F32, __VA_ARGS__))
