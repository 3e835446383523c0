/* Copies between host and device; see transfer.h. */
#include "engine/tape/transfer.h"

#include "engine/base/error.h"

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

bool transfer_sync(const kernels *k, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (k->sync(k, &problem)) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                "The device %s failed: %s; what it was computing was not kept.", k->name,
                problem->message);
    return false;
}
