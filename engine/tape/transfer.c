/* Copies between host and device; see transfer.h. */
#include "engine/tape/transfer.h"

#include "engine/base/error.h"

enum dtype transfer_type(enum kernels_type type)
{
    static const enum dtype types[KERNELS_TYPES] = {
        [KERNELS_F32] = DTYPE_F32, [KERNELS_BF16] = DTYPE_BF16, [KERNELS_F16] = DTYPE_F16};

    return types[type];
}

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

void transfer_upload_cells(const kernels *k, cell *to, const float *from, int64_t count)
{
    const size_t bytes = (size_t)count * kernels_size(k->activation);

    if (k->activation == KERNELS_F32) {
        transfer_upload(k, (real *)to, from, count);
        return;
    }
    g_autofree void *rounded = g_malloc(bytes);
    dtype_from_f32(transfer_type(k->activation), from, rounded, (size_t)count);
    k->upload(k, to, rounded, bytes);
}

void transfer_download_cells(const kernels *k, float *to, const cell *from, int64_t count)
{
    const size_t bytes = (size_t)count * kernels_size(k->activation);

    if (k->activation == KERNELS_F32) {
        transfer_download(k, to, (const real *)from, count);
        return;
    }
    g_autofree void *rounded = g_malloc(bytes);
    k->download(k, rounded, from, bytes);
    dtype_to_f32(transfer_type(k->activation), rounded, to, (size_t)count);
}

// takes the problem; always false
static bool tell(const kernels *k, GError *problem, GError **error)
{
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                "The device %s failed: %s; what it was computing was not kept.", k->name,
                problem->message);
    g_error_free(problem);
    return false;
}

bool transfer_sync(const kernels *k, GError **error)
{
    GError *problem = NULL;

    return k->sync(k, &problem) || tell(k, problem, error);
}

bool transfer_brought(const kernels *k, void *to, GError **error)
{
    GError *problem = NULL;

    return k->brought(k, to, &problem) || tell(k, problem, error);
}
