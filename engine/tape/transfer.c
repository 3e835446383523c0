/* Copies between host and device; see transfer.h. */
#include "engine/tape/transfer.h"

void transfer_upload(const kernels *k, real *to, const float *from, int64_t count)
{
    if (sizeof(real) == sizeof(float)) {
        k->upload(k, to, from, (size_t)count * sizeof(float));
        return;
    }
    g_autofree real *wide = g_new(real, count);
    for (int64_t i = 0; i < count; i++) {
        wide[i] = from[i];
    }
    k->upload(k, to, wide, (size_t)count * sizeof(real));
}

void transfer_download(const kernels *k, float *to, const real *from, int64_t count)
{
    if (sizeof(real) == sizeof(float)) {
        k->download(k, to, from, (size_t)count * sizeof(float));
        return;
    }
    g_autofree real *wide = g_new(real, count);
    k->download(k, wide, from, (size_t)count * sizeof(real));
    for (int64_t i = 0; i < count; i++) {
        to[i] = (float)wide[i];
    }
}
