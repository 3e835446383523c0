/* device_proof.h: whether a device computes what the CPU computes, found out on the machine where it is. */
#pragma once

#include "kernels/kernels.h"

/* Runs a small UNet of random weights, all of them spectral, forward, back and one step of AdamW on k and on the CPU in
 * f32 (threads: of the CPU, 0: all), and compares. False with SVDIFF_ERROR_FAILED, which says what is how far off, or
 * why k or the CPU could not do it. Takes a second. */
bool device_proof(const kernels *k, int threads, GError **error);

/* The same, once for each such device, driver, program and precision: that it held is kept in the folder `kept` (NULL:
 * svdiff in the user's cache), that it did not hold is not. Where nothing can be kept it is found out each time. */
bool device_proof_known(const kernels *k, const struct kernels_cuda_device *d, int threads,
                        const char *kept, GError **error);
