/* cuda_rig.h: runs CUDA kernels on the CPU, so that tests without a GPU check what they compute.
 *
 * For g++ only; nvcc never sees it (kernels/launch_cuda.h). The host's API is declared by CUDA's own
 * headers and defined by the rig's .cpp files, so that a wrong call does not compile. What the rig
 * lacks does not link, or ends the process by its name: nothing is computed in another way.
 *
 * Each thread of a block has a stack of its own and runs alone until it meets a barrier or a warp's
 * exchange. A warp goes on until all of it wait for the block. Blocks, warps and lanes take turns in an
 * order that changes from launch to launch (forwards, backwards, shuffled), so that what depends on it gives other bits. Shared memory begins as NaN in
 * each block. Errors end the process with a sentence that names kernel, block and thread:
 *
 *   a barrier that some threads do not reach; an exchange whose mask names a lane that has ended or
 *   does not come; a lane read that takes no part; block, grid or shared memory beyond the limits
 *
 * Built with -fsanitize=thread and linked with race_rig.cpp (not with GCC's library), every access
 * to device and shared memory is looked at, too: races, bounds, values that nobody wrote. */
#pragma once

#include "kernels/float_bits.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#undef __shared__ // SHARED of launch_cuda.h takes its place
#undef __launch_bounds__
#undef __grid_constant__
#define __launch_bounds__(...)
#define __grid_constant__

namespace rig
{

enum state { FRESH, READY, AT_BLOCK_BARRIER, AT_WARP_BARRIER, ENDED };

// where something goes on: its stack pointer, and the stack that it is on
struct place {
    void *pointer;
    const void *bottom;
    size_t bytes;
};

/* A CUDA thread. mask: of the warp's barrier that it waits at; exchanges: that it took part in;
 * passed: warp barriers behind it; top: of its stack. */
struct thread {
    uint3 index;
    int number, lane, warp;
    enum state state;
    unsigned mask, exchanges, passed;
    char *top;
    struct place place;
};

#define RIG_SLOT 64
#define RIG_OWN  __attribute__((no_sanitize("thread"))) // the rig's: not looked at

// what the lanes of a warp show each other; two sets, since one lane may be an exchange ahead
struct warp {
    alignas(RIG_SLOT) unsigned char slot[2][32][RIG_SLOT];
};

/* The block that runs. serial: of all blocks so far; first: of the launch's first one; passed:
 * barriers of the block. */
struct block {
    const char *kernel;
    dim3 grid, size;
    uint3 index;
    struct thread *threads, *current;
    struct warp *warps;
    int count;
    uint32_t serial, first, passed;
    void *shared;
    size_t shared_bytes;
};
extern struct block running;

[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// a library that nothing is linked to; what is in it is the rig's, linked to everything
void *open_library(const char *file);

void block_barrier();
void warp_barrier(unsigned mask);

// to the stream's queue, or the graph that is being captured; run when the host waits
void enqueue(cudaStream_t stream, std::function<void()> work);
void run_grid(const char *kernel, dim3 grid, dim3 block, size_t shared,
              const std::function<void()> &thread);
// false, with cudaGetLastError telling, where the device would refuse
bool check_launch(const void *function, dim3 grid, dim3 block, size_t shared, cudaStream_t stream);

template <typename T> struct same {
    typedef T type;
};

// arguments are taken at the call, as the device does
template <typename... P>
void launch(const char *kernel, void (*function)(P...), dim3 grid, dim3 block, size_t shared,
            cudaStream_t stream, typename same<P>::type... arguments)
{
    if (check_launch(reinterpret_cast<const void *>(function), grid, block, shared, stream)) {
        const std::function<void()> thread = [=] { function(arguments...); };
        enqueue(stream, [=] { run_grid(kernel, grid, block, shared, thread); });
    }
}

inline void *shared(size_t bytes)
{
    if (bytes > running.shared_bytes) {
        fail("%zu bytes of shared memory are used, %zu were asked for", bytes,
             running.shared_bytes);
    }
    return running.shared;
}

/* Shows value to the lanes of mask and returns what all of them show, RIG_SLOT bytes apart. Valid
 * until the lane's next exchange. */
template <typename T> RIG_OWN const unsigned char *exchange(unsigned mask, const T &value)
{
    static_assert(sizeof(T) <= RIG_SLOT, "");
    struct thread *t = running.current;
    auto slots = running.warps[t->warp].slot[t->exchanges++ & 1];

    memcpy(slots[t->lane], &value, sizeof value);
    warp_barrier(mask);
    return slots[0];
}

template <typename T> RIG_OWN T shown(const unsigned char *slots, int lane)
{
    T value;

    memcpy(&value, slots + lane * RIG_SLOT, sizeof value);
    return value;
}

template <typename T> RIG_OWN T shuffle(unsigned mask, T value, int from)
{
    const unsigned char *slots = exchange(mask, value);

    if (from < 0 || from > 31 || !(mask >> from & 1)) {
        fail("a lane reads lane %d, which takes no part (mask %08x)", from, mask);
    }
    return shown<T>(slots, from);
}

} // namespace rig

RIG_OWN static inline uint3 rig_thread_index()
{
    return rig::running.current->index;
}

#define threadIdx (rig_thread_index())
#define blockIdx  (rig::running.index)
#define blockDim  (rig::running.size)
#define gridDim   (rig::running.grid)
#define warpSize  32

static inline void __syncthreads()
{
    rig::block_barrier();
}

static inline void __syncwarp(unsigned mask = 0xffffffffu)
{
    rig::warp_barrier(mask);
}

/* ---- exchanges of a warp; a width is the lanes of a group, as CUDA's ---- */

template <typename T> RIG_OWN T __shfl_sync(unsigned mask, T value, int from, int width = 32)
{
    const int lane = rig::running.current->lane;

    return rig::shuffle(mask, value, (lane & ~(width - 1)) | (from & (width - 1)));
}

template <typename T> RIG_OWN T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32)
{
    const int lane = rig::running.current->lane, from = lane ^ bits;

    return rig::shuffle(mask, value, from / width > lane / width ? lane : from);
}

