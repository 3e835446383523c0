/* torch_noise.h: unit normals as PyTorch's CPU generator draws them: torch.Generator().manual_seed(seed), then
 * torch.randn(count, generator=...) as often as wanted, in float. Equal within the rounding of log, sin
 * and cos. What a count of 16 or more makes of the generator's words is another thing than a smaller
 * one's (torch_noise.c), so counts are part of what is drawn. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TORCH_NOISE_WORDS 624

/* The generator; seed it before use. */
struct torch_noise {
    uint32_t words[TORCH_NOISE_WORDS];
    int next;      // the first of them that was not handed out
    double second; // of a pair of normals of a small count, where there is one left
    bool has_second;
};

/* Only the low 32 bits of a seed count, as there. */
void torch_noise_seed(struct torch_noise *n, uint64_t seed);

/* Fills out[count], count >= 0. */
void torch_noise_normal(struct torch_noise *n, float *out, int64_t count);
