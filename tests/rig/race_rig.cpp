/* race_rig.cpp: looks at every access that a kernel makes to device and shared memory.
 *
 * g++ -fsanitize=thread puts a call before each load and store; here are those functions, in the
 * place of GCC's library. Two accesses of the same two bytes, one of them a write, are a race
 *   in device memory   by different blocks of a launch
 *   in either memory   by threads of a block between which lies no barrier of the block, nor, within
 *                      a warp, an exchange or __syncwarp
 * Atomics are not looked at. What was never written must not be read, what was not allocated not be
 * touched. Calls of memcpy and memset are not seen: kernels have none. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/rig.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sys/mman.h>

#define GRAIN 2 // bytes that are looked at together, those of the smallest type
#define SHOWN 5 // errors

// who touched it last. block: serial; 0: nobody, RIG_WRITTEN: a copy
struct access {
    uint32_t block;
    uint16_t thread, warp;
    uint32_t passed, lanes_passed;
};

#define SEVERAL 0xffff // thread, warp: more than one of them read

struct grain {
    struct access write, read;
};

static struct grain *device_grains;                          // of all addresses of the device
static struct grain shared_grains[RIG_SHARED_BYTES / GRAIN]; // of the block's shared memory
static std::map<uintptr_t, size_t> allocated;                // device memory: where, bytes
static uintptr_t shared_base;
static size_t shared_bytes;
static int errors;

// pages of it exist from when they are touched on
static struct grain *grains_of(const void *memory)
{
    if (device_grains == NULL) {
        device_grains = (struct grain *)mmap(NULL, RIG_DEVICE_BYTES / GRAIN * sizeof(struct grain),
                                             PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (device_grains == MAP_FAILED) {
            rig::fail("there are no addresses for the race detector");
        }
    }
    return device_grains + ((uintptr_t)memory - RIG_DEVICE_BASE) / GRAIN;
}

static size_t grains_in(size_t bytes)
{
    return (bytes + GRAIN - 1) / GRAIN;
}

// addresses are not given out twice, so that what is gone stays untouched
void rig_race_device(const void *memory, size_t bytes, bool begins)
{
    if (begins) {
        allocated[(uintptr_t)memory] = bytes;
    } else {
        allocated.erase((uintptr_t)memory);
        madvise(grains_of(memory), grains_in(bytes) * sizeof(struct grain), MADV_DONTNEED);
    }
}

void rig_race_wrote(const void *memory, size_t bytes)
{
    struct grain *first = grains_of(memory);

    std::fill(first, first + grains_in(bytes), (struct grain){{RIG_WRITTEN, 0, 0, 0, 0}, {}});
}

void rig_race_block(const void *shared, size_t bytes)
{
    std::fill(shared_grains, shared_grains + grains_in(std::max(bytes, shared_bytes)),
              (struct grain){});
    shared_base = (uintptr_t)shared;
    shared_bytes = bytes;
}

static bool is_there(uintptr_t at, bool in_shared)
{
    if (in_shared) {
        return at - shared_base < shared_bytes;
    }
    const auto after = allocated.upper_bound(at);
    return after != allocated.begin() && at - std::prev(after)->first < std::prev(after)->second;
}

static void end_with_errors()
{
    if (errors > 0) {
        fflush(stdout);
        fprintf(stderr, "rig: %d faulty accesses\n", errors);
        _Exit(1);
    }
}

// true where it is to be told, too
static bool count_error()
{
    if (errors++ == 0) {
        atexit(end_with_errors);
    }
    return errors <= SHOWN;
}

static void tell(const char *what, bool in_shared, uintptr_t at, const struct access *other)
{
    const rig::thread *t = rig::running.current;

    if (!count_error()) {
        return;
    }
    fprintf(stderr, "rig: %s, block %u, thread %d: %s %s memory, offset %zu", rig::running.kernel,
            rig::running.serial - rig::running.first, t->number, what,
            in_shared ? "shared" : "device",
            (size_t)(at - (in_shared ? shared_base : RIG_DEVICE_BASE)));
    if (other != NULL && other->thread == SEVERAL) {
        fprintf(stderr, ", with several threads");
    } else if (other != NULL) {
        fprintf(stderr, ", with block %u, thread %d", other->block - rig::running.first,
                other->thread);
    }
    fprintf(stderr, "\n");
}

static inline bool same_launch(const struct access *a)
{
    return a->block >= rig::running.first;
}

// whether what was done then is surely done before now
static inline bool before(const struct access *a, const struct access *now)
{
    if (a->block != now->block) {
        return !same_launch(a);
    }
    return a->thread == now->thread || a->passed != now->passed ||
           (a->warp == now->warp && a->lanes_passed != now->lanes_passed);
}

static inline void note_read(struct access *last, const struct access *now)
{
    if (last->block != now->block) {
        // of the same launch: by several blocks, which one of them stands for
        *last = same_launch(last) ? (struct access){last->block, SEVERAL, SEVERAL, 0, 0} : *now;
    } else if (last->passed != now->passed || last->thread == now->thread) {
        *last = *now;
    } else if (last->warp != now->warp) {
        last->thread = last->warp = SEVERAL;
    } else if (last->lanes_passed == now->lanes_passed) {
        last->thread = SEVERAL; // of this warp
    } else {
        *last = *now;
    }
}

// true where something was wrong
static inline bool look_at(struct grain *c, uintptr_t at, bool writes, bool in_shared,
                           const struct access *now)
{
    if (c->write.block == 0 && !is_there(at, in_shared)) {
        tell("touches what is not there in", in_shared, at, NULL);
        return true;
    }
    if (c->write.block == 0 && !writes) {
        tell("reads what nobody wrote in", in_shared, at, NULL);
        return true;
    }
    if (!before(&c->write, now)) {
        tell(writes ? "writes what another wrote in" : "reads what another writes in", in_shared,
             at, &c->write);
        return true;
    }
    if (writes && c->read.block != 0 && !before(&c->read, now)) {
        tell("writes what another reads in", in_shared, at, &c->read);
        return true;
    }
    if (writes) {
        c->write = *now;
        c->read = {0, 0, 0, 0, 0};
    } else {
        note_read(&c->read, now);
    }
    return false;
}

void rig_race_reads(const void *memory, size_t bytes)
{
    const struct grain *first = grains_of(memory);
    bool good =
        is_there((uintptr_t)memory, false) && is_there((uintptr_t)memory + bytes - 1, false);

    for (size_t i = 0; good && i < grains_in(bytes); i++) {
        good = first[i].write.block != 0;
    }
    if (!good && count_error()) {
        fprintf(stderr, "rig: a product reads what nobody wrote in device memory, offset %zu\n",
                (size_t)((uintptr_t)memory - RIG_DEVICE_BASE));
    }
}

static inline bool are_alike(const struct grain *a, const struct grain *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void look(void *address, size_t bytes, bool writes)
{
    const rig::thread *t = rig::running.current;
    const uintptr_t at = (uintptr_t)address;
    const bool in_shared = at - shared_base < RIG_SHARED_BYTES;

    if (t == NULL || (!in_shared && !rig::is_device(address))) {
        return;
    }
    const struct access now = {rig::running.serial, (uint16_t)t->number, (uint16_t)t->warp,
                               rig::running.passed, t->passed};
    struct grain *first =
        in_shared ? shared_grains + (at - shared_base) / GRAIN : grains_of(address);
    const size_t count = at % GRAIN == 0 ? grains_in(bytes) : grains_in(bytes + 1);
    struct grain before = *first;

    if (look_at(first, at, writes, in_shared, &now)) {
        return;
    }
    for (size_t i = 1; i < count; i++) { // what had the same past has the same answer
        if (before.write.block != 0 && are_alike(&before, first + i)) {
            first[i] = first[0];
        } else if (look_at(first + i, at + i * GRAIN, writes, in_shared, &now)) {
            return;
        }
    }
}

/* ---- what the compiler calls ---- */

#define ACCESS(bytes)                                                                              \
    void __tsan_read##bytes(void *at)                                                              \
    {                                                                                              \
        look(at, bytes, false);                                                                    \
    }                                                                                              \
    void __tsan_write##bytes(void *at)                                                             \
    {                                                                                              \
        look(at, bytes, true);                                                                     \
    }                                                                                              \
    void __tsan_unaligned_read##bytes(void *at)                                                    \
    {                                                                                              \
        look(at, bytes, false);                                                                    \
    }                                                                                              \
    void __tsan_unaligned_write##bytes(void *at)                                                   \
    {                                                                                              \
        look(at, bytes, true);                                                                     \
    }

extern "C" {
void __tsan_init()
{
}

void __tsan_func_entry(void *)
{
}

void __tsan_func_exit()
{
}

void __tsan_vptr_update(void **, void *)
{
}

void __tsan_read_range(void *at, size_t bytes)
{
    look(at, bytes, false);
}

void __tsan_write_range(void *at, size_t bytes)
{
    look(at, bytes, true);
}

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
}
