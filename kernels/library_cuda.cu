/* library_cuda.cu: matrix products by cuBLASLt, where both factors are of one type and their rows lie as its
 * fast ways want them. Which way is the best one of a shape it is asked once; that is kept, with what
 * describes the product, as long as the device.
 *
 * cuBLASLt thinks in columns: our row-major C [m, n] is its C' [n, m], so the factors change places and
 * C' = B' A'. A bias of floats it adds to floats itself; of 16 bits it would have it rounded. */
#include "kernels/cuda.h"

#include <string.h>

#define ALIGNMENT 16 // bytes, of what is not float

/* All that a way depends on, compared as bytes: made of zeros. */
struct way_key {
    int64_t m, n, k;
    uint32_t a_alignment, b_alignment, c_alignment;
    uint8_t a_type, c_type, transpose_a, transpose_b, accumulate, has_bias, tf32;
};

// missing: the library has none for it
struct way {
    struct way_key key; // first: it is its own key in the table
    cublasLtMatmulDesc_t how;
    cublasLtMatrixLayout_t a, b, c;
    cublasLtMatmulAlgo_t algorithm;
    bool missing;
};

// lock: of the ways, since a call sets the bias in one
struct cuda_library {
    cublasLtHandle_t handle;
    GHashTable *ways; // struct way: itself
    GMutex lock;
};

/* ---- the table of ways ---- */

static guint key_hash(gconstpointer key)
{
    const unsigned char *bytes = (const unsigned char *)key;
    guint hash = 5381;

    for (size_t i = 0; i < sizeof(struct way_key); i++) {
        hash = hash * 33 + bytes[i];
    }
    return hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct way_key)) == 0;
}

static void way_free(gpointer data)
{
    struct way *way = (struct way *)data;

    cublasLtMatrixLayoutDestroy(way->a);
    cublasLtMatrixLayoutDestroy(way->b);
    cublasLtMatrixLayoutDestroy(way->c);
    cublasLtMatmulDescDestroy(way->how);
    g_free(way);
}

struct cuda_library *cuda_library_create(void)
{
    struct cuda_library *l = g_new0(struct cuda_library, 1);

    if (cublasLtCreate(&l->handle) != CUBLAS_STATUS_SUCCESS) {
        g_free(l);
        return NULL;
    }
    g_mutex_init(&l->lock);
    l->ways = g_hash_table_new_full(key_hash, key_equal, NULL, way_free);
    return l;
}

void cuda_library_free(struct cuda_library *l)
{
    if (l == NULL) {
        return;
    }
    g_hash_table_unref(l->ways);
    g_mutex_clear(&l->lock);
    cublasLtDestroy(l->handle);
    g_free(l);
}

/* ---- what describes a product ---- */

static cudaDataType library_type(enum kernels_type type)
{
    return type == KERNELS_BF16 ? CUDA_R_16BF : type == KERNELS_F16 ? CUDA_R_16F : CUDA_R_32F;
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

static bool is_aligned(const void *data, int64_t row, enum kernels_type type)
{
    const size_t wanted = type == KERNELS_F32 ? sizeof(float) : ALIGNMENT;

    return (uintptr_t)data % wanted == 0 && (size_t)row * kernels_size(type) % wanted == 0;
}

bool cuda_library_takes(const struct cuda_product *p)
{
    return p->s.k > 0 && p->a_type == p->b_type && is_aligned(p->a, a_row(p->s), p->a_type) &&
           is_aligned(p->b, b_row(p->s), p->b_type) && is_aligned(p->c, p->s.n, p->c_type) &&
           (p->c_type == KERNELS_F32 || (p->c_type == p->a_type && p->bias == NULL));
}

// the largest power of two, up to 256, of which the address is a multiple
static uint32_t alignment_of(const void *data)
{
    const uintptr_t address = (uintptr_t)data | 256;

    return (uint32_t)(address & -address);
}

static struct way_key key_of(const struct cuda_product *p)
{
    struct way_key key;

    memset(&key, 0, sizeof key);
    key.m = p->s.m;
    key.n = p->s.n;
    key.k = p->s.k;
    key.a_alignment = alignment_of(p->a);
    key.b_alignment = alignment_of(p->b);
    key.c_alignment = alignment_of(p->c);
    key.a_type = p->a_type;
    key.c_type = p->c_type;
    key.transpose_a = p->s.transpose_a;
    key.transpose_b = p->s.transpose_b;
    key.accumulate = p->s.accumulate;
    key.has_bias = p->bias != NULL;
    key.tf32 = p->tf32 && p->a_type == KERNELS_F32;
    return key;
}

// a row-major [rows, columns] is a column-major [columns, rows]
static cublasLtMatrixLayout_t layout(enum kernels_type type, int64_t rows, int64_t columns)
{
    cublasLtMatrixLayout_t made;

    cublasLtMatrixLayoutCreate(&made, library_type(type), (uint64_t)columns, (uint64_t)rows,
                               columns);
    return made;
}

static cublasLtMatmulDesc_t describe(const struct way_key *key)
{
    const cublasOperation_t a = key->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t b = key->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasLtEpilogue_t epilogue =
        key->has_bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    cublasLtMatmulDesc_t made;

    cublasLtMatmulDescCreate(&made, key->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F,
                             CUDA_R_32F);
    cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_TRANSA, &a, sizeof a);
    cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_TRANSB, &b, sizeof b);
    cublasLtMatmulDescSetAttribute(made, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
    return made;
}

