/* Counter-based random numbers; see noise.h. How their words and normals are made stands in kernels/philox.h, which
 * devices share. */
#include "engine/base/noise.h"

#include "kernels/philox.h"

void noise_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    philox(counter, key, out);
}

void noise_normal(uint64_t seed, enum noise_stream stream, uint64_t step, float *out, int64_t count)
{
    for (int64_t first = 0; first < count; first += 4) {
        float four[4];

        philox_normals(seed, stream, step, (uint64_t)first / 4, four);
        for (int64_t i = first; i < count && i < first + 4; i++) {
            out[i] = four[i - first];
        }
    }
}

double noise_uniform(uint64_t seed, enum noise_stream stream, uint64_t step, uint64_t index)
{
    uint32_t words[4];

    philox_block(seed, stream, step, index, words);
    return (double)(((uint64_t)words[0] << 32 | words[1]) >> 11) * 0x1p-53;
}

/* The high half of n * word is uniform once the low halves below 2^32 mod n are thrown away
 * (Lemire, 2019). A block has four words to try; the blocks after it are far away. */
int noise_integer(uint64_t seed, enum noise_stream stream, uint64_t step, uint64_t index, int n)
{
    const uint32_t bound = (uint32_t)n, refused = -bound % bound;

    for (uint64_t attempt = 0;; attempt++) {
        uint32_t words[4];

        philox_block(seed, stream, step, index + (attempt << 40), words);
        for (int i = 0; i < 4; i++) {
            uint64_t product = (uint64_t)words[i] * bound;
            if ((uint32_t)product >= refused) {
                return (int)(product >> 32);
            }
        }
    }
}
