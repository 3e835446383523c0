/* block_rig.cpp: the threads of a block on stacks of their own; see cuda_rig.h. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/rig.h"
#include "tests/rig/tensor_rig.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <sys/mman.h>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#ifndef __x86_64__
#error "the rig switches stacks on x86-64 only"
#endif

#define STACK ((size_t)256 << 10)
#define COLOUR                                                                                     \
    384 // by which tops of stacks differ, so that a warp's fit into the first cache together

namespace rig
{

struct block running;

static std::vector<struct thread> threads;
static std::vector<struct warp> warps;
static std::vector<char *> stacks; // that no thread has
static const std::function<void()> *body;
static struct place scheduler;
static const int *turn, *turns_end; // of the warp that runs: who comes next
static uint32_t launches, blocks = RIG_WRITTEN;

void fail(const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    if (running.kernel != NULL) {
        const uint3 b = running.index;
        const int thread = running.current != NULL ? running.current->number : -1;
        fprintf(stderr, "rig: %s, block (%u, %u, %u), thread %d: ", running.kernel, b.x, b.y, b.z,
                thread);
    } else {
        fprintf(stderr, "rig: ");
    }
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    abort();
}

/* ---- stacks ---- */

// keeps the registers that a function must keep, gives up this stack for another
extern "C" void rig_switch(void **from, void *to);
asm(".text\n"
    "rig_switch:\n"
    "    pushq %rbp\n"
    "    pushq %rbx\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rbx\n"
    "    popq %rbp\n"
    "    ret\n");

// gives up this stack for another, for ever where its thread has ended
#ifdef __SANITIZE_ADDRESS__
static struct place *came_from;

static void arrive(void *fake)
{
    __sanitizer_finish_switch_fiber(fake, &came_from->bottom, &came_from->bytes);
}

static void go(struct place *from, const struct place *to, bool for_ever)
{
    void *fake = NULL;

    __sanitizer_start_switch_fiber(for_ever ? NULL : &fake, to->bottom, to->bytes);
    came_from = from;
    rig_switch(&from->pointer, to->pointer);
    arrive(fake);
}
#else
static void arrive(void *)
{
}

static void go(struct place *from, const struct place *to, bool)
{
    rig_switch(&from->pointer, to->pointer);
}
#endif

static char *new_stack()
{
    static int count;
    char *memory = (char *)mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        fail("there is no memory for a thread's stack");
    }
    return memory + STACK - count++ % 32 * COLOUR;
}

static void thread_main();

// a place that begins with thread_main: what rig_switch takes off are six registers and where to go
static void take_stack(struct thread *t)
{
    if (stacks.empty()) {
        stacks.push_back(new_stack());
    }
    t->top = stacks.back();
    stacks.pop_back();
    void **top = (void **)t->top - 1; // then the stack is as after a call
    *--top = (void *)thread_main;
    t->place = {top - 6, t->top - STACK / 2, STACK / 2};
#ifdef __SANITIZE_ADDRESS__
    ASAN_UNPOISON_MEMORY_REGION(t->place.bottom, t->place.bytes);
#endif
}

// the next of the warp that can go on, or NULL
static struct thread *take_turn()
{
    while (turn < turns_end) {
        struct thread *t = &threads[*turn++];
        if (t->state == FRESH || t->state == READY) {
            return t;
        }
    }
    return NULL;
}

// from the place of one that waits or has ended, or the scheduler's, to t's, or the scheduler's
static void run(struct place *from, struct thread *t, bool for_ever)
{
    running.current = t;
    if (t != NULL && t->state == FRESH) {
        take_stack(t);
        t->state = READY;
    }
    go(from, t != NULL ? &t->place : &scheduler, for_ever);
}

static void leave()
{
    struct thread *t = running.current;

    run(&t->place, take_turn(), false);
}

// a thread that has ended leaves its stack to the next that begins
static void thread_main()
{
    arrive(NULL);
    for (;;) {
        struct thread *t = running.current;
        (*body)();
        t->state = ENDED;
        struct thread *next = take_turn();
        if (next == NULL || next->state != FRESH) {
            stacks.push_back(t->top);
            run(&t->place, next, true);
        }
        next->top = t->top;
        next->place = t->place;
        next->state = READY;
        running.current = next;
    }
}

static void begin_thread(struct thread *t, int number, dim3 size)
{
    t->number = number;
    t->lane = number % 32;
    t->warp = number / 32;
    t->index = {number % size.x, number / size.x % size.y, number / (size.x * size.y)};
    t->state = FRESH;
    t->exchanges = t->passed = 0;
    if (!copies[number].empty()) {
        copies[number].clear();
    }
}

/* ---- barriers ---- */

void block_barrier()
{
    running.current->state = AT_BLOCK_BARRIER;
    leave();
}

void warp_barrier(unsigned mask)
{
    struct thread *t = running.current;

    if (!(mask >> t->lane & 1)) {
        fail("lane %d is not in its own mask %08x", t->lane, mask);
    }
    t->mask = mask;
    t->state = AT_WARP_BARRIER;
    leave();
}

