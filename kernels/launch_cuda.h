/* launch_cuda.h: the first thing that a .cu file includes: CUDA under nvcc, and under any other compiler the
 * rig of tests/rig, which runs kernels on the CPU (cuda_rig.h is found in a folder that the rig's build
 * names). What the two spell differently:
 *
 *   LAUNCH(kernel, grid, block, shared bytes, stream, arguments...);
 *   SHARED(struct tiles, s);      the block's shared memory, of the bytes asked for at the launch
 *   SHARED_ARRAY(float, s);       the same as an array, whose length the launch alone knows
 *   LIBRARY_OPEN(file)            a library that nothing is linked to, NULL where it is not there
 *   LIBRARY_FIND(library, name)   the function of it that a header of CUDA's declares, or NULL
 *
 * A kernel has all its shared memory in this one place. What the device alone has instructions for is
 * ptx_cuda.h, in the rig tensor_rig.h. */
#pragma once

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <dlfcn.h>
#include <stdint.h>

#define LIBRARY_OPEN(file)          dlopen(file, RTLD_NOW | RTLD_LOCAL)
#define LIBRARY_FIND(library, name) ((decltype(&(name)))dlsym(library, #name))
#define LAUNCH(kernel, grid, block, shared, stream, ...)                                           \
    (kernel)<<<(grid), (block), (shared), (stream)>>>(__VA_ARGS__)
#define SHARED(type, name)                                                                         \
    extern __shared__ __align__(16) unsigned char launch_shared[];                                 \
    type *const name = reinterpret_cast<type *>(launch_shared)
#define SHARED_ARRAY SHARED

#include "kernels/ptx_cuda.h"

#else

#include "cuda_rig.h"
#include "tensor_rig.h"

#define LIBRARY_OPEN(file)          rig::open_library(file)
#define LIBRARY_FIND(library, name) ((void)(library), &(name))
#define LAUNCH(kernel, grid, block, bytes, stream, ...)                                            \
    rig::launch(#kernel, (kernel), (grid), (block), (bytes), (stream), __VA_ARGS__)
#define SHARED(type, name)       type *const name = static_cast<type *>(rig::shared(sizeof(type)))
#define SHARED_ARRAY(type, name) type *const name = static_cast<type *>(rig::shared(0))

#endif
