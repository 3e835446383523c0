/* transfer.h: floats of the host to reals of the device and back. The same bytes, except in the
 * test build whose real is double. */
#pragma once

#include "kernels/kernels.h"

void transfer_upload(const kernels *k, real *to, const float *from, int64_t count);
void transfer_download(const kernels *k, float *to, const real *from, int64_t count);
