/* cuda_module.h: what the CUDA module and the program that opens it agree on: the version of the
 * program, whose table (kernels.h) is the module's. */
#pragma once

#define CUDA_INTERFACE "svdiff " SVDIFF_VERSION
