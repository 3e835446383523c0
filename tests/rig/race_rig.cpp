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

/* Who touched it last, in one number, since it is looked at more often than anything else in the rig: the
 * block's serial (0: nobody, RIG_WRITTEN: a copy), the thread, how many barriers of the block and of its
 * warp were behind it. Barriers are counted in a circle: accesses a whole one apart, which no kernel has,
 * would be told though they are none. */
typedef uint64_t access;

#define LANES_PASSED 14 // bits
#define PASSED       12
#define THREAD       12
#define BLOCK_AT     (LANES_PASSED + PASSED + THREAD)
#define BLOCKS       (UINT32_C(1) << (64 - BLOCK_AT))

// in the place of a thread: several of a warp, which is added, or of several warps
#define SEVERAL_LANES 1024u
#define SEVERAL_WARPS 2048u

struct grain {
    access write, read;
};

static inline access access_of(uint32_t block, unsigned thread, uint32_t passed, uint32_t lanes)
{
    return (((access)block << THREAD | thread) << PASSED | (passed & ((1u << PASSED) - 1)))
               << LANES_PASSED |
           (lanes & ((1u << LANES_PASSED) - 1));
}

static inline uint32_t block_of(access a)
{
    return (uint32_t)(a >> BLOCK_AT);
}

static inline unsigned thread_of(access a)
{
    return (unsigned)(a >> (LANES_PASSED + PASSED)) & ((1u << THREAD) - 1);
}

static inline unsigned warp_of(access a)
{
    const unsigned thread = thread_of(a);

    return thread < SEVERAL_LANES ? thread / 32 : thread - SEVERAL_LANES;
}

static inline access with_thread(access a, unsigned thread)
{
    return a ^ (access)(thread_of(a) ^ thread) << (LANES_PASSED + PASSED);
}

// of two accesses of a block
static inline bool same_passed(access a, access b)
{
    return ((a ^ b) >> LANES_PASSED & ((1u << PASSED) - 1)) == 0;
}

static inline bool same_lanes_passed(access a, access b)
{
    return ((a ^ b) & ((1u << LANES_PASSED) - 1)) == 0;
}

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

    std::fill(first, first + grains_in(bytes), (struct grain){access_of(RIG_WRITTEN, 0, 0, 0), 0});
}

void rig_race_block(const void *shared, size_t bytes)
{
    std::fill(shared_grains, shared_grains + grains_in(std::max(bytes, shared_bytes)),
              (struct grain){});
    shared_base = (uintptr_t)shared;
    shared_bytes = bytes;
    if (rig::running.serial >= BLOCKS) {
        rig::fail("more blocks than the race detector can tell apart");
    }
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

static void tell(const char *what, bool in_shared, uintptr_t at, access other)
{
    const rig::thread *t = rig::running.current;

    if (!count_error()) {
        return;
    }
    fprintf(stderr, "rig: %s, block %u, thread %d: %s %s memory, offset %zu", rig::running.kernel,
            rig::running.serial - rig::running.first, t->number, what,
            in_shared ? "shared" : "device",
            (size_t)(at - (in_shared ? shared_base : RIG_DEVICE_BASE)));
    if (other != 0 && thread_of(other) >= SEVERAL_LANES) {
        fprintf(stderr, ", with several threads");
    } else if (other != 0) {
        fprintf(stderr, ", with block %u, thread %u", block_of(other) - rig::running.first,
                thread_of(other));
    }
    fprintf(stderr, "\n");
}

static inline bool same_launch(access a)
{
    return block_of(a) >= rig::running.first;
}

// whether what was done then is surely done before now
static inline bool before(access a, access now)
{
    if (block_of(a) != block_of(now)) {
        return !same_launch(a);
    }
    return thread_of(a) == thread_of(now) || !same_passed(a, now) ||
           (warp_of(a) == warp_of(now) && !same_lanes_passed(a, now));
}

// what is known of those who read
static inline access note_read(access last, access now)
{
    if (block_of(last) != block_of(now)) {
        // of the same launch: by several blocks, which one of them stands for
        return same_launch(last) ? access_of(block_of(last), SEVERAL_WARPS, 0, 0) : now;
    }
    if (!same_passed(last, now) || thread_of(last) == thread_of(now)) {
        return now;
    }
    if (warp_of(last) != warp_of(now)) {
        return with_thread(last, SEVERAL_WARPS);
    }
    return same_lanes_passed(last, now) ? with_thread(last, SEVERAL_LANES + warp_of(now)) : now;
}

// true where something was wrong
__attribute__((always_inline)) static inline bool look_at(access *write, access *read, uintptr_t at,
                                                          bool writes, bool in_shared, access now)
{
    if (*write == 0 && !is_there(at, in_shared)) {
        tell("touches what is not there in", in_shared, at, 0);
        return true;
    }
    if (*write == 0 && !writes) {
        tell("reads what nobody wrote in", in_shared, at, 0);
        return true;
    }
    if (!before(*write, now)) {
        tell(writes ? "writes what another wrote in" : "reads what another writes in", in_shared,
             at, *write);
        return true;
    }
    if (writes && *read != 0 && !before(*read, now)) {
        tell("writes what another reads in", in_shared, at, *read);
        return true;
    }
    if (writes) {
        *write = now;
        *read = 0;
    } else {
        *read = note_read(*read, now);
    }
    return false;
}

void rig_race_reads(const void *memory, size_t bytes)
{
    const struct grain *first = grains_of(memory);
    bool good =
        is_there((uintptr_t)memory, false) && is_there((uintptr_t)memory + bytes - 1, false);

    for (size_t i = 0; good && i < grains_in(bytes); i++) {
        good = first[i].write != 0;
    }
    if (!good && count_error()) {
        fprintf(stderr, "rig: a product reads what nobody wrote in device memory, offset %zu\n",
                (size_t)((uintptr_t)memory - RIG_DEVICE_BASE));
    }
}

static inline void look(void *address, size_t bytes, bool writes)
{
    const rig::thread *t = rig::running.current;
    const uintptr_t at = (uintptr_t)address;
    const bool in_shared = at - shared_base < RIG_SHARED_BYTES;

    if (t == NULL || (!in_shared && !rig::is_device(address))) {
        return;
    }
    const access now =
        access_of(rig::running.serial, (unsigned)t->number, rig::running.passed, t->passed);
    struct grain *first =
        in_shared ? shared_grains + (at - shared_base) / GRAIN : grains_of(address);
    const size_t count = at % GRAIN == 0 ? grains_in(bytes) : grains_in(bytes + 1);
    access wrote = 0, had_read = 0, write = 0, read = 0; // each in a register

    for (size_t i = 0; i < count; i++) {
        if (i == 0 || wrote == 0 || first[i].write != wrote || first[i].read != had_read) {
            write = wrote = first[i].write;
            read = had_read = first[i].read;
            if (look_at(&write, &read, at + i * GRAIN, writes, in_shared, now)) {
                return;
            }
        } // else what had the same past has the same answer
        first[i].write = write;
        first[i].read = read;
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