template <typename T>
RIG_OWN T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32)
{
    const int lane = rig::running.current->lane, from = lane + (int)by;

    return rig::shuffle(mask, value, from / width != lane / width ? lane : from);
}

template <typename T> RIG_OWN T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32)
{
    const int lane = rig::running.current->lane, from = lane - (int)by;

    return rig::shuffle(mask, value, from < (lane & ~(width - 1)) ? lane : from);
}

RIG_OWN static inline unsigned __ballot_sync(unsigned mask, int predicate)
{
    const unsigned char *slots = rig::exchange(mask, predicate);
    unsigned bits = 0;

    for (int lane = 0; lane < 32; lane++) {
        if ((mask >> lane & 1) && rig::shown<int>(slots, lane) != 0) {
            bits |= 1u << lane;
        }
    }
    return bits;
}

static inline int __any_sync(unsigned mask, int predicate)
{
    return __ballot_sync(mask, predicate) != 0;
}

static inline int __all_sync(unsigned mask, int predicate)
{
    return __ballot_sync(mask, predicate) == mask;
}

/* ---- atomics: blocks run one after another, so a plain sum is one ---- */

template <typename T> RIG_OWN inline T atomicAdd(T *to, T value)
{
    const T before = *to;

    *to = before + value;
    return before;
}

/* ---- arithmetic that the device has and C++ has not ---- */

using std::isnan;

static inline unsigned __float_as_uint(float x)
{
    return bits_of_float(x);
}

static inline float __uint_as_float(unsigned bits)
{
    return float_of_bits(bits);
}

static inline float rsqrtf(float x)
{
    return 1 / sqrtf(x);
}

// the normal distribution function
static inline float normcdff(float x)
{
    return (float)(0.5 * std::erfc(-x * M_SQRT1_2));
}

template <typename T> T min(T a, T b)
{
    return b < a ? b : a;
}

template <typename T> T max(T a, T b)
{
    return a < b ? b : a;
}
