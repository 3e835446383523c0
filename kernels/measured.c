/* measured.c: a table that calls another one and adds up, for each kind of work, the time and the
 * work of its calls.
 *
 * The other table is given itself with each call, so that what one of its entries asks of another
 * is part of the first and not counted twice. Each call is waited for: on a device that works beside
 * the host, a time would otherwise be that of whatever came next. */
#include "kernels/memory.h"

struct measured_device {
    struct kernels_memory memory; // first: see memory.h
    const kernels *inner;
    struct kernels_measure measures[KERNELS_KINDS];
};

static struct measured_device *measured(const kernels *k)
{
    return k->device;
}

static void add(const kernels *k, enum kernels_kind kind, double work, gint64 began)
{
    struct measured_device *device = measured(k);
    struct kernels_measure *m = &device->measures[kind];

    device->inner->sync(device->inner, NULL);
    m->seconds += (double)(g_get_monotonic_time() - began) / 1e6;
    m->work += work;
    m->calls++;
}

/* ---- memory ---- */

static void *measured_alloc(const kernels *k, size_t bytes)
{
    void *memory = measured(k)->inner->alloc(measured(k)->inner, bytes);

    if (memory != NULL) {
        memory_count_add(k, bytes);
    }
    return memory;
}

static void measured_release(const kernels *k, void *memory, size_t bytes)
{
    if (memory != NULL) {
        memory_count_remove(k, bytes);
        measured(k)->inner->release(measured(k)->inner, memory, bytes);
    }
}

#define TRANSFER(name)                                                                             \
    static void measured_##name(const kernels *k, void *to, const void *from, size_t bytes)        \
    {                                                                                              \
        const gint64 began = g_get_monotonic_time();                                               \
                                                                                                   \
        measured(k)->inner->name(measured(k)->inner, to, from, bytes);                             \
        add(k, KERNELS_COPY, 2.0 * (double)bytes, began);                                          \
    }
TRANSFER(upload)
TRANSFER(download)
TRANSFER(copy)

static void measured_zero(const kernels *k, void *memory, size_t bytes)
{
    const gint64 began = g_get_monotonic_time();

    measured(k)->inner->zero(measured(k)->inner, memory, bytes);
    add(k, KERNELS_COPY, (double)bytes, began);
}

static bool measured_sync(const kernels *k, GError **error)
{
    return measured(k)->inner->sync(measured(k)->inner, error);
}

static bool measured_brought(const kernels *k, void *to, GError **error)
{
    return true;
}

static size_t measured_available(const kernels *k)
{
    return measured(k)->inner->available(measured(k)->inner);
}

static void measured_destroy(kernels *k)
{
    g_free(k->device);
    g_free(k);
}

/* ---- entries ---- */

#define UNPACK(...) __VA_ARGS__
#define ENTRY(name, kind, amount, arguments, ...)                                                  \
    static void measured_##name(const kernels *k, __VA_ARGS__)                                     \
    {                                                                                              \
        const size_t unit =                                                                        \
            kernels_kind_multiplies(KERNELS_##kind) ? 1 : kernels_size(k->activation);             \
        const gint64 began = g_get_monotonic_time();                                               \
                                                                                                   \
        measured(k)->inner->name(measured(k)->inner, UNPACK arguments);                            \
        add(k, KERNELS_##kind, (amount) * (double)unit, began);                                    \
    }
#include "kernels/entries.h"
#undef ENTRY

kernels *kernels_measured(const kernels *inner)
{
    const struct kernels_memory *memory = inner->device;
    struct measured_device *device = g_new0(struct measured_device, 1);
    kernels *k = g_memdup2(inner, sizeof *inner);

    device->memory =
        (struct kernels_memory){.bytes = memory->own, .peak = memory->own, .own = memory->own};
    device->inner = inner;
    k->device = device;
    k->alloc = measured_alloc;
    k->release = measured_release;
    k->upload = measured_upload;
    k->download = measured_download;
    k->copy = measured_copy;
    k->zero = measured_zero;
    k->sync = measured_sync;
    // nothing is late and nothing is kept: each call is waited for
    k->bring = measured_download;
    k->brought = measured_brought;
    k->repeat = memory_repeat;
    k->forget = memory_forget;
    k->available = inner->available != NULL ? measured_available : NULL;
    k->destroy = measured_destroy;
    k->spectra = NULL; // of the table's own device
#define ENTRY(name, ...) k->name = measured_##name;
#include "kernels/entries.h"
#undef ENTRY
    return k;
}

void kernels_take_measures(const kernels *k, struct kernels_measure measures[KERNELS_KINDS])
{
    for (int kind = 0; kind < KERNELS_KINDS; kind++) {
        measures[kind] = measured(k)->measures[kind];
        measured(k)->measures[kind] = (struct kernels_measure){0};
    }
}

static const struct {
    const char *name;
    bool multiplies;
} kinds[KERNELS_KINDS] = {
    [KERNELS_CONV] = {"convolution", true},    [KERNELS_LINEAR] = {"linear", true},
    [KERNELS_ATTENTION] = {"attention", true}, [KERNELS_NORM] = {"norm", false},
    [KERNELS_COPY] = {"copy", false},          [KERNELS_REST] = {"rest", false},
};

const char *kernels_kind_name(enum kernels_kind kind)
{
    return kinds[kind].name;
}

bool kernels_kind_multiplies(enum kernels_kind kind)
{
    return kinds[kind].multiplies;
}
