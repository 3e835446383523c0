/* bench_random.h: random weights and inputs of a bench, made as fast as memory takes them. */
#pragma once

#include "engine/network/reader.h"

/* out[count] = uniform values of mean 0 with this deviation, a function of seed. */
void bench_random_fill(float *out, int64_t count, double deviation, uint64_t seed);

/* Weights of variance 1 / inputs, so that activations stay near 1 as in a real model; norms of 1
 * and biases of 0. */
struct weight_source bench_random_weights(void);
