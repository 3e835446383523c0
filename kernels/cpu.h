/* cpu.h: the CPU table's state, and the calls that fill its entries by noun. */
#pragma once

#include "kernels/memory.h"
#include "kernels/onednn.h"

/* workspace: memory for what an entry needs while it runs (gathered rows, partial sums, rounded
 * activations), allocated with the table and counted. One entry runs at a time. */
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

/* How many threads an own loop over that many values should have: all, or one where starting them
 * would cost more than they save. Never anything between, which would make OpenMP end threads. */
static inline int cpu_threads(const kernels *k, int64_t values)
{
    return values >= CPU_GRAIN ? k->threads : 1;
}

void cpu_fill_attention(kernels *k);
void cpu_fill_gemm(kernels *k);
void cpu_fill_linear(kernels *k);
void cpu_fill_conv(kernels *k);
void cpu_fill_groupnorm(kernels *k);
void cpu_fill_layernorm(kernels *k);
void cpu_fill_activation(kernels *k);
void cpu_fill_elementwise(kernels *k);
void cpu_fill_spectral(kernels *k);
