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

static inline struct cpu_device *cpu_device(const kernels *k)
{
    return k->device;
}

void cpu_fill_gemm(kernels *k);
void cpu_fill_linear(kernels *k);
void cpu_fill_conv(kernels *k);
