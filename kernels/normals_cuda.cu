/* normals_cuda.cu: random numbers of a key, and latents with such noise, the CPU's bit for bit. This file is compiled
 * without fused multiply-adds (meson.build); divisions and square roots in double are correctly rounded on all devices. */
#include "kernels/cell_cuda.h"

#define PHILOX_CALL static __device__ inline
#include "kernels/philox.h"

// normals 4 block .. 4 block + 3 of the key
static __device__ inline void four_of(const struct normals_key *key, int64_t block, float out[4])
{
    philox_normals(key->seed, key->stream, key->step, (uint64_t)block, out);
}

// a thread has the four normals of a block
static __global__ void draw(int64_t count, const struct normals_key *__restrict__ key,
                            float *__restrict__ out)
{
    EACH(block, (count + 3) / 4)
    {
        float four[4];

        four_of(key, block, four);
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

static __device__ inline float channel_noise(const struct latents_row *row, int channel)
{
    float four[4];

    four_of(&row->of_channels, channel / 4, four);
    // not by its number: that would lie in memory
    return channel % 4 == 0   ? four[0]
           : channel % 4 == 1 ? four[1]
           : channel % 4 == 2 ? four[2]
                              : four[3];
}

// value i of a row with its normals
template <typename T>
static __device__ inline void draw_value(const struct latents_row *row, int64_t i, int channel,
                                         const float *moments, float of_latents, float of_noise,
                                         T *noisy, float *target)
{
    const float latents = row->deviation >= 0
                              ? moments[row->mean + i] + moments[row->deviation + i] * of_latents
                              : moments[row->mean + i];
    const float noise =
        row->offset != 0 ? of_noise + (float)row->offset * channel_noise(row, channel) : of_noise;

    put(noisy, (float)(row->noisy_latents * latents + row->noisy_noise * noise));
    if (target != NULL) {
        *target = (float)(row->target_latents * latents + row->target_noise * noise);
    }
}

// a block of normals of a row each thread, as of `draw`
template <typename T>
static __global__ void
draw_latents(struct latents_shape s, const struct latents_row *__restrict__ rows,
             const float *__restrict__ moments, T *__restrict__ noisy, float *__restrict__ target)
{
    const int64_t count = s.t * s.c, blocks = (count + 3) / 4;

    EACH(number, s.n * blocks)
    {
        const struct latents_row *row = rows + number / blocks;
        const int64_t block = number % blocks, at = number / blocks * count;
        float of_latents[4] = {0, 0, 0, 0}, of_noise[4];

        if (row->deviation >= 0) {
            four_of(&row->of_latents, block, of_latents);
        }
        four_of(&row->of_noise, block, of_noise);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const int64_t i = 4 * block + j;

            if (i < count) {
                draw_value(row, i, (int)(i % s.c), moments, of_latents[j], of_noise[j],
                           noisy + at + i, target != NULL ? target + at + i : NULL);
            }
        }
    }
}

static void latents_draw(const kernels *k, struct latents_shape s, const struct latents_row *rows,
                         const real *moments, cell *noisy, real *target)
{
    const int64_t blocks = s.n * cuda_ceil(s.t * s.c, 4);

    if (blocks == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(draw_latents<T>, cuda_blocks(blocks), CUDA_THREADS, 0, cuda_stream(k), s, rows,
               moments, (T *)noisy, target);
    });
}

void cuda_fill_normals(kernels *k)
{
    k->latents_draw = latents_draw;
    k->normals = normals;
}
