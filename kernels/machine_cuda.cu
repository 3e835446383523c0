/* machine_cuda.cu: which NVIDIA devices a machine has, and why one that is asked for cannot be used: a sentence each. */
#include "kernels/cuda.h"

// whether there is a driver that is new enough
static bool check_driver(GError **error)
{
    int driver = 0, needed = 0;

    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&needed);
    if (driver == 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV,
                    "there is no NVIDIA driver on this machine: install one, or use the CPU");
    } else if (driver < needed) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV,
                    "the NVIDIA driver is made for CUDA %d.%d, and CUDA %d.%d is needed: install a "
                    "newer driver, or use the CPU",
                    driver / 1000, driver % 1000 / 10, needed / 1000, needed % 1000 / 10);
    }
    return driver >= needed;
}

static bool check_number(int number, GError **error)
{
    int count = 0;
    const cudaError_t asked = cudaGetDeviceCount(&count);

    if (asked == cudaErrorNoDevice || (asked == cudaSuccess && count == 0)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV,
                    "the NVIDIA driver finds no device on this machine: use the CPU");
    } else if (asked != cudaSuccess) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV,
                    "the NVIDIA driver does not answer (%s): use the CPU",
                    cudaGetErrorString(asked));
    } else if (number >= count) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV,
                    "there is no CUDA device %d: this machine has %d, numbered from 0", number,
                    count);
    }
    return asked == cudaSuccess && number < count;
}

static void describe(int number, struct kernels_cuda_device *d)
{
    struct cudaDeviceProp properties = {};

    cudaGetDeviceProperties(&properties, number);
    g_strlcpy(d->name, properties.name, sizeof d->name);
    d->major = properties.major;
    d->minor = properties.minor;
    d->bytes = properties.totalGlobalMem;
    cudaDriverGetVersion(&d->driver);
}

// CUDA_OLDEST: ten times the capability of the oldest device that the build made code for
static bool check_capability(int number, GError **error)
{
    struct kernels_cuda_device d;

    describe(number, &d);
    if (10 * d.major + d.minor < CUDA_OLDEST) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NODEV,
                    "CUDA device %d (%s) has the compute capability %d.%d, and the CUDA module is "
                    "made for %d.%d "
                    "and later: use the CPU, or a module that is made for it",
                    number, d.name, d.major, d.minor, CUDA_OLDEST / 10, CUDA_OLDEST % 10);
        return false;
    }
    return true;
}

// devices before 8.0 multiply float16 alone
static bool check_precision(int number, enum kernels_precision precision, GError **error)
{
    int major = 0;

    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, number);
    if (major < 8 && (precision == KERNELS_IN_BF16 || precision == KERNELS_IN_TF32)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "CUDA device %d does not compute in %s: use the precision f16 or f32", number,
                    kernels_precision_word(precision));
        return false;
    }
    return true;
}

bool cuda_check_device(int number, enum kernels_precision precision, GError **error)
{
    return check_driver(error) && check_number(number, error) && check_capability(number, error) &&
           check_precision(number, precision, error);
}

struct kernels_cuda_device *kernels_cuda_list(int *count, GError **error)
{
    *count = 0;
    if (!check_driver(error) || !check_number(0, error)) {
        return NULL;
    }
    cudaGetDeviceCount(count);
    struct kernels_cuda_device *list = g_new0(struct kernels_cuda_device, *count);
    for (int i = 0; i < *count; i++) {
        describe(i, &list[i]);
    }
    return list;
}
