/* denoise.h: from noise to latents under a text, one picture at a time.
 *
 *   prediction = unconditional + guidance * (conditional - unconditional)
 *
 * (classifier-free guidance, Ho & Salimans 2022), then the sampler's step, for each of its
 * timesteps. With guidance at most 1 the conditional prediction is used alone. */
#pragma once

#include "engine/progress.h"
#include "engine/sampler.h"
#include "engine/trace.h"
#include "engine/unet.h"

struct denoise {
    const kernels *k;
    const struct unet *unet;
    struct sampler *sampler; // borrowed; made for the wanted number of steps
    const float *text;       // [2, tokens, width]: without, then with the prompt
    int tokens, width;       // of text
    int h, w, c;             // latents
    double guidance;
    struct trace *trace;        // may be NULL
    const char *phase;          // of the progress
    progress_function progress; // may be NULL
    void *user;
};

/* The tape for denoise_run, sized by a measuring run. uses (may be NULL) receives how the weights
 * are used, for network_pack. Owned by the caller. */
struct tape *denoise_tape(struct denoise *d, GHashTable *uses, GError **error);

/* latents [h, w, c]: on entry what the sampler's first step starts from, on return the result.
 * seed names the noise of samplers that add some. SVDIFF_ERROR_CANCELLED when progress said so. */
bool denoise_run(struct denoise *d, struct tape *t, uint64_t seed, float *latents, GError **error);
