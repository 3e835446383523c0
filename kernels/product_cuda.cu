/* product_cuda.cu: matrix products: by cuBLASLt where both factors are of one type and their rows lie
 * as its fast ways want them, by an own kernel for the rest.
 *
 * cuBLASLt thinks in columns: our row-major C [m, n] is its C' [n, m], so the factors change places
 * and C' = B' A'. A bias is added behind it, in float, before the one rounding. */
#include "kernels/cell_cuda.h"

/* ---- the library ---- */

#define LIBRARY_ALIGNMENT 16 // bytes, of what is not float

static cudaDataType library_type(enum kernels_type type)
{
    return type == KERNELS_BF16 ? CUDA_R_16BF : type == KERNELS_F16 ? CUDA_R_16F : CUDA_R_32F;
}

static bool is_aligned(const void *data, int64_t row, enum kernels_type type)
{
    const size_t wanted = type == KERNELS_F32 ? sizeof(float) : LIBRARY_ALIGNMENT;

    return (uintptr_t)data % wanted == 0 && (size_t)row * kernels_size(type) % wanted == 0;
}

// values from one row of A, B to the next
static int64_t a_row(struct gemm_shape s)
{
    return s.transpose_a ? s.m : s.k;
}

static int64_t b_row(struct gemm_shape s)
{
    return s.transpose_b ? s.k : s.n;
}

static bool library_takes(const struct cuda_product *p)
{
    return p->s.k > 0 && p->a_type == p->b_type && is_aligned(p->a, a_row(p->s), p->a_type) &&
           is_aligned(p->b, b_row(p->s), p->b_type) && is_aligned(p->c, p->s.n, p->c_type) &&
           (p->c_type == KERNELS_F32 || p->c_type == p->a_type);
}

// a row-major [rows, columns] is a column-major [columns, rows]
static cublasLtMatrixLayout_t layout(enum kernels_type type, int64_t rows, int64_t columns)
{
    cublasLtMatrixLayout_t made;

    cublasLtMatrixLayoutCreate(&made, library_type(type), (uint64_t)columns, (uint64_t)rows,
                               columns);
    return made;
}

static cublasLtMatmulDesc_t describe(struct gemm_shape s, bool tf32)
{
    const cublasOperation_t a = s.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t b = s.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasLtMatmulDesc_t made;

    cublasLtMatmulDescCreate(&made, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F,
                             CUDA_R_32F);
    cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_TRANSA, &a, sizeof a);
    cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_TRANSB, &b, sizeof b);
    return made;
}

// the largest power of two, up to 256, of which the address is a multiple
static uint32_t alignment_of(const void *data)
{
    const uintptr_t address = (uintptr_t)data | 256;

    return (uint32_t)(address & -address);
}

// what the library may use: memory, and how its arguments lie
static cublasLtMatmulPreference_t prefer(const struct cuda_product *p)
{
    const size_t bytes = CUDA_LIBRARY;
    const uint32_t a = alignment_of(p->b), b = alignment_of(p->a), c = alignment_of(p->c);
    cublasLtMatmulPreference_t made;

    cublasLtMatmulPreferenceCreate(&made);
    cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                         sizeof bytes);
    cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &a,
                                         sizeof a);
    cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &b,
                                         sizeof b);
    cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, &c,
                                         sizeof c);
    cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &c,
                                         sizeof c);
    return made;
}

static cublasStatus_t run_library(struct cuda_device *device, const struct cuda_product *p)
{
    const struct gemm_shape s = p->s;
    const float one = 1, beta = s.accumulate ? 1 : 0;
    const int64_t a_rows = s.transpose_a ? s.k : s.m, b_rows = s.transpose_b ? s.n : s.k;
    cublasLtMatmulDesc_t how = describe(s, p->tf32 && p->a_type == KERNELS_F32);
    cublasLtMatrixLayout_t a = layout(p->a_type, a_rows, a_row(s));
    cublasLtMatrixLayout_t b = layout(p->b_type, b_rows, b_row(s)), c = layout(p->c_type, s.m, s.n);
    cublasLtMatmulPreference_t preference = prefer(p);
    cublasLtMatmulHeuristicResult_t way;
    int ways = 0;

    cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(device->cublas, how, b, a, c, c, preference, 1, &way, &ways);
    if (status == CUBLAS_STATUS_SUCCESS) {
        status = ways == 0
                     ? CUBLAS_STATUS_NOT_SUPPORTED
                     : cublasLtMatmul(device->cublas, how, &one, p->b, b, p->a, a, &beta, p->c, c,
                                      p->c, c, &way.algo, device->workspace + CUDA_WORKSPACE,
                                      CUDA_LIBRARY, device->stream);
    }
    cublasLtMatmulPreferenceDestroy(preference);
    cublasLtMatrixLayoutDestroy(a);
    cublasLtMatrixLayoutDestroy(b);
    cublasLtMatrixLayoutDestroy(c);
    cublasLtMatmulDescDestroy(how);
    return status;
}

// y [m, n] = x [m, n] in float + bias [n], of the type or added to it; y may be x
static __global__ void finish(int64_t m, int n, const float *x, const float *__restrict__ bias,
                              enum kernels_type type, void *y)
{
    EACH_ROW(row, m)
    {
        EACH_COLUMN(i, n)
        {
            put_at(type, y, row * n + i, x[row * n + i] + bias[i]);
        }
    }
}

