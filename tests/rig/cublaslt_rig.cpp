/* cublaslt_rig.cpp: cuBLASLt's products for the rig: D = alpha op(A) op(B) + beta C, column-major,
 * of f32, bf16 and f16, sums in double, of epilogues a bias of D's type. The types of A and B are one, that of D is
 * theirs or f32. Anything else that is asked for ends the process, so that nobody relies on what is not
 * there. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/rig.h"

#include <cublasLt.h>
#include <cuda_fp16.h>

#include <vector>

int rig_questions;

struct cublasLtContext {
    int unused;
};

// behind CUDA's opaque types
struct matrix {
    cudaDataType type;
    uint64_t rows, columns;
    int64_t ld;
};

/* bias [rows of D], of its type. tf32: what floats have more than ten bits of mantissa is cut off, the worst
 * that a device does. */
struct operation {
    cublasOperation_t a, b;
    const void *bias;
    bool has_bias, tf32;
};

static_assert(sizeof(struct matrix) <= sizeof(cublasLtMatrixLayoutOpaque_t), "");
static_assert(sizeof(struct operation) <= sizeof(cublasLtMatmulDescOpaque_t), "");

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
    *handle = new cublasLtContext();
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

/* ---- descriptions ---- */

// the creators are inline functions of CUDA's header, which call these or the allocating ones
cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t layout, size_t,
                                                 cudaDataType type, uint64_t rows, uint64_t columns,
                                                 int64_t ld)
{
    const struct matrix m = {type, rows, columns, ld};

    memcpy(layout, &m, sizeof m);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t ld)
{
    *layout = new cublasLtMatrixLayoutOpaque_t();
    return cublasLtMatrixLayoutInit_internal(*layout, sizeof **layout, type, rows, columns, ld);
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *desc, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    const struct operation o = {CUBLAS_OP_N, CUBLAS_OP_N, NULL, false,
                                compute == CUBLAS_COMPUTE_32F_FAST_TF32};

    if (scale != CUDA_R_32F || (compute != CUBLAS_COMPUTE_32F && !o.tf32)) {
        rig::fail("cuBLASLt's way %d with factors of type %d is not there", compute, scale);
    }
    *desc = new cublasLtMatmulDescOpaque_t();
    memcpy(*desc, &o, sizeof o);
    return CUBLAS_STATUS_SUCCESS;
}

static void set_epilogue(struct operation *o, cublasLtEpilogue_t epilogue)
{
    o->has_bias = epilogue == CUBLASLT_EPILOGUE_BIAS;
    if (!o->has_bias && epilogue != CUBLASLT_EPILOGUE_DEFAULT) {
        rig::fail("cuBLASLt's epilogue %d is not there", epilogue);
    }
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void *value, size_t bytes)
{
    struct operation *o = (struct operation *)desc;

    switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
        memcpy(&o->a, value, bytes);
        break;
    case CUBLASLT_MATMUL_DESC_TRANSB:
        memcpy(&o->b, value, bytes);
        break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
        set_epilogue(o, *(const cublasLtEpilogue_t *)value);
        break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        memcpy(&o->bias, value, bytes);
        break;
    default:
        rig::fail("cuBLASLt's product attribute %d is not there", attribute);
    }
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc)
{
    delete desc;
    return CUBLAS_STATUS_SUCCESS;
}

/* ---- how ---- */

// of a rig there is one way for all, which needs no memory; what a person prefers is not looked at
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *preference)
{
    *preference = new cublasLtMatmulPreferenceOpaque_t();
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void *value, size_t bytes)
{
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference)
{
    delete preference;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[], int *found)
{
    rig_questions++;
    *found = wanted > 0;
    results[0] = {};
    results[0].state = CUBLAS_STATUS_SUCCESS;
    return CUBLAS_STATUS_SUCCESS;
}

/* ---- the product ---- */

static float load(const struct matrix *m, const void *values, int64_t at)
{
    switch (m->type) {
    case CUDA_R_32F:
        return ((const float *)values)[at];
    case CUDA_R_16BF:
        return __bfloat162float(((const __nv_bfloat16 *)values)[at]);
    case CUDA_R_16F:
        return __half2float(((const __half *)values)[at]);
    default:
        rig::fail("cuBLASLt's type %d is not there", m->type);
    }
}

static void store(const struct matrix *m, void *values, int64_t at, double value)
{
    if (m->type == CUDA_R_32F) {
        ((float *)values)[at] = (float)value;
    } else if (m->type == CUDA_R_16BF) {
        ((__nv_bfloat16 *)values)[at] = __float2bfloat16((float)value);
    } else {
        ((__half *)values)[at] = __float2half((float)value);
    }
}

