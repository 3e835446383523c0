/* memory.c: counts of bytes, memory of the host, and the calls that work for every table.
 *
 * Blocks of MEMORY_LARGE bytes and more are mapped: they are zero without being touched, go back to
 * the system at once, and failure is an answer instead of GLib's abort. */
#include "kernels/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY_LARGE ((size_t)1 << 20)

void memory_count_add(const kernels *k, size_t bytes)
{
    struct kernels_memory *memory = k->device;

    memory->bytes += bytes;
    if (memory->bytes > memory->peak) {
        memory->peak = memory->bytes;
    }
}

void memory_count_remove(const kernels *k, size_t bytes)
{
    struct kernels_memory *memory = k->device;

    memory->bytes -= bytes;
}

size_t kernels_peak_bytes(const kernels *k)
{
    const struct kernels_memory *memory = k->device;

    return memory->peak;
}

void kernels_reset_peak(kernels *k)
{
    struct kernels_memory *memory = k->device;

    memory->peak = memory->bytes;
}

void kernels_destroy(kernels *k)
{
    if (k) {
        k->destroy(k);
    }
}

static size_t rounded_up(size_t bytes)
{
    return (bytes + KERNELS_ALIGNMENT - 1) / KERNELS_ALIGNMENT * KERNELS_ALIGNMENT;
}

static void *map_large(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return NULL;
    }
    madvise(memory, bytes, MADV_HUGEPAGE); // only a wish
    return memory;
}

void *memory_host_alloc(size_t bytes)
{
    if (bytes == 0 || bytes > SIZE_MAX - KERNELS_ALIGNMENT) {
        return NULL;
    }
    if (bytes >= MEMORY_LARGE) {
        return map_large(bytes);
    }

    void *memory = aligned_alloc(KERNELS_ALIGNMENT, rounded_up(bytes));
    if (memory) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void memory_host_release(void *memory, size_t bytes)
{
    if (memory && bytes >= MEMORY_LARGE) {
        munmap(memory, bytes);
    } else {
        free(memory);
    }
}

static void *host_alloc(const kernels *k, size_t bytes)
{
    void *memory = memory_host_alloc(bytes);

    if (memory) {
        memory_count_add(k, bytes);
    }
    return memory;
}

static void host_release(const kernels *k, void *memory, size_t bytes)
{
    if (memory) {
        memory_count_remove(k, bytes);
        memory_host_release(memory, bytes);
    }
}

// upload, download and copy are the same on the host
static void host_copy(const kernels *k, void *to, const void *from, size_t bytes)
{
    if (bytes > 0) {
        memcpy(to, from, bytes);
    }
}

static void host_zero(const kernels *k, void *memory, size_t bytes)
{
    if (bytes > 0) {
        memset(memory, 0, bytes);
    }
}

static bool host_sync(const kernels *k, GError **error)
{
    return true;
}

static bool host_brought(const kernels *k, void *to, GError **error)
{
    return true;
}

bool memory_repeat(const kernels *k, struct kernels_kept **kept, const struct kernels_work *work)
{
    return work->run(work->user);
}

void memory_forget(const kernels *k, struct kernels_kept *kept)
{
}

void memory_fill_host(kernels *k)
{
    k->host_memory = true;
    k->alloc = host_alloc;
    k->release = host_release;
    k->upload = host_copy;
    k->download = host_copy;
    k->copy = host_copy;
    k->zero = host_zero;
    k->sync = host_sync;
    k->bring = host_copy;
    k->brought = host_brought;
    k->repeat = memory_repeat;
    k->forget = memory_forget;
    // of the machine's memory the engine knows more
    k->available = NULL;
}
