/* cuda.cu: the table of an NVIDIA device: memory, transfers, errors. Work goes to one stream in order;
 * the host waits in downloads and sync alone, and where the memory for uploads is full.
 *
 * The table does not begin with the reference, which reads memory of the host: an entry that nobody
 * wrote ends the program by its name. */
#include "kernels/cuda.h"
#include "kernels/cuda_module.h"

#include <string.h>

const char *const kernels_cuda_interface = CUDA_INTERFACE;

/* ---- memory ---- */

// of the thread that calls, which may have used another
static void use_device(const kernels *k)
{
    cudaSetDevice(cuda_device(k)->number);
}

static void *cuda_alloc(const kernels *k, size_t bytes)
{
    void *memory = NULL;

    use_device(k);
    if (bytes == 0 || cudaMalloc(&memory, bytes) != cudaSuccess) {
        cudaGetLastError(); // no memory is an answer, no fault
        return NULL;
    }
    cudaMemsetAsync(memory, 0, bytes, cuda_stream(k));
    memory_count_add(k, bytes);
    return memory;
}

static void cuda_release(const kernels *k, void *memory, size_t bytes)
{
    if (memory != NULL) {
        memory_count_remove(k, bytes);
        cudaFree(memory);
    }
}

/* Through pinned memory, since the caller's may be gone before the device has read it. */
static void cuda_upload(const kernels *k, void *to, const void *from, size_t bytes)
{
    struct cuda_device *device = cuda_device(k);

    use_device(k);
    for (size_t done = 0; done < bytes;) {
        if (device->staged == CUDA_STAGING) {
            cudaStreamSynchronize(device->stream);
            device->staged = 0;
        }
        const size_t part = MIN(bytes - done, CUDA_STAGING - device->staged);
        char *place = device->staging + device->staged;
        memcpy(place, (const char *)from + done, part);
        cudaMemcpyAsync((char *)to + done, place, part, cudaMemcpyHostToDevice, device->stream);
        device->staged += part;
        done += part;
    }
}

static void cuda_download(const kernels *k, void *to, const void *from, size_t bytes)
{
    if (bytes > 0) {
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, cuda_stream(k));
        cudaStreamSynchronize(cuda_stream(k));
        cuda_device(k)->staged = 0;
    }
}

static void cuda_zero(const kernels *k, void *memory, size_t bytes)
{
    if (bytes > 0) {
        cudaMemsetAsync(memory, 0, bytes, cuda_stream(k));
    }
}

static void cuda_copy(const kernels *k, void *to, const void *from, size_t bytes)
{
    if (bytes > 0) {
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, cuda_stream(k));
    }
}

/* What went wrong up to here, once. waited: what waiting for the work came to. What a call refuses is told with
 * its entry; of work that failed later it is only known what was asked for since. */
static bool tell(const kernels *k, cudaError_t waited, GError **error)
{
    struct cuda_device *device = cuda_device(k);
    const cudaError_t left = cudaGetLastError();
    const cudaError_t failed = waited != cudaSuccess ? waited : left;
    const cublasStatus_t product = device->failed;
    const char *entry = device->broken != NULL ? device->broken : device->asked;
    const bool refused = device->broken != NULL && (failed == cudaErrorInvalidValue ||
                                                    failed == cudaErrorInvalidConfiguration);

    if (failed != cudaSuccess) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s (in %s%s)",
                    cudaGetErrorString(failed), entry != NULL ? entry : "its beginning",
                    refused ? "" : " or before it");
    } else if (product != CUBLAS_STATUS_SUCCESS) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO,
                    "a matrix product failed (in %s, cuBLASLt's %d)", entry, product);
    }
    device->failed = CUBLAS_STATUS_SUCCESS;
    device->broken = NULL;
    return failed == cudaSuccess && product == CUBLAS_STATUS_SUCCESS;
}

static bool cuda_sync(const kernels *k, GError **error)
{
    const cudaError_t waited = cudaStreamSynchronize(cuda_stream(k));

    cuda_device(k)->staged = 0;
    return tell(k, waited, error);
}

/* ---- downloads that are waited for later ---- */

// the one that goes there; NULL: nobody's
static struct cuda_letter *find_letter(const kernels *k, const void *to)
{
    struct cuda_device *device = cuda_device(k);

    for (int i = 0; i < CUDA_LETTERS; i++) {
        if (device->letters[i].to == to) {
            return &device->letters[i];
        }
    }
    return NULL;
}

static bool has_room(struct cuda_letter *letter, size_t bytes)
{
    if (letter->room < bytes) {
        cudaFreeHost(letter->pinned);
        letter->pinned = NULL;
        letter->room = cudaMallocHost((void **)&letter->pinned, bytes) == cudaSuccess ? bytes : 0;
    }
    if (letter->arrived == NULL) {
        cudaEventCreateWithFlags(&letter->arrived, cudaEventDisableTiming);
    }
    return letter->room >= bytes && letter->arrived != NULL;
}

static void cuda_bring(const kernels *k, void *to, const void *from, size_t bytes)
{
    struct cuda_letter *letter = find_letter(k, to);

    letter = letter != NULL ? letter : find_letter(k, NULL);
    if (bytes == 0) {
        return;
    }
    if (letter == NULL || !has_room(letter, bytes)) {
        cudaGetLastError(); // no memory for it: waited for at once
        cuda_download(k, to, from, bytes);
        return;
    }
    letter->to = to;
    letter->bytes = bytes;
    cudaMemcpyAsync(letter->pinned, from, bytes, cudaMemcpyDeviceToHost, cuda_stream(k));
    cudaEventRecord(letter->arrived, cuda_stream(k));
}