// what the library may use: memory, and how its arguments lie
static cublasLtMatmulPreference_t prefer(const struct way_key *key)
{
    const struct {
        cublasLtMatmulPreferenceAttributes_t what;
        uint32_t bytes;
    } alignments[] = {{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key->b_alignment},
                      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key->a_alignment},
                      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key->c_alignment},
                      {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key->c_alignment}};
    const size_t bytes = CUDA_LIBRARY;
    cublasLtMatmulPreference_t made;

    cublasLtMatmulPreferenceCreate(&made);
    cublasLtMatmulPreferenceSetAttribute(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                         sizeof bytes);
    for (const auto &one : alignments) {
        cublasLtMatmulPreferenceSetAttribute(made, one.what, &one.bytes, sizeof one.bytes);
    }
    return made;
}

/* ---- products ---- */

// asks the library, and keeps what it says
static struct way *find_new(struct cuda_library *l, const struct cuda_product *p,
                            const struct way_key *key)
{
    const struct gemm_shape s = p->s;
    const int64_t a_rows = s.transpose_a ? s.k : s.m, b_rows = s.transpose_b ? s.n : s.k;
    struct way *way = g_new0(struct way, 1);
    cublasLtMatmulPreference_t preference = prefer(key);
    cublasLtMatmulHeuristicResult_t found;
    int count = 0;

    way->key = *key;
    way->how = describe(key);
    way->a = layout(p->a_type, a_rows, a_row(s));
    way->b = layout(p->b_type, b_rows, b_row(s));
    way->c = layout(p->c_type, s.m, s.n);
    way->missing =
        cublasLtMatmulAlgoGetHeuristic(l->handle, way->how, way->b, way->a, way->c, way->c,
                                       preference, 1, &found, &count) != CUBLAS_STATUS_SUCCESS ||
        count == 0;
    if (!way->missing) {
        way->algorithm = found.algo;
    }
    cublasLtMatmulPreferenceDestroy(preference);
    g_hash_table_add(l->ways, way);
    return way;
}

static cublasStatus_t multiply(struct cuda_device *device, const struct cuda_product *p,
                               const struct way *way)
{
    const float one = 1, beta = p->s.accumulate ? 1 : 0;

    if (p->bias != NULL) {
        cublasLtMatmulDescSetAttribute(way->how, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &p->bias,
                                       sizeof p->bias);
    }
    return cublasLtMatmul(device->library->handle, way->how, &one, p->b, way->b, p->a, way->a,
                          &beta, p->c, way->c, p->c, way->c, &way->algorithm,
                          device->workspace + CUDA_WORKSPACE, CUDA_LIBRARY, device->stream);
}

bool cuda_library_multiply(const kernels *k, const struct cuda_product *p)
{
    struct cuda_device *device = cuda_device(k);
    struct cuda_library *l = device->library;
    const struct way_key key = key_of(p);

    g_mutex_lock(&l->lock);
    const struct way *way = (const struct way *)g_hash_table_lookup(l->ways, &key);
    way = way != NULL ? way : find_new(l, p, &key);
    const bool there = !way->missing;
    if (there) {
        const cublasStatus_t status = multiply(device, p, way);

        device->failed = device->failed == CUBLAS_STATUS_SUCCESS ? status : device->failed;
    }
    g_mutex_unlock(&l->lock);
    return there;
}
