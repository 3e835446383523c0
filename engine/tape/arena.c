/* Bump allocation on a device; see arena.h. */
#include "engine/tape/arena.h"

#include "engine/base/error.h"

// addresses of a measuring arena begin here: far from anything that is mapped
#define MEASURE_BASE ((size_t)1 << 44)

bool arena_init(struct arena *a, const kernels *k, size_t size, GError **error)
{
    *a = (struct arena){.k = k, .size = size};
    if (size == SIZE_MAX || size == 0) {
        return true;
    }
    a->block = k->alloc(k, size);
    if (a->block == NULL) {
        error_failed(error,
                     "There is no memory for %.2f GiB of activations; choose a smaller size or "
                     "batch, or close other programs.",
                     (double)size / (1024.0 * 1024.0 * 1024.0));
        a->size = 0;
        return false;
    }
    return true;
}

void arena_finish(struct arena *a)
{
    if (a->block != NULL) {
        a->k->release(a->k, a->block, a->size);
    }
    *a = (struct arena){0};
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    const size_t offset = a->used;
    const size_t rounded = (bytes + KERNELS_ALIGNMENT - 1) / KERNELS_ALIGNMENT * KERNELS_ALIGNMENT;

    a->used += rounded;
    a->peak = MAX(a->peak, a->used);
    if (a->size == SIZE_MAX) {
        return (char *)MEASURE_BASE + offset;
    }
    g_assert(a->used <= a->size);
    return a->block + offset;
}

void arena_empty(struct arena *a)
{
    a->used = 0;
}