/* ---- the own kernel ---- */

#define TILE         64            // rows and columns of C that a block computes
#define DEPTH        16            // of k that lie in shared memory at a time
#define SIDE         16            // threads in each direction
#define EACH_THREADS (TILE / SIDE) // rows and columns of a thread, SIDE apart

struct tiles {
    float a[DEPTH][TILE + 1], b[DEPTH][TILE + 1];
};

// both factors from k `first` on; what lies outside is 0
static __device__ inline void load_tiles(const struct cuda_product &p, int64_t first,
                                         struct tiles *t)
{
    const struct gemm_shape s = p.s;
    const int thread = threadIdx.y * SIDE + threadIdx.x;

    for (int i = thread; i < TILE * DEPTH; i += SIDE * SIDE) {
        const int depth = i % DEPTH, across = i / DEPTH;
        const int64_t l = first + depth;
        const int64_t row = blockIdx.x * (int64_t)TILE + across;
        const int64_t column = blockIdx.y * (int64_t)TILE + across;

        t->a[depth][across] =
            row < s.m && l < s.k
                ? value_at(p.a_type, p.a, s.transpose_a ? l * s.m + row : row * s.k + l)
                : 0;
        t->b[depth][across] =
            column < s.n && l < s.k
                ? value_at(p.b_type, p.b, s.transpose_b ? column * s.k + l : l * s.n + column)
                : 0;
    }
}

static __device__ inline void add_tiles(const struct tiles *t,
                                        float sum[EACH_THREADS][EACH_THREADS])
{
    for (int depth = 0; depth < DEPTH; depth++) {
#pragma unroll
        for (int i = 0; i < EACH_THREADS; i++) {
#pragma unroll
            for (int j = 0; j < EACH_THREADS; j++) {
                sum[i][j] +=
                    t->a[depth][threadIdx.y + i * SIDE] * t->b[depth][threadIdx.x + j * SIDE];
            }
        }
    }
}

static __device__ inline void put_sum(const struct cuda_product &p, int64_t row, int64_t column,
                                      float sum)
{
    const int64_t at = row * p.s.n + column;

    sum += p.bias != NULL ? p.bias[column] : 0;
    put_at(p.c_type, p.c, at, p.s.accumulate ? value_at(p.c_type, p.c, at) + sum : sum);
}

static __global__ void __launch_bounds__(SIDE *SIDE) multiply_tiles(struct cuda_product p)
{
    SHARED(struct tiles, t);
    float sum[EACH_THREADS][EACH_THREADS] = {};

    for (int64_t first = 0; first < p.s.k; first += DEPTH) {
        load_tiles(p, first, t);
        __syncthreads();
        add_tiles(t, sum);
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < EACH_THREADS; i++) {
#pragma unroll
        for (int j = 0; j < EACH_THREADS; j++) {
            const int64_t row = blockIdx.x * (int64_t)TILE + threadIdx.y + i * SIDE;
            const int64_t column = blockIdx.y * (int64_t)TILE + threadIdx.x + j * SIDE;

            if (row < p.s.m && column < p.s.n) {
                put_sum(p, row, column, sum[i][j]);
            }
        }
    }
}

/* ---- either ---- */

static void multiply_self(const kernels *k, const struct cuda_product *p)
{
    const dim3 grid((unsigned)cuda_ceil(p->s.m, TILE), (unsigned)cuda_ceil(p->s.n, TILE));
    const struct cuda_product product = *p;

    LAUNCH(multiply_tiles, grid, dim3(SIDE, SIDE), sizeof(struct tiles), cuda_stream(k), product);
}

static void multiply_library(const kernels *k, const struct cuda_product *p)
{
    struct cuda_device *device = cuda_device(k);
    const cublasStatus_t status = run_library(device, p);

    if (device->failed == CUBLAS_STATUS_SUCCESS) {
        device->failed = status;
    }
}

// in rows of C as many as the room has floats for, each part with its bias
static void multiply_with_bias(const kernels *k, const struct cuda_product *p,
                               struct cuda_room room)
{
    const struct gemm_shape s = p->s;
    const int64_t most =
        p->c_type == KERNELS_F32 ? s.m : MIN(s.m, (int64_t)(room.bytes / sizeof(float)) / s.n);

    for (int64_t row = 0; row < s.m; row += most) {
        struct cuda_product part = *p;
        char *y = (char *)p->c + row * s.n * (int64_t)kernels_size(p->c_type);

        part.s.m = MIN(most, s.m - row);
        part.a = (const char *)p->a + row * s.k * (int64_t)kernels_size(p->a_type);
        part.c_type = KERNELS_F32;
        part.c = p->c_type == KERNELS_F32 ? y : room.memory;
        multiply_library(k, &part);
        LAUNCH(finish, cuda_row_blocks(part.s.m), cuda_row_threads(), 0, cuda_stream(k), part.s.m,
               (int)s.n, (const float *)part.c, part.bias, p->c_type, y);
    }
}

void cuda_multiply(const kernels *k, const struct cuda_product *p, struct cuda_room room)
{
    if (p->s.m == 0 || p->s.n == 0) {
        return;
    }
    if (!library_takes(p)) {
        multiply_self(k, p);
    } else if (p->bias == NULL) {
        multiply_library(k, p);
    } else {
        multiply_with_bias(k, p, room);
    }
}
