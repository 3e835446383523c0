/* noise.h: random numbers that are a function of what they are for.
 *
 * A number is Philox 4x32-10 (Salmon and others, 2011) of a key and a counter:
 *
 *   key      seed (64 bits)
 *   counter  [block low, block high (24 bits) << 8 | stream, step low, step high]
 *
 * Nothing is carried from one call to the next: a run that was stopped and resumed, any batch and
 * any number of threads give the same numbers. Normals are made with IEEE additions,
 * multiplications, divisions and square roots alone, so that every machine gives the same bits. */
#pragma once

#include <stdint.h>

/* What the numbers are for. The values are part of what a seed means: they never change. */
enum noise_stream {
    NOISE_INITIAL_LATENTS = 0, // generate: the latents that sampling begins with
    NOISE_SAMPLER_STEP = 1,    // generate: what eta or an ancestral step adds
    NOISE_FRESH = 2,           // edit: what inverted latents are mixed with
    NOISE_WILDCARD = 4,        // generate: what {a|b} in a prompt is
    NOISE_INIT_PICTURE = 3,    // generate: the autoencoder's sample of a start picture

    NOISE_TIMESTEP = 16, // learn: timesteps
    NOISE_TRAINING = 17, // learn: the noise that is to be predicted
    NOISE_LATENT = 18,   // learn: the autoencoder's sample
    NOISE_ORDER = 19,    // learn: which picture comes when
    NOISE_CROP = 20,     // learn: corner of a crop
    NOISE_FLIP = 21,     // learn: mirrored or not
    NOISE_SUBJECT = 22,  // learn: which subject comes when
    NOISE_OFFSET = 23,   // learn: what a channel's noise is offset by
    NOISE_LOW_RANK = 24, // learn: what a LoRA begins with

    NOISE_PRIOR_TIMESTEP = 32, // the same for the prior's pictures
    NOISE_PRIOR_TRAINING = 33,
    NOISE_PRIOR_LATENT = 34,
    NOISE_PRIOR_ORDER = 35,
    NOISE_PRIOR_CROP = 36,
    NOISE_PRIOR_FLIP = 37,
    NOISE_PRIOR_OFFSET = 38,

    NOISE_VALIDATION = 48,        // learn: the fixed noise of the validation loss
    NOISE_VALIDATION_LATENT = 49, // learn: its latents

    NOISE_CUT_MIX = 64, // learn: whether, whom and how to mix

    NOISE_DIRECTIONS = 72, // directions: those that are random

    NOISE_WEIGHTS = 80, // random weights and factors of `bench`
};

/* One block of Philox 4x32-10: out[4] of counter[4] and key[2]. */
void noise_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Fills out[count] with unit normals (Box-Muller; none is beyond 6.7). Number i is the same
 * whatever count is. */
void noise_normal(uint64_t seed, enum noise_stream stream, uint64_t step, float *out,
                  int64_t count);

/* A number from 0 up to but not including 1, in steps of 2^-53. */
double noise_uniform(uint64_t seed, enum noise_stream stream, uint64_t step, uint64_t index);

/* A whole number from 0 to n - 1, n >= 1, each equally likely. */
int noise_integer(uint64_t seed, enum noise_stream stream, uint64_t step, uint64_t index, int n);
