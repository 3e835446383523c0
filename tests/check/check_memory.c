/* check_memory.c: allocation, transfers and the count of bytes. */
#include "tests/check/check.h"

#include <stdio.h>
#include <string.h>

static void expect(struct check *c, bool holds, const char *what)
{
    c->cases++;
    if (!holds) {
        printf("# memory: %s\n", what);
        c->failures++;
    }
}

static void check_counts(struct check *c, size_t bytes)
{
    const kernels *k = c->device;
    const size_t before = check_bytes(c);

    void *first = k->alloc(k, bytes), *second = k->alloc(k, bytes);
    expect(c, first && second && first != second, "two arrays have one address");
    expect(c, (uintptr_t)first % KERNELS_ALIGNMENT == 0, "an array is not aligned");
    k->release(k, first, bytes);
    expect(c, kernels_peak_bytes(k) == before + 2 * bytes, "the peak is not the most");
    expect(c, check_bytes(c) == before + bytes, "the count differs from what is allocated");
    k->release(k, second, bytes);
    expect(c, check_bytes(c) == before, "the count does not return");
}

// what is uploaded comes back; the counting device gives zeros instead
static void check_transfers(struct check *c, size_t bytes)
{
    const kernels *k = c->device;
    g_autofree char *sent = g_malloc(bytes), *got = g_malloc(bytes), *zeros = g_malloc0(bytes);
    char *a = k->alloc(k, bytes), *b = k->alloc(k, bytes);

    memset(sent, 0x5a, bytes);
    memset(got, 0x11, bytes);
    k->download(k, got, a, bytes);
    expect(c, memcmp(got, zeros, bytes) == 0, "fresh memory is not zero");
    k->upload(k, a, sent, bytes);
    k->copy(k, b, a, bytes);
    k->zero(k, b, bytes / 2);
    k->download(k, got, b, bytes);
    memset(sent, 0, bytes / 2);
    expect(c, memcmp(got, c->counts ? zeros : sent, bytes) == 0, "values differ after a copy");
    expect(c, k->sync(k, NULL), "sync reports an error");
    k->release(k, a, bytes);
    k->release(k, b, bytes);
}

static void check_memory(struct check *c)
{
    static const size_t sizes[] = {1, 63, 64, 4097, 3 << 20};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        check_counts(c, sizes[i]);
        check_transfers(c, sizes[i]);
    }
    // far more than any machine has is refused, not aborted
    expect(c, !c->device->alloc(c->device, (size_t)1 << 60), "an impossible size was granted");
}

const struct test test_memory = {.check = check_memory};
