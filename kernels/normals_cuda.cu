/* normals_cuda.cu: random numbers of a key, the CPU's bit for bit. This file is compiled without fused multiply-adds
 * (meson.build); divisions and square roots in double are correctly rounded on all devices. */
#include "kernels/cuda.h"

#define PHILOX_CALL static __device__ inline
#include "kernels/philox.h"

// a thread has the four normals of a block
static __global__ void draw(int64_t count, const struct normals_key *__restrict__ key,
                            float *__restrict__ out)
{
    EACH(block, (count + 3) / 4)
    {
        float four[4];

        philox_normals(key->seed, key->stream, key->step, (uint64_t)block, four);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            if (4 * block + i < count) {
                out[4 * block + i] = four[i];
            }
        }
    }
}

static void normals(const kernels *k, int64_t count, const struct normals_key *key, real *out)
{
    if (count > 0) {
        LAUNCH(draw, cuda_blocks(cuda_ceil(count, 4)), CUDA_THREADS, 0, cuda_stream(k), count, key,
               out);
    }
}

void cuda_fill_normals(kernels *k)
{
    k->normals = normals;
}
