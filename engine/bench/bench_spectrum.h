/* bench_spectrum.h: the time that all spectra of a UNet's shapes take. */
#pragma once

#include "engine/bench/bench.h"

/* Decomposes a random matrix of the shape of every weight, several at once, and throws the factors
 * away. seconds is the one run's. */
bool bench_spectrum(const kernels *k, const struct unet_config *unet, struct bench_result *result,
                    progress_function progress, void *user, GError **error);
