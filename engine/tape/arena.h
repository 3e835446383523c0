/* arena.h: device memory that is given out in order and taken back all at once.
 *
 * One block, bumped; only the newest piece can be given back singly. The high-water mark says what a run needed,
 * so a run over the counting device tells the exact size that the real arena is then made with. */
#pragma once

#include "kernels/kernels.h"

struct arena {
    const kernels *k; // device of the block
    char *block;      // NULL while measuring
    size_t size;      // bytes of the block; SIZE_MAX while measuring
    size_t used, peak;
};

/* size bytes on k; SIZE_MAX makes an arena that only measures and gives out addresses that must
 * not be read. False with SVDIFF_ERROR_FAILED when there is no memory. */
bool arena_init(struct arena *a, const kernels *k, size_t size, GError **error);
void arena_finish(struct arena *a); // accepts a zeroed arena

/* bytes, aligned, contents undefined. The caller sized the arena: running over is a programming
 * error. Valid until the arena is emptied. */
void *arena_alloc(struct arena *a, size_t bytes);

/* Takes back the newest piece, of so many bytes at `memory`, or does nothing where that is not the
 * newest. */
void arena_take_back(struct arena *a, const void *memory, size_t bytes);

void arena_empty(struct arena *a);
