/* reference.c: the reference table: plain C, one thread, memory of the host.
 *
 * The reference is the specification: no tricks, no intrinsics, sums in double. It is compiled a
 * second time with real = double, against which derivatives are checked. */
#include "kernels/reference.h"
#include "kernels/memory.h"

void reference_fill(kernels *k)
{
    reference_fill_gemm(k);
    reference_fill_linear(k);
    reference_fill_conv(k);
    reference_fill_groupnorm(k);
    reference_fill_layernorm(k);
    reference_fill_attention(k);
    reference_fill_activation(k);
    reference_fill_elementwise(k);
    reference_fill_resample(k);
    reference_fill_spectral(k);
    reference_fill_embedding(k);
    reference_fill_optimizer(k);
    reference_fill_unmix(k);
    reference_fill_latents(k);
    reference_fill_normals(k);
}

static void reference_destroy(kernels *k)
{
    g_free(k->device);
    g_free(k);
}

kernels *kernels_reference(enum kernels_type activation)
{
    kernels *k = g_new0(kernels, 1);

    k->name = "reference";
    k->threads = 1;
    k->precision = KERNELS_IN_F32;
    k->weight = KERNELS_F32;
    k->activation = activation;
    k->device = g_new0(struct kernels_memory, 1);
    k->destroy = reference_destroy;
    memory_fill_host(k);
    reference_fill(k);
    return k;
}
