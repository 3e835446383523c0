/* cusolver_rig.cpp: cuBLAS's and cuSOLVER's functions that spectra_cuda.cu opens, for the rig: by CBLAS and LAPACKE, which
 * compute on the same column-major matrices. RIG_SOLVER=0: a machine without these libraries. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/rig.h"

#include <cblas.h>
#include <cublas_v2.h>
#include <cusolverDn.h>
#include <lapacke.h>

#include <cstdlib>

struct cublasContext {
    cudaStream_t stream;
};
struct cusolverDnContext {
    cudaStream_t stream;
};
struct cusolverDnParams {
    int unused;
};

void *rig::open_library(const char *file)
{
    static char opened;
    const char *said = getenv("RIG_SOLVER");

    return said == NULL || strcmp(said, "0") != 0 ? &opened : NULL;
}

/* ---- cuBLAS ---- */

cublasStatus_t cublasCreate_v2(cublasHandle_t *handle)
{
    *handle = new cublasContext();
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

static CBLAS_TRANSPOSE as_cblas(cublasOperation_t operation)
{
    return operation == CUBLAS_OP_N ? CblasNoTrans : CblasTrans;
}

// from the first to the last value of a column-major matrix
static size_t bytes_of(int rows, int columns, int ld)
{
    return ((size_t)(columns - 1) * ld + rows) * sizeof(double);
}

cublasStatus_t cublasDsyrk_v2(cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t trans,
                              int n, int k, const double *alpha, const double *a, int lda,
                              const double *beta, double *c, int ldc)
{
    const double by = *alpha, of = *beta;

    if (n < 0 || k < 0 || lda < (trans == CUBLAS_OP_N ? n : k) || ldc < n) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    rig::enqueue(handle->stream, [=] {
        rig_race_reads(a, trans == CUBLAS_OP_N ? bytes_of(n, k, lda) : bytes_of(k, n, lda));
        cblas_dsyrk(CblasColMajor, fill == CUBLAS_FILL_MODE_LOWER ? CblasLower : CblasUpper,
                    as_cblas(trans), n, k, by, a, lda, of, c, ldc);
        rig_race_wrote(c, bytes_of(n, n, ldc));
    });
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDgemm_v2(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb,
                              int m, int n, int k, const double *alpha, const double *a, int lda,
                              const double *b, int ldb, const double *beta, double *c, int ldc)
{
    const double by = *alpha, of = *beta;
    const bool plain_a = ta == CUBLAS_OP_N, plain_b = tb == CUBLAS_OP_N;

    if (m < 0 || n < 0 || k < 0 || lda < (plain_a ? m : k) || ldb < (plain_b ? k : n) || ldc < m) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    rig::enqueue(handle->stream, [=] {
        rig_race_reads(a, plain_a ? bytes_of(m, k, lda) : bytes_of(k, m, lda));
        rig_race_reads(b, plain_b ? bytes_of(k, n, ldb) : bytes_of(n, k, ldb));
        cblas_dgemm(CblasColMajor, as_cblas(ta), as_cblas(tb), m, n, k, by, a, lda, b, ldb, of, c,
                    ldc);
        rig_race_wrote(c, bytes_of(m, n, ldc));
    });
    return CUBLAS_STATUS_SUCCESS;
}

/* ---- cuSOLVER ---- */

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t *handle)
{
    *handle = new cusolverDnContext();
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle)
{
    delete handle;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t *params)
{
    *params = new cusolverDnParams();
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t params)
{
    delete params;
    return CUSOLVER_STATUS_SUCCESS;
}

static bool is_double(int64_t n, int64_t lda, cudaDataType a, cudaDataType w, cudaDataType compute)
{
    if (a != CUDA_R_64F || w != CUDA_R_64F || compute != CUDA_R_64F) {
        rig::fail("cuSOLVER's types %d, %d, %d are not there", a, w, compute);
    }
    return n > 0 && lda >= n;
}

// what is asked for is asked for again, to the byte
cusolverStatus_t cusolverDnXsyevd_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                             cusolverEigMode_t, cublasFillMode_t, int64_t n,
                                             cudaDataType a_type, const void *, int64_t lda,
                                             cudaDataType w_type, const void *,
                                             cudaDataType compute, size_t *device, size_t *host)
{
    *device = (size_t)n * sizeof(double);
    *host = (size_t)n;
    return is_double(n, lda, a_type, w_type, compute) ? CUSOLVER_STATUS_SUCCESS
                                                      : CUSOLVER_STATUS_INVALID_VALUE;
}

cusolverStatus_t cusolverDnXsyevd(cusolverDnHandle_t handle, cusolverDnParams_t,
                                  cusolverEigMode_t mode, cublasFillMode_t fill, int64_t n,
                                  cudaDataType a_type, void *a, int64_t lda, cudaDataType w_type,
                                  void *w, cudaDataType compute, void *room, size_t room_bytes,
                                  void *host_room, size_t host_bytes, int *info)
{
    if (!is_double(n, lda, a_type, w_type, compute) || mode != CUSOLVER_EIG_MODE_VECTOR ||
        room_bytes < (size_t)n * sizeof(double) || host_bytes < (size_t)n) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    rig::enqueue(handle->stream, [=] {
        rig_race_reads(a, bytes_of((int)n, (int)n, (int)lda));
        memset(room, 0xff, room_bytes);
        *info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', fill == CUBLAS_FILL_MODE_LOWER ? 'L' : 'U',
                               (lapack_int)n, (double *)a, (lapack_int)lda, (double *)w);
        rig_race_wrote(a, bytes_of((int)n, (int)n, (int)lda));
        rig_race_wrote(w, (size_t)n * sizeof(double));
        rig_race_wrote(info, sizeof *info);
    });
    return CUSOLVER_STATUS_SUCCESS;
}
