/* The decomposition itself, by LAPACK; see svd_direct.h.
 *
 * dgesdd sees the row-major W as its transpose A [n, m]: A = V S Ut, and its column-major V [n, r]
 * and Ut [r, m] are our row-major Vt [r, n] and U [m, r]. */
#include "engine/spectrum/svd_direct.h"

#include "engine/base/dtype.h"
#include "engine/base/error.h"

#include <float.h>
#include <lapacke.h>

static bool no_memory(GError **error)
{
    return error_failed(
        error, "there is no memory for its singular value decomposition; close other programs.");
}

bool svd_direct(int m, int n, const float *w, float *u, float *s, float *vt, GError **error)
{
    const size_t count = (size_t)m * (size_t)n, r = (size_t)MIN(m, n);
    g_autofree double *a = g_try_new(double, count);
    g_autofree double *v = g_try_new(double, r *(size_t)n);
    g_autofree double *ut = g_try_new(double, r *(size_t)m);
    g_autofree double *values = g_try_new(double, r);
    if (a == NULL || v == NULL || ut == NULL || values == NULL) {
        return no_memory(error);
    }
    dtype_from_f32(DTYPE_F64, w, a, count);

    const lapack_int info =
        LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', n, m, a, n, values, v, n, ut, (lapack_int)r);
    if (info == LAPACK_WORK_MEMORY_ERROR) {
        return no_memory(error);
    }
    if (info != 0) {
        return error_failed(
            error, "its singular value decomposition did not converge (dgesdd: %d).", (int)info);
    }
    if (values[0] > FLT_MAX) {
        return error_failed(error, "its values are too large to be decomposed.");
    }
    dtype_to_f32(DTYPE_F64, values, s, r);
    dtype_to_f32(DTYPE_F64, v, vt, r * (size_t)n);
    dtype_to_f32(DTYPE_F64, ut, u, r * (size_t)m);
    return true;
}
