/* block_rig.cpp: the threads of a block on stacks of their own; see cuda_rig.h. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/rig.h"
#include "tests/rig/tensor_rig.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
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

namespace rig
{

struct block running;
std::deque<std::deque<copy>> copies[1024];

static std::vector<struct thread> threads;
static std::vector<struct warp> warps;
static const std::function<void()> *body;
static void *scheduler; // its stack pointer
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

#ifdef __SANITIZE_ADDRESS__
static void *scheduler_fake;
static const void *scheduler_stack;
static size_t scheduler_size;

static void enter(struct thread *t)
{
    __sanitizer_start_switch_fiber(&scheduler_fake, t->stack, STACK);
    rig_switch(&scheduler, t->stack_pointer);
    __sanitizer_finish_switch_fiber(scheduler_fake, NULL, NULL);
}

static void leave(struct thread *t, bool for_ever)
{
    void *fake = NULL;

    __sanitizer_start_switch_fiber(for_ever ? NULL : &fake, scheduler_stack, scheduler_size);
    rig_switch(&t->stack_pointer, scheduler);
    __sanitizer_finish_switch_fiber(fake, &scheduler_stack, &scheduler_size);
}
#else
static void enter(struct thread *t)
{
    rig_switch(&scheduler, t->stack_pointer);
}

static void leave(struct thread *t, bool for_ever)
{
    rig_switch(&t->stack_pointer, scheduler);
}
#endif

static void thread_main()
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(NULL, &scheduler_stack, &scheduler_size);
#endif
    (*body)();
    running.current->state = ENDED;
    leave(running.current, true);
}

static void begin_thread(struct thread *t, int number, dim3 size)
{
    if (t->stack == NULL) {
        t->stack = (char *)mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
#ifdef __SANITIZE_ADDRESS__
    ASAN_UNPOISON_MEMORY_REGION(t->stack, STACK);
#endif
    // what rig_switch takes off: six registers and where to go; then the stack is as after a call
    void **top = (void **)(t->stack + STACK) - 1;
    *--top = (void *)thread_main;
    t->stack_pointer = top - 6;
    t->number = number;
    t->lane = number % 32;
    t->warp = number / 32;
    t->index = {number % size.x, number / size.x % size.y, number / (size.x * size.y)};
    t->state = READY;
    t->exchanges = t->passed = 0;
    copies[number].clear();
}

/* ---- barriers ---- */

void block_barrier()
{
    running.current->state = AT_BLOCK_BARRIER;
    leave(running.current, false);
}

void warp_barrier(unsigned mask)
{
    struct thread *t = running.current;

    if (!(mask >> t->lane & 1)) {
        fail("lane %d is not in its own mask %08x", t->lane, mask);
    }
    t->mask = mask;
    t->state = AT_WARP_BARRIER;
    leave(t, false);
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

// 0 .. count - 1 forwards, backwards, shuffled, by the number of the launch
static void turns(std::vector<int> &order, int count, uint32_t seed)
{
    static const char *fixed = getenv("RIG_ORDER");
    const uint32_t kind = fixed != NULL ? (uint32_t)atoi(fixed) : seed;

    order.resize(count);
    for (int i = 0; i < count; i++) {
        order[i] = kind % 3 == 1 ? count - 1 - i : i;
    }
    if (kind % 3 == 2) {
        std::shuffle(order.begin(), order.end(), std::minstd_rand(seed));
    }
}

static bool run_ready(const std::vector<int> &order)
{
    bool ran = false;

    for (int i : order) {
        if (threads[i].state == READY) {
            running.current = &threads[i];
            enter(running.current);
            ran = true;
        }
    }
    running.current = NULL;
    return ran;
}

static bool release_warps()
{
    bool released = false;

    for (int i = 0; i < running.count; i++) {
        if (threads[i].state == AT_WARP_BARRIER) {
            released |= release_lanes(&threads[i / 32 * 32], &threads[i]);
        }
    }
    return released;
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
    while (run_ready(order) || release_warps() || release_block()) {
    }
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
    turns(thread_order, count, launches);
    turns(block_order, n, launches++);
    for (int i : block_order) {
        running.index = {i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y)};
        run_block(thread_order);
    }
    running.kernel = NULL;
    rig_race_block(NULL, 0);
}

} // namespace rig
