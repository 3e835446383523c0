/* cpu_packed.c: the CPU's table of the programs that tests/device packs: the reference's, one thread, in
 * the place of oneDNN's, which is larger than all that is packed. What runs on a device asks it for
 * nothing but the numbers that a device is held against. */
#include "kernels/kernels.h"

bool kernels_cpu_has_bf16(void)
{
    return true;
}

kernels *kernels_cpu(int threads, enum kernels_precision precision, GError **error)
{
    return kernels_reference(kernels_precision_type(precision));
}
