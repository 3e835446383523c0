/* table_rig.cpp: the CUDA table, linked instead of loaded: no module is asked for. */
#include "kernels/cuda.h"

extern "C" kernels *kernels_cuda(const char *module, int number, enum kernels_precision precision,
                                 GError **error)
{
    return kernels_cuda_create(number, precision, error);
}
