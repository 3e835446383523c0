/* draws.h: the random numbers of one picture: functions of its seed and of what they are for (noise.h), or one
 * after the other as a diffusers pipeline on the CPU draws them (torch_noise.h), with
 * torch.Generator().manual_seed(seed): those of a picture that it begins with, the noise, those of the steps. */
#pragma once

#include "engine/base/noise.h"
#include "engine/base/torch_noise.h"

#include "kernels/kernels.h"

struct draws {
    uint64_t seed;
    struct torch_noise *torch; // seeded with it, borrowed; NULL: noise.h
};

/* out[h, w, c] of unit normals. PyTorch's are drawn in its order, [c, h, w], in which they stand in out, too. */
void draws_normal(struct draws *d, enum noise_stream stream, uint64_t step, int h, int w, int c,
                  float *out);

/* What names the same numbers to a device, of draws that are not PyTorch's. */
struct normals_key draws_key(const struct draws *d, enum noise_stream stream, uint64_t step);
