/* denoise.h: from noise to latents under a text, one picture at a time.
 *
 *   prediction = unconditional + guidance * (conditional - unconditional)
 *
 * (classifier-free guidance, Ho & Salimans 2022), then the sampler's step, for each of its
 * timesteps. With guidance at most 1 the conditional prediction is used alone. A rescale of above 0 brings
 * the guided prediction nearer to the deviation of the conditional one, over all of the picture (Lin and
 * others 2023, formulas 15 and 16):
 *   prediction * (rescale * deviation(conditional) / deviation(prediction) + 1 - rescale)
 *
 * Where the model is another one in parts of the picture, each has its own prediction, and what is
 * guided is their mean by weight: sum over the parts of weight * prediction.
 *
 * With a mask: after step j of n, latents with mask <= 1 - j / n are those of `init` with the noise
 * of the next level (differential diffusion, Levin and Fried 2023): the darker, the later a place
 * is set free; black never is.
 *
 * Run backwards (`inverts`), a step takes its prediction from the latents that it starts from,
 * where sampling will take it from those that it comes to. `refine` times it is taken again, from
 * what it came to, and sampling's step is undone with it: a fixed point, from which sampling comes
 * back to where the step started (Pan et al. 2023).
 *
 * Latents, predictions and what the sampler keeps stay on the device from the first step to the last:
 * nothing of a step is waited for, unless a preview or a trace wants to see it. */
#pragma once

#include "engine/base/progress.h"
#include "engine/sampler/sampler.h"
#include "engine/base/trace.h"
#include "engine/generate/draws.h"
#include "engine/network/unet.h"

struct preview;

/* A network with its texts, and how much its prediction counts in each place. */
struct denoise_part {
    const struct unet *unet;
    const struct conditioning *text; // of two texts: without, then with the prompt
    const float *weight;             // [h, w]; those of all parts sum to 1. NULL: 1
};

struct denoise {
    const kernels *k;
    struct sampler *sampler;          // borrowed; made for the wanted number of steps
    const struct denoise_part *parts; // of the same shapes
    int n_parts;
    int h, w, c; // latents
    bool wraps;  // the picture's edges fit together
    double guidance, rescale;
    const struct attention_guide *guide; // NULL: none
    const float *more; // [h, w, more_c]: further channels that the network sees behind the latents
    int more_c;
    /* Where the latents may change, [h, w] 0..1, and what stays: latents [h, w, c] and the noise on
     * them. NULL: everywhere. */
    const float *mask, *init, *noise;
    bool inverts;               // from a picture to noise: the trace's names say so
    int refine;                 // times that each step of an inversion is taken again, by undoing
    const struct sampler *undo; // the steps of sampling; NULL without refining
    struct preview *preview;    // a picture of each step; may be NULL
    struct trace *trace;        // may be NULL
    const char *phase;          // of the progress
    progress_function progress; // may be NULL
    void *user;
};

/* The tape for denoise_run, sized by a measuring run. Owned by the caller. */
struct tape *denoise_tape(struct denoise *d, GError **error);

/* latents [h, w, c]: on entry what the sampler's first step starts from, on return the result.
 * draws: of the noise of samplers that add some. SVDIFF_ERROR_CANCELLED when progress said so. */
bool denoise_run(struct denoise *d, struct tape *t, struct draws *draws, float *latents,
                 GError **error);
