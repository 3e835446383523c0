/* table_rig.cpp: the CUDA table, linked instead of loaded: no module is asked for. */
#include "kernels/cuda.h"

extern "C" kernels *kernels_cuda(const char *module, int number, enum kernels_precision precision,
                                 GError **error)
{
    return kernels_cuda_create(number, precision, error);
}

extern "C" struct kernels_cuda_device *kernels_cuda_devices(const char *module, int *count,
                                                            GError **error)
{
    return kernels_cuda_list(count, error);
}

extern "C" bool kernels_cuda_driver(void)
{
    return true;
}
