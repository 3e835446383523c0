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

static size_t rounded_up(size_t bytes)
{
    return (bytes + KERNELS_ALIGNMENT - 1) / KERNELS_ALIGNMENT * KERNELS_ALIGNMENT;
}

static char *first_address(const struct arena *a)
{
    return a->size == SIZE_MAX ? (char *)MEASURE_BASE : a->block;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    const size_t offset = a->used;

    a->used += rounded_up(bytes);
    a->peak = MAX(a->peak, a->used);
    g_assert(a->used <= a->size);
    return first_address(a) + offset;
}

void arena_take_back(struct arena *a, const void *memory, size_t bytes)
{
    const size_t rounded = rounded_up(bytes);

    if (rounded <= a->used && memory == first_address(a) + (a->used - rounded)) {
        a->used -= rounded;
    }
}

void arena_empty(struct arena *a)
{
    a->used = 0;
}