// lets a warp's lanes go on when all that the mask names are there
static bool release_lanes(struct thread *first, struct thread *t)
{
    for (int lane = 0; lane < 32; lane++) {
        const struct thread *other = first + lane;
        if (!(t->mask >> lane & 1)) {
            continue;
        }
        if (other->state == ENDED) {
            running.current = t;
            fail("waits for lane %d of its warp, which has ended (mask %08x)", lane, t->mask);
        }
        if (other->state != AT_WARP_BARRIER) {
            return false;
        }
        if (other->mask != t->mask) {
            running.current = t;
            fail("waits with mask %08x, lane %d with %08x", t->mask, lane, other->mask);
        }
    }
    const unsigned mask = t->mask;
    for (int lane = 0; lane < 32; lane++) {
        if (mask >> lane & 1) {
            first[lane].state = READY;
            first[lane].passed++;
        }
    }
    return true;
}

static bool release_block()
{
    int waiting = 0;

    for (int i = 0; i < running.count; i++) {
        if (threads[i].state != AT_BLOCK_BARRIER && threads[i].state != ENDED) {
            return false;
        }
        waiting += threads[i].state == AT_BLOCK_BARRIER;
    }
    // hardware lets ended threads count as arrived; a kernel that relies on it is not portable
    if (waiting > 0 && waiting < running.count) {
        fail("%d of %d threads came to a barrier, the others have ended", waiting, running.count);
    }
    for (int i = 0; i < running.count && waiting > 0; i++) {
        threads[i].state = READY;
    }
    running.passed++;
    return waiting > 0;
}

/* ---- turns ---- */

/* 0 .. count - 1 forwards, backwards, shuffled, by the number of the launch; numbers of a group stay
 * together */
static void turns(std::vector<int> &order, int count, int group, uint32_t seed)
{
    static const char *fixed = getenv("RIG_ORDER");
    const uint32_t kind = fixed != NULL ? (uint32_t)atoi(fixed) : seed;

    order.resize(count);
    for (int i = 0; i < count; i++) {
        order[i] = kind % 3 == 1 ? count - 1 - i : i;
    }
    if (kind % 3 == 2) {
        std::vector<int> groups(count / group);
        std::minstd_rand random(seed);

        std::iota(groups.begin(), groups.end(), 0);
        std::shuffle(groups.begin(), groups.end(), random);
        for (int i = 0; i < count; i += group) {
            std::iota(&order[i], &order[i] + group, groups[i / group] * group);
            std::shuffle(&order[i], &order[i] + group, random);
        }
    }
}

static bool release_warp(struct thread *first)
{
    bool released = false;

    for (int lane = 0; lane < 32; lane++) {
        if (first[lane].state == AT_WARP_BARRIER) {
            released |= release_lanes(first, first + lane);
        }
    }
    return released;
}

// each warp, in turn, as far as it comes by itself
static void run_warps(const std::vector<int> &order)
{
    for (int i = 0; i < running.count; i += 32) {
        do {
            turn = &order[i];
            turns_end = turn + 32;
            struct thread *t = take_turn();
            if (t != NULL) {
                run(&scheduler, t, false);
            }
        } while (release_warp(&threads[order[i] / 32 * 32]));
    }
}

static void run_block(const std::vector<int> &order)
{
    running.serial = ++blocks;
    running.passed = 0;
    memset(running.shared, 0xff, running.shared_bytes);
    rig_race_block(running.shared, running.shared_bytes);
    for (int i = 0; i < running.count; i++) {
        begin_thread(&threads[i], i, running.size);
    }
    do {
        run_warps(order);
    } while (release_block());
    for (int i = 0; i < running.count; i++) {
        if (threads[i].state != ENDED) {
            running.current = &threads[i];
            fail("waits at a %s's barrier for ever",
                 threads[i].state == AT_WARP_BARRIER ? "warp" : "block");
        }
    }
}

// one place for all launches, of which only so many bytes may be touched
static void *shared_memory(size_t bytes)
{
    static char *memory;

    if (memory == NULL) {
        memory = (char *)mmap(NULL, RIG_SHARED_BYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
#ifdef __SANITIZE_ADDRESS__
    ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
    ASAN_POISON_MEMORY_REGION(memory + bytes, RIG_SHARED_BYTES - bytes);
#endif
    return memory;
}

void run_grid(const char *kernel, dim3 grid, dim3 size, size_t shared,
              const std::function<void()> &thread)
{
    const int count = (int)(size.x * size.y * size.z), n = (int)(grid.x * grid.y * grid.z);
    std::vector<int> thread_order, block_order;

    threads.resize(std::max(threads.size(), (size_t)count));
    warps.resize(std::max(warps.size(), (size_t)count / 32));
    running.kernel = kernel;
    running.grid = grid;
    running.size = size;
    running.threads = threads.data();
    running.warps = warps.data();
    running.count = count;
    running.first = blocks + 1;
    running.shared = shared_memory(shared);
    running.shared_bytes = shared;
    body = &thread;
    turns(thread_order, count, 32, launches);
    turns(block_order, n, 1, launches++);
    for (int i : block_order) {
        running.index = {i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y)};
        run_block(thread_order);
    }
    running.kernel = NULL;
    rig_race_block(NULL, 0);
}

} // namespace rig
