/* memory.h: what all tables share: the count of bytes, and memory of the host.
 *
 * Every table's device state begins with struct kernels_memory, so that kernels_peak_bytes works
 * for all of them. A table belongs to one thread at a time; the counts are not atomic. */
#pragma once

#include "kernels/kernels.h"

/* bytes: allocated now, own included; peak: the most since the table was made or reset;
 * own: held by the device itself (workspaces), from its making to its end. */
struct kernels_memory {
    size_t bytes, peak, own;
};

// adds to or takes from the table's count
void memory_count_add(const kernels *k, size_t bytes);
void memory_count_remove(const kernels *k, size_t bytes);

/* bytes of host memory, zeroed, aligned to KERNELS_ALIGNMENT; NULL when there is none or bytes is
 * 0. Large blocks come from mmap, in huge pages where the system has them. Not counted. Released
 * with the same size. */
void *memory_host_alloc(size_t bytes);
void memory_host_release(void *memory, size_t bytes);

// repeat and forget of a table that keeps nothing
bool memory_repeat(const kernels *k, struct kernels_kept **kept, const struct kernels_work *work);
void memory_forget(const kernels *k, struct kernels_kept *kept);

// makes the table's memory that of the host: host_memory and the entries alloc to sync
void memory_fill_host(kernels *k);
