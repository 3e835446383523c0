/* count.c: the table that computes nothing. The true code runs on it and memory is only counted, so
 * that an estimate is the program itself and no second formula.
 *
 * Addresses are made up: distinct, aligned, never inside a page that exists for a program, never to
 * be read. What is downloaded reads as zero. The own workspace of the table that it stands for is
 * counted, too. Products are counted as two operations for each multiplication, of matrices,
 * convolutions and attention; the rest of the work is small beside. */
#include "kernels/memory.h"

#include <string.h>

#define FIRST_ADDRESS ((uintptr_t)1 << 56)

struct count_device {
    struct kernels_memory memory;
    uintptr_t next;
    double operations[KERNELS_KINDS]; // of products; 0 of the other kinds
};

static void add_work(const kernels *k, enum kernels_kind kind, double work)
{
    struct count_device *device = k->device;

    device->operations[kind] += kernels_kind_multiplies(kind) ? work : 0;
}

static void *count_alloc(const kernels *k, size_t bytes)
{
    struct count_device *device = k->device;
    const size_t room = FIRST_ADDRESS - 1;

    if (bytes == 0 || bytes > room || device->next > 2 * FIRST_ADDRESS) {
        return NULL;
    }

    void *memory = (void *)device->next;
    device->next += (bytes / KERNELS_ALIGNMENT + 1) * KERNELS_ALIGNMENT;
    memory_count_add(k, bytes);
    return memory;
}

static void count_release(const kernels *k, void *memory, size_t bytes)
{
    if (memory) {
        memory_count_remove(k, bytes);
    }
}

static void count_download(const kernels *k, void *to, const void *from, size_t bytes)
{
    if (bytes > 0) {
        memset(to, 0, bytes);
    }
}

static void count_transfer(const kernels *k, void *to, const void *from, size_t bytes)
{
}

static void count_zero(const kernels *k, void *memory, size_t bytes)
{
}

static bool count_sync(const kernels *k, GError **error)
{
    return true;
}

static bool count_brought(const kernels *k, void *to, GError **error)
{
    return true;
}

static size_t count_available(const kernels *k)
{
    return SIZE_MAX;
}

static void count_destroy(kernels *k)
{
    g_free(k->device);
    g_free(k);
}

#define ENTRY(name, kind, work, arguments, ...)                                                    \
    static void count_##name(const kernels *k, __VA_ARGS__)                                        \
    {                                                                                              \
        add_work(k, KERNELS_##kind, work);                                                         \
    }
#include "kernels/entries.h"
#undef ENTRY

static void fill_entries(kernels *k)
{
#define ENTRY(name, ...) k->name = count_##name;
#include "kernels/entries.h"
#undef ENTRY
}

static void fill_memory(kernels *k)
{
    k->alloc = count_alloc;
    k->release = count_release;
    k->upload = k->copy = count_transfer;
    k->download = count_download;
    k->zero = count_zero;
    k->sync = count_sync;
    k->bring = count_download;
    k->brought = count_brought;
    k->repeat = memory_repeat;
    k->forget = memory_forget;
    k->available = count_available;
    k->destroy = count_destroy;
}

kernels *kernels_count(const kernels *like)
{
    const struct kernels_memory *memory = like->device;
    struct count_device *device = g_new0(struct count_device, 1);
    kernels *k = g_new0(kernels, 1);

    device->memory =
        (struct kernels_memory){.bytes = memory->own, .peak = memory->own, .own = memory->own};
    device->next = FIRST_ADDRESS;
    fill_memory(k);
    fill_entries(k);
    k->name = "count";
    k->threads = like->threads;
    k->precision = like->precision;
    k->weight = like->weight;
    k->activation = like->activation;
    k->device = device;
    return k;
}

double kernels_counted(const kernels *k, enum kernels_kind kind)
{
    const struct count_device *device = k->device;

    return device->operations[kind];
}

double kernels_counted_operations(const kernels *k)
{
    double sum = 0;

    for (int kind = 0; kind < KERNELS_KINDS; kind++) {
        sum += kernels_counted(k, (enum kernels_kind)kind);
    }
    return sum;
}
