/* random_weights.h: random weights, spectra and inputs of a network that need not be good: for what is timed, and
 * for what two devices are compared by. Made as fast as memory takes them. */
#pragma once

#include "engine/network/reader.h"
#include "engine/network/spectrum_provider.h"

/* out[count] = uniform values of mean 0 with this deviation, a function of seed. */
void random_fill(float *out, int64_t count, double deviation, uint64_t seed);

/* Weights of variance 1 / inputs, so that activations stay near 1 as in a real model; norms of 1
 * and biases of 0. */
struct weight_source random_weights(void);

/* Factors without a decomposition, which would take longer than what they are for. U's columns and Vt's rows have
 * length 1 in the mean and all s are 1, so that y has about the size of x. */
struct spectrum_provider random_spectra(void);
