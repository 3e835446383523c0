/* PyTorch's CPU generator, and what torch.randn makes of its words (ATen's DistributionTemplates.h).
 *
 *   words     MT19937 (Matsumoto and Nishimura, 1998)
 *   counts from 16 on, in blocks of 16 uniforms u_0 .. u_15 of 24 bits; where the count is no multiple
 *   of 16, the last 16 values are drawn once more:
 *             r = sqrt(-2 log(1 - u_j)), out_j = r cos(2 pi u_j+8), out_j+8 = r sin(2 pi u_j+8)
 *   smaller   of two uniforms u, v of 53 bits: r = sqrt(-2 log(1 - v)), r cos(2 pi u), and r sin(2 pi u) for the
 *             next one, even of a later call */
#include "engine/base/torch_noise.h"

#include <math.h>
#include <string.h>

#define SHIFT  397 // how far back the word lies that one is mixed with
#define BLOCK  16
#define TWO_PI 6.283185307179586476925

void torch_noise_seed(struct torch_noise *n, uint64_t seed)
{
    n->words[0] = (uint32_t)seed;
    for (int i = 1; i < TORCH_NOISE_WORDS; i++) {
        const uint32_t before = n->words[i - 1];
        n->words[i] = 1812433253u * (before ^ before >> 30) + (uint32_t)i;
    }
    n->next = TORCH_NOISE_WORDS;
    n->has_second = false;
}

static void make_words(struct torch_noise *n)
{
    for (int i = 0; i < TORCH_NOISE_WORDS; i++) {
        const uint32_t y =
            (n->words[i] & 0x80000000u) | (n->words[(i + 1) % TORCH_NOISE_WORDS] & 0x7fffffffu);
        n->words[i] =
            n->words[(i + SHIFT) % TORCH_NOISE_WORDS] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    n->next = 0;
}

static uint32_t draw_word(struct torch_noise *n)
{
    if (n->next == TORCH_NOISE_WORDS) {
        make_words(n);
    }
    uint32_t y = n->words[n->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

// 24 bits
static double draw_short(struct torch_noise *n)
{
    return (draw_word(n) & 0xffffffu) * 0x1p-24;
}

// 53 bits, the high word first
static double draw_long(struct torch_noise *n)
{
    const uint64_t high = draw_word(n), low = draw_word(n);

    return (double)((high << 32 | low) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

static void draw_block(struct torch_noise *n, float out[BLOCK])
{
    const int half = BLOCK / 2;
    double u[BLOCK];

    for (int i = 0; i < BLOCK; i++) {
        u[i] = draw_short(n);
    }
    for (int j = 0; j < half; j++) {
        const double r = sqrt(-2 * log1p(-u[j])), angle = TWO_PI * u[j + half];
        out[j] = (float)(r * cos(angle));
        out[j + half] = (float)(r * sin(angle));
    }
}

static float draw_one(struct torch_noise *n)
{
    if (n->has_second) {
        n->has_second = false;
        return (float)n->second;
    }
    const double u = draw_long(n), v = draw_long(n), r = sqrt(-2 * log1p(-v));
    n->second = r * sin(TWO_PI * u);
    n->has_second = true;
    return (float)(r * cos(TWO_PI * u));
}

void torch_noise_normal(struct torch_noise *n, float *out, int64_t count)
{
    if (count < BLOCK) {
        for (int64_t i = 0; i < count; i++) {
            out[i] = draw_one(n);
        }
        return;
    }
    int64_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        draw_block(n, out + i);
    }
    // words of those that do not fill a block are drawn, too, and thrown away
    for (int64_t rest = i; rest < count; rest++) {
        draw_word(n);
    }
    if (i < count) {
        draw_block(n, out + count - BLOCK);
    }
}