static bool cuda_brought(const kernels *k, void *to, GError **error)
{
    struct cuda_letter *letter = find_letter(k, to);

    if (letter == NULL) {
        return true;
    }
    const cudaError_t waited = cudaEventSynchronize(letter->arrived);
    letter->to = NULL;
    if (!tell(k, waited, error)) {
        return false;
    }
    memcpy(to, letter->pinned, letter->bytes);
    return true;
}

static size_t cuda_available(const kernels *k)
{
    size_t available = 0, total = 0;

    use_device(k);
    return cudaMemGetInfo(&available, &total) == cudaSuccess
               ? available + cuda_device(k)->memory.own
               : 0;
}

/* ---- the device ---- */

// accepts what was made in part
static void free_device(struct cuda_device *device)
{
    cuda_library_free(device->library);
    for (int i = 0; i < CUDA_LETTERS; i++) {
        cudaFreeHost(device->letters[i].pinned);
        if (device->letters[i].arrived != NULL) {
            cudaEventDestroy(device->letters[i].arrived);
        }
    }
    cudaFree(device->workspace);
    cudaFreeHost(device->staging);
    g_free(device->solver);
    if (device->stream != NULL) {
        cudaStreamDestroy(device->stream);
    }
    g_free(device);
}

static void cuda_destroy(kernels *k)
{
    free_device(cuda_device(k));
    g_free(k);
}

// the memory that the table needs for itself
static bool create_device(struct cuda_device *device, int number, GError **error)
{
    device->number = number;
    const size_t own = CUDA_WORKSPACE + CUDA_LIBRARY;
    size_t available = 0, total = 0;

    if (cudaSetDevice(number) == cudaSuccess &&
        cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking) == cudaSuccess &&
        (device->library = cuda_library_create()) != NULL &&
        cudaMalloc((void **)&device->workspace, own) == cudaSuccess &&
        cudaMallocHost((void **)&device->staging, CUDA_STAGING) == cudaSuccess) {
        device->memory.own = device->memory.bytes = device->memory.peak = own;
        return true;
    }
    const cudaError_t failed = cudaGetLastError();
    cudaMemGetInfo(&available, &total);
    if (failed == cudaErrorMemoryAllocation) {
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
            "CUDA device %d has %zu of %zu MiB of its memory left, and %zu MiB are needed to "
            "begin with: close what uses it, or use the CPU",
            number, available >> 20, total >> 20, own >> 20);
    } else {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV,
                    "CUDA device %d cannot be used (%s): use the CPU", number,
                    cudaGetErrorString(failed));
    }
    return false;
}

/* ---- the table ---- */

#define ENTRY(name, kind, work, arguments, ...)                                                    \
    static void missing_##name(const kernels *k, __VA_ARGS__)                                      \
    {                                                                                              \
        g_error("CUDA's table has no entry " #name);                                               \
    }
#include "kernels/entries.h"
#undef ENTRY

void kernels_cuda_begin(kernels *k)
{
#define ENTRY(name, ...) k->name = missing_##name;
#include "kernels/entries.h"
#undef ENTRY
}

const char *kernels_cuda_missing(const kernels *k)
{
#define ENTRY(name, ...)                                                                           \
    if (k->name == missing_##name) {                                                               \
        return #name;                                                                              \
    }
#include "kernels/entries.h"
#undef ENTRY
    return NULL;
}

static void fill_memory(kernels *k)
{
    k->alloc = cuda_alloc;
    k->release = cuda_release;
    k->upload = cuda_upload;
    k->download = cuda_download;
    k->zero = cuda_zero;
    k->copy = cuda_copy;
    k->sync = cuda_sync;
    k->bring = cuda_bring;
    k->brought = cuda_brought;
    k->available = cuda_available;
    k->destroy = cuda_destroy;
}

static void fill_entries(kernels *k)
{
    cuda_fill_gemm(k);
    cuda_fill_linear(k);
    cuda_fill_conv(k);
    cuda_fill_groupnorm(k);
    cuda_fill_layernorm(k);
    cuda_fill_attention(k);
    cuda_fill_activation(k);
    cuda_fill_elementwise(k);
    cuda_fill_resample(k);
    cuda_fill_spectral(k);
    cuda_fill_embedding(k);
    cuda_fill_optimizer(k);
    cuda_fill_unmix(k);
    cuda_fill_latents(k);
    cuda_fill_normals(k);
    cuda_fill_spectra(k);
}

kernels *kernels_cuda_create(int number, enum kernels_precision precision, GError **error)
{
    struct cuda_device *device = g_new0(struct cuda_device, 1);

    if (!cuda_check_device(number, precision, error) || !create_device(device, number, error)) {
        free_device(device);
        return NULL;
    }
    kernels *k = g_new0(kernels, 1);
    k->device = device;
    k->name = "cuda";
    k->threads = 1;
    k->precision = precision;
    k->weight = k->activation = kernels_precision_type(precision);
    fill_memory(k);
    kernels_cuda_begin(k);
    fill_entries(k);
    g_assert(kernels_cuda_missing(k) == NULL);
    cuda_fill_repeat(k);
    return k;
}
