/* cpu.h: the CPU table's state, and the calls that fill its entries by noun. */
#pragma once

#include "kernels/memory.h"
#include "kernels/onednn.h"

#include <omp.h>

/* workspace: memory for what an entry needs while it runs (gathered rows, partial sums, keys in
 * another order), allocated with the table and counted. One entry runs at a time. */
struct cpu_device {
    struct kernels_memory memory; // first: see memory.h
    struct onednn *dnnl;
    void *workspace;
    kernels reference; // the entries of the reference, for what has no fast form
};

#define CPU_WORKSPACE ((size_t)64 << 20)
#define CPU_GRAIN     16384 // values

static inline struct cpu_device *cpu_device(const kernels *k)
{
    return k->device;
}

/* To be called before oneDNN: its threads are OpenMP's default of the calling thread, which another
 * table or program part may have changed. */
static inline void cpu_use_threads(const kernels *k)
{
    omp_set_num_threads(k->threads);
}

/* The same before a primitive of oneDNN, which divides even a small product: below CPU_PRODUCT
 * multiplications one thread is done before the others have begun, and nobody waits for them.
 * cpu_use_threads follows, so that what comes next never depends on what was before. */
#define CPU_PRODUCT ((double)(1 << 21))

static inline void cpu_use_threads_for(const kernels *k, double multiplications)
{
    omp_set_num_threads(multiplications < CPU_PRODUCT ? 1 : k->threads);
}

// all of the workspace
static inline struct onednn_room cpu_workspace(const kernels *k)
{
    return (struct onednn_room){cpu_device(k)->workspace, CPU_WORKSPACE};
}

// takes the first bytes of the room; NULL where it is too small, which leaves the room as it is
static inline void *cpu_take(struct onednn_room *room, size_t bytes)
{
    const size_t rounded = (bytes + KERNELS_ALIGNMENT - 1) / KERNELS_ALIGNMENT * KERNELS_ALIGNMENT;
    void *memory = room->memory;

    if (rounded > room->bytes) {
        return NULL;
    }
    room->memory = (char *)memory + rounded;
    room->bytes -= rounded;
    return memory;
}

/* How many threads an own loop over that many values should have: all, or one where starting them
 * would cost more than they save. Never anything between, which would make OpenMP end threads. */
static inline int cpu_threads(const kernels *k, int64_t values)
{
    return values >= CPU_GRAIN ? k->threads : 1;
}

// a run of values, tokens or rows: one thread's
struct cpu_share {
    int64_t first, last;
};

// the calling thread's of count; inside a parallel region
static inline struct cpu_share cpu_share(int64_t count)
{
    const int thread = omp_get_thread_num(), threads = omp_get_num_threads();

    return (struct cpu_share){count * thread / threads, count * (thread + 1) / threads};
}

/* C [m, n] = A [m, k] B + bias [n], or += without a bias where s.accumulate; A are cells, B a plain
 * weight, [n, k] where transpose_b; C is of the type `to`, that of cells or float. bias may be NULL.
 * False where that is not possible: the weight is of another type than cells, or the room is too
 * small; then nothing was written. */
bool cpu_product(const kernels *k, struct gemm_shape s, const cell *a, struct kernels_weight b,
                 const float *bias, enum kernels_type to, void *c, struct onednn_room room);

/* dw [out, in] += dy^T x of the entry linear_backward_weight, with room that is not the whole workspace. */
void cpu_linear_gradient(const kernels *k, struct linear_shape s, const cell *dy, const cell *x,
                         real *dw, struct onednn_room room);

void cpu_fill_attention(kernels *k);
void cpu_fill_gemm(kernels *k);
void cpu_fill_linear(kernels *k);
void cpu_fill_conv(kernels *k);
void cpu_fill_groupnorm(kernels *k);
void cpu_fill_layernorm(kernels *k);
void cpu_fill_activation(kernels *k);
void cpu_fill_elementwise(kernels *k);
void cpu_fill_spectral(kernels *k);
