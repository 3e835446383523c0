/* machine_rig.cpp: the machine that the rig plays: RIG_DRIVER is its driver's version, RIG_DEVICES how many devices it has,
 * below 0: the driver does not say it; RIG_BUSY: none of them lets anybody in;
 * RIG_CAPABILITY ten times their compute capability, RIG_MEMORY their MiB, or KiB where a K is behind it. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/rig.h"

#include <cstdlib>
#include <cstring>

int rig::said(const char *name, int usual)
{
    const char *value = getenv(name);

    return value != NULL ? atoi(value) : usual;
}

size_t rig::memory()
{
    const char *value = getenv("RIG_MEMORY");
    const bool kib = value != NULL && strchr(value, 'K') != NULL;

    return (size_t)said("RIG_MEMORY", 8192) << (kib ? 10 : 20);
}

// 0: there is no driver
cudaError_t cudaDriverGetVersion(int *version)
{
    *version = rig::said("RIG_DRIVER", CUDART_VERSION);
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = rig::said("RIG_DEVICES", 1);
    if (rig::said("RIG_DRIVER", CUDART_VERSION) < CUDART_VERSION) {
        return rig::refuse(cudaErrorInsufficientDriver);
    }
    if (*count < 0) {
        return rig::refuse(cudaErrorInitializationError);
    }
    return *count > 0 ? cudaSuccess : rig::refuse(cudaErrorNoDevice);
}

thread_local int rig::device;

cudaError_t cudaSetDevice(int device)
{
    if (device >= rig::said("RIG_DEVICES", 1)) {
        return rig::refuse(cudaErrorInvalidDevice);
    }
    if (rig::said("RIG_BUSY", 0) != 0) {
        return rig::refuse(cudaErrorDevicesUnavailable);
    }
    rig::device = device;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device)
{
    switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
        *value = rig::said("RIG_CAPABILITY", 90) / 10;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
        *value = rig::said("RIG_CAPABILITY", 90) % 10;
        return cudaSuccess;
    default:
        rig::fail("the device's attribute %d is not there", attribute);
    }
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device)
{
    if (device >= rig::said("RIG_DEVICES", 1)) {
        return rig::refuse(cudaErrorInvalidDevice);
    }
    *properties = {};
    strcpy(properties->name, "the rig");
    properties->major = rig::said("RIG_CAPABILITY", 90) / 10;
    properties->minor = rig::said("RIG_CAPABILITY", 90) % 10;
    properties->totalGlobalMem = rig::memory();
    return cudaSuccess;
}

// as the driver says it
const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess:
        return "no error";
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorInvalidConfiguration:
        return "invalid configuration argument";
    case cudaErrorInvalidValue:
        return "invalid argument";
    case cudaErrorStreamCaptureUnsupported:
        return "operation not permitted when stream is capturing";
    case cudaErrorInsufficientDriver:
        return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorIllegalAddress:
        return "an illegal memory access was encountered";
    case cudaErrorNoDevice:
        return "no CUDA-capable device is detected";
    case cudaErrorInitializationError:
        return "initialization error";
    case cudaErrorDevicesUnavailable:
        return "CUDA-capable device(s) is/are busy or unavailable";
    default:
        return "unknown error";
    }
}
