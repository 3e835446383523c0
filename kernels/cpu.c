/* cpu.c: the CPU's fast table: oneDNN for products and convolutions, own loops for the rest, OpenMP
 * for threads.
 *
 * Own loops name their threads with num_threads; oneDNN takes OpenMP's default, which is set before
 * each of its calls (cpu_use_threads). */
#include "kernels/cpu.h"
#include "kernels/reference.h"

#include <omp.h>

bool kernels_cpu_has_bf16(void)
{
    return onednn_has_bf16();
}

static void cpu_destroy(kernels *k)
{
    struct cpu_device *device = cpu_device(k);

    onednn_destroy(device->dnnl);
    memory_host_release(device->workspace, CPU_WORKSPACE);
    g_free(device);
    g_free(k);
}

static bool create_device(struct cpu_device *device, GError **error)
{
    device->workspace = memory_host_alloc(CPU_WORKSPACE);
    if (!device->workspace) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
                    "there is no memory for the CPU's workspace of %zu MiB: close other programs "
                    "or raise the memory limit",
                    CPU_WORKSPACE >> 20);
        return false;
    }
    device->memory.own = device->memory.bytes = device->memory.peak = CPU_WORKSPACE;
    device->dnnl = onednn_create(error);
    return device->dnnl != NULL;
}

static bool check_precision(enum kernels_precision precision, GError **error)
{
    if (precision == KERNELS_IN_F32 || (precision == KERNELS_IN_BF16 && kernels_cpu_has_bf16())) {
        return true;
    }
    if (precision == KERNELS_IN_BF16) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "this CPU has no bfloat16 instructions: use the precision f32");
    } else {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "the precision %s is for CUDA devices: use f32 or bf16 on the CPU",
                    kernels_precision_word(precision));
    }
    return false;
}

kernels *kernels_cpu(int threads, enum kernels_precision precision, GError **error)
{
    if (!check_precision(precision, error)) {
        return NULL;
    }

    g_autoptr(kernels) k = kernels_reference(kernels_precision_type(precision));
    g_free(k->device);
    k->device = g_new0(struct cpu_device, 1);
    k->destroy = cpu_destroy;
    k->name = "cpu";
    k->threads = threads > 0 ? threads : omp_get_num_procs();
    k->precision = precision;
    k->weight = k->activation;
    if (!create_device(k->device, error)) {
        return NULL;
    }
    cpu_device(k)->reference = *k;
    cpu_fill_attention(k);
    cpu_fill_gemm(k);
    cpu_fill_linear(k);
    cpu_fill_conv(k);
    cpu_fill_groupnorm(k);
    cpu_fill_layernorm(k);
    cpu_fill_activation(k);
    cpu_fill_elementwise(k);
    cpu_fill_spectral(k);
    return g_steal_pointer(&k);
}
