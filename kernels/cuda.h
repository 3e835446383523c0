/* cuda.h: the CUDA table's state, what all its entries share, and the calls that fill them by noun.
 * For .cu files, which are compiled by nvcc for the device and by g++ for the rig of tests/rig.
 *
 * Rules of the kernels: shared memory is one struct (launch_cuda.h); blocks are whole warps, which all come
 * to each barrier and shuffle; sums over blocks go through parts in the workspace and a second launch,
 * always in the same order, never through atomics. An entry returns before it would launch nothing. */
#pragma once

#include <glib.h>

extern "C" {
#include "kernels/kernels.h"
#include "kernels/memory.h"
}

#include "kernels/launch_cuda.h"

#include <cublasLt.h>

/* Memory of the host on its way: `to` receives what arrives in `pinned` (NULL: nobody waits). */
struct cuda_letter {
    void *to;
    char *pinned;
    size_t room, bytes;
    cudaEvent_t arrived;
};

#define CUDA_LETTERS 64

/* workspace: device memory for what an entry needs while it runs, and the library's behind it,
 * allocated with the table. staging: pinned memory of the host, through which uploads go. failed: what
 * cuBLASLt said first that was no success. own: the table without what hears each of its calls
 * (repeat_cuda.cu): asked is the last of them, broken the first that met an error. */
struct cuda_device {
    struct kernels_memory memory; // first: see memory.h
    int number;
    cudaStream_t stream;
    struct cuda_library *library; // library_cuda.cu's
    char *workspace;
    char *staging;
    size_t staged; // bytes of it that may still be read
    cublasStatus_t failed;
    struct cuda_solver *solver; // spectra_cuda.cu's; NULL: nobody asked for it
    kernels own;
    struct cuda_pass *pass; // while calls are made that come again; NULL otherwise
    const char *asked, *broken;
    struct cuda_letter letters[CUDA_LETTERS];
};

#define CUDA_WORKSPACE ((size_t)64 << 20)
#define CUDA_LIBRARY   ((size_t)32 << 20)
#define CUDA_STAGING   ((size_t)1 << 20)
#define CUDA_WARP      32

static inline struct cuda_device *cuda_device(const kernels *k)
{
    return (struct cuda_device *)k->device;
}

static inline cudaStream_t cuda_stream(const kernels *k)
{
    return cuda_device(k)->stream;
}

static inline int64_t cuda_ceil(int64_t count, int64_t by)
{
    return (count + by - 1) / by;
}

/* ---- launches ---- */

// a thread a value, and values that so many threads have not reached go on from the first
#define CUDA_THREADS 256
#define CUDA_BLOCKS  4096
#define EACH(i, count)                                                                             \
    for (int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x; i < (count);                  \
         i += (int64_t)gridDim.x * blockDim.x)

static inline unsigned cuda_blocks(int64_t count)
{
    return (unsigned)MIN(cuda_ceil(count, CUDA_THREADS), CUDA_BLOCKS);
}

// a warp a row, its lanes along the columns: nothing is divided for each value
#define CUDA_ROWS 8 // of a block
#define EACH_ROW(row, rows)                                                                        \
    for (int64_t row = blockIdx.x * (int64_t)blockDim.y + threadIdx.y; row < (rows);               \
         row += (int64_t)gridDim.x * blockDim.y)
#define EACH_COLUMN(column, columns)                                                               \
    for (int column = threadIdx.x; column < (columns); column += CUDA_WARP)

static inline dim3 cuda_row_threads(void)
{
    return dim3(CUDA_WARP, CUDA_ROWS);
}

static inline unsigned cuda_row_blocks(int64_t rows)
{
    return (unsigned)MIN(cuda_ceil(rows, CUDA_ROWS), CUDA_BLOCKS);
}

/* ---- the workspace ---- */

struct cuda_room {
    char *memory;
    size_t bytes;
};

static inline struct cuda_room cuda_workspace(const kernels *k)
{
    return {cuda_device(k)->workspace, CUDA_WORKSPACE};
}

// the first bytes of the room, which has them
static inline void *cuda_take(struct cuda_room *room, size_t bytes)
{
    const size_t rounded = (bytes + 255) / 256 * 256;
    void *memory = room->memory;

    g_assert(rounded <= room->bytes);
    room->memory += rounded;
    room->bytes -= rounded;
    return memory;
}

/* ---- products (product_cuda.cu) ---- */

/* C [m, n] = A [m, k] B [k, n] + bias [n], row-major, of any types; what the shape says of transposes
 * and adding holds. bias may be NULL, and is where the product is added. tf32: floats may be multiplied
 * as such. */
struct cuda_product {
    struct gemm_shape s;
    enum kernels_type a_type, b_type, c_type;
    const void *a, *b;
    const float *bias;
    void *c;
    bool tf32;
};

static inline bool cuda_tf32(const kernels *k)
{
    return k->precision == KERNELS_IN_TF32;
}

/* By cuBLASLt, one of a device. takes: types, alignment and bias are as it needs them; multiply: false
 * where it has no way for the shape, and nothing was done. */
struct cuda_library *cuda_library_create(void); // NULL where it does not begin
void cuda_library_free(struct cuda_library *l); // accepts NULL
bool cuda_library_takes(const struct cuda_product *p);
bool cuda_library_multiply(const kernels *k, const struct cuda_product *p);

// room: for rows of C in float, 4 n bytes at least
void cuda_multiply(const kernels *k, const struct cuda_product *p, struct cuda_room room);

/* ---- the entries by noun ---- */

void cuda_fill_gemm(kernels *k);
void cuda_fill_linear(kernels *k);
void cuda_fill_conv(kernels *k);
void cuda_fill_groupnorm(kernels *k);
void cuda_fill_layernorm(kernels *k);
void cuda_fill_attention(kernels *k);
void cuda_fill_activation(kernels *k);
void cuda_fill_elementwise(kernels *k);
void cuda_fill_resample(kernels *k);
void cuda_fill_spectral(kernels *k);
void cuda_fill_embedding(kernels *k);
void cuda_fill_optimizer(kernels *k);
void cuda_fill_unmix(kernels *k);
void cuda_fill_latents(kernels *k);
void cuda_fill_normals(kernels *k);
void cuda_fill_spectra(kernels *k);
// last of all: hears the calls of what is filled by then
void cuda_fill_repeat(kernels *k);

/* ---- the table ---- */

#define CUDA_SHOWN extern "C" __attribute__((visibility("default")))

// what the module shows: CUDA_INTERFACE (cuda_module.h), and what makes the table
CUDA_SHOWN const char *const kernels_cuda_interface;

/* As kernels_cuda_devices and kernels_cuda say. */
CUDA_SHOWN struct kernels_cuda_device *kernels_cuda_list(int *count, GError **error);
CUDA_SHOWN kernels *kernels_cuda_create(int number, enum kernels_precision precision,
                                        GError **error);

// whether there is a device of that number, which this module was made for and which computes so (machine_cuda.cu)
bool cuda_check_device(int number, enum kernels_precision precision, GError **error);

// a table without entries, each of which ends the program; and the first such one of a table, or NULL
void kernels_cuda_begin(kernels *k);
const char *kernels_cuda_missing(const kernels *k);