struct call {
    struct operation o;
    struct matrix a, b, c, d;
    float alpha, beta;
    const void *a_values, *b_values, *c_values;
    void *d_values;
};

/* Vectors of k values each, one behind the other: the rows of op(A) (of_rows), the columns of op(B).
 * transposed: op is not the matrix itself. */
static std::vector<float> vectors(const struct matrix *m, const void *values, bool transposed,
                                  bool of_rows, bool tf32)
{
    const int64_t rows = (int64_t)m->rows, columns = (int64_t)m->columns;
    const bool down = of_rows == transposed; // whether a vector is a column of what is stored
    const int64_t count = down ? columns : rows, k = down ? rows : columns;
    std::vector<float> all((size_t)(count * k));

    for (int64_t i = 0; i < count; i++) {
        for (int64_t l = 0; l < k; l++) {
            const float value = load(m, values, down ? i * m->ld + l : l * m->ld + i);

            all[(size_t)(i * k + l)] =
                tf32 ? float_of_bits(bits_of_float(value) & ~0x1fffu) : value;
        }
    }
    return all;
}

static void multiply(const struct call *call)
{
    const bool ta = call->o.a != CUBLAS_OP_N, tb = call->o.b != CUBLAS_OP_N;
    const int64_t m = (int64_t)call->d.rows, n = (int64_t)call->d.columns;
    const int64_t k = (int64_t)(ta ? call->a.rows : call->a.columns);
    const std::vector<float> a = vectors(&call->a, call->a_values, ta, true, call->o.tf32);
    const std::vector<float> b = vectors(&call->b, call->b_values, tb, false, call->o.tf32);

    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < m; i++) {
            double sum = 0;

            for (int64_t l = 0; l < k; l++) {
                sum += (double)a[(size_t)(i * k + l)] * (double)b[(size_t)(j * k + l)];
            }
            sum *= call->alpha;
            if (call->beta != 0) {
                sum += call->beta * load(&call->c, call->c_values, j * call->c.ld + i);
            }
            sum += call->o.has_bias ? load(&call->d, call->o.bias, i) : 0;
            store(&call->d, call->d_values, j * call->d.ld + i, sum);
        }
    }
}

static size_t bytes_of_value(const struct matrix *m)
{
    return m->type == CUDA_R_32F ? sizeof(float) : sizeof(uint16_t);
}

// from its first to its last value
static size_t bytes_of(const struct matrix *m)
{
    return ((size_t)(m->columns - 1) * (size_t)m->ld + m->rows) * bytes_of_value(m);
}

// what the library refuses, too
static bool fits(const struct call *call)
{
    const bool ta = call->o.a != CUBLAS_OP_N, tb = call->o.b != CUBLAS_OP_N;
    const uint64_t m = ta ? call->a.columns : call->a.rows, k = ta ? call->a.rows : call->a.columns;
    const uint64_t n = tb ? call->b.rows : call->b.columns, l = tb ? call->b.columns : call->b.rows;

    return m > 0 && n > 0 && k > 0 && k == l && m == call->d.rows && n == call->d.columns &&
           call->a.type == call->b.type && call->c.type == call->d.type &&
           (call->d.type == CUDA_R_32F || call->d.type == call->a.type) &&
           call->a.ld >= (int64_t)call->a.rows && call->b.ld >= (int64_t)call->b.rows &&
           call->d.ld >= (int64_t)call->d.rows;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t a_layout, const void *b,
                              cublasLtMatrixLayout_t b_layout, const void *beta, const void *c,
                              cublasLtMatrixLayout_t c_layout, void *d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algo,
                              void *workspace, size_t bytes, cudaStream_t stream)
{
    struct call call;

    memcpy(&call.o, desc, sizeof call.o);
    memcpy(&call.a, a_layout, sizeof call.a);
    memcpy(&call.b, b_layout, sizeof call.b);
    memcpy(&call.c, c_layout, sizeof call.c);
    memcpy(&call.d, d_layout, sizeof call.d);
    memcpy(&call.alpha, alpha, sizeof call.alpha);
    memcpy(&call.beta, beta, sizeof call.beta);
    call.a_values = a;
    call.b_values = b;
    call.c_values = c;
    call.d_values = d;
    if (!fits(&call)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    rig::enqueue(stream, [=] {
        rig_race_reads(call.a_values, bytes_of(&call.a));
        rig_race_reads(call.b_values, bytes_of(&call.b));
        if (call.o.has_bias) {
            rig_race_reads(call.o.bias, call.d.rows * bytes_of_value(&call.d));
        }
        if (call.beta != 0) {
            rig_race_reads(call.c_values, bytes_of(&call.c));
        }
        multiply(&call);
        rig_race_wrote(call.d_values, bytes_of(&call.d));
    });
    return CUBLAS_STATUS_SUCCESS;
}
