/* runtime_rig.cpp: the CUDA runtime's functions that the back end calls, on memory of the host.
 *
 * What a stream is given waits in one queue until the host waits for it, as late as a device could
 * run it: host memory that was freed or read too early is noticed (AddressSanitizer, wrong values).
 * Device memory is out of the host's reach whenever no work runs: the host that follows a device
 * pointer dies (SIGSEGV). Addresses are not given out twice.
 * Several threads of the host take turns.
 * While a stream is captured, work goes into the graph, and what a capture forbids is refused. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/rig.h"

#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <sys/mman.h>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#define PAGE ((size_t)4096)

typedef std::function<void()> work;

struct CUgraph_st {
    std::vector<work> nodes;
};
struct CUgraphExec_st {
    std::vector<work> nodes;
};
struct CUevent_st {
    uint64_t place; // work that was asked for before it
};
struct CUstream_st {
    int device;
    cudaGraph_t graph; // being captured
    bool broken;
};

static std::deque<work> queue;
unsigned rig_waits;
static uint64_t queued, drained; // pieces of work so far
static unsigned launched;        // graphs
struct allocated {
    size_t bytes;
    int device;
};
static std::map<uintptr_t, allocated> device_memory;
static std::map<uintptr_t, size_t> pinned_memory;
static std::map<const void *, size_t> shared_limits; // of kernels that asked for more
static uintptr_t next_address;
static std::map<int, size_t> device_used;
static thread_local cudaStream_t capturing; // as cudaStreamCaptureModeThreadLocal has it
static thread_local cudaError_t last_error;

rig::entry::entry()
{
    static std::recursive_mutex lock;

    held = std::unique_lock<std::recursive_mutex>(lock);
}

cudaError_t rig::refuse(cudaError_t error)
{
    last_error = error;
    return error;
}

/* ---- the queue ---- */

static size_t whole_pages(size_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

static void protect(int protection)
{
    for (const auto &one : device_memory) {
        mprotect((void *)one.first, whole_pages(one.second.bytes), protection);
    }
}

// RIG_LOST: after so many pieces of work the device answers no more
static bool is_lost()
{
    static const int at = rig::said("RIG_LOST", 0);

    return at > 0 && drained >= (uint64_t)at;
}

// the work up to that place
static void drain(uint64_t place = UINT64_MAX)
{
    if (queue.empty() || drained >= place) {
        return;
    }
    protect(PROT_READ | PROT_WRITE);
    while (!queue.empty() && drained < place) {
        const work next = std::move(queue.front());
        queue.pop_front();
        if (!is_lost()) {
            next();
        }
        drained++;
    }
    protect(PROT_NONE);
}

void rig::enqueue(cudaStream_t stream, std::function<void()> one)
{
    const rig::entry inside;

    if (stream != NULL && stream->graph != NULL) {
        stream->graph->nodes.push_back(std::move(one));
    } else {
        queue.push_back(std::move(one));
        queued++;
    }
}

// what no capture allows: it is broken then
static bool breaks_capture()
{
    if (capturing != NULL) {
        capturing->broken = true;
        rig::refuse(cudaErrorStreamCaptureUnsupported);
    }
    return capturing != NULL;
}

/* ---- memory ---- */

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    const rig::entry inside;

    if (breaks_capture()) {
        return last_error;
    }
    if (next_address == 0) {
        next_address = RIG_DEVICE_BASE + PAGE;
    }
    *memory = NULL;
    if (bytes > rig::memory() - device_used[rig::device] ||
        next_address + bytes + PAGE > RIG_DEVICE_BASE + RIG_DEVICE_BYTES) {
        return rig::refuse(cudaErrorMemoryAllocation);
    }
    void *place = mmap((void *)next_address, whole_pages(bytes), PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (place != (void *)next_address) {
        rig::fail("the device's addresses are taken");
    }
    next_address += whole_pages(bytes) + PAGE; // a page that nobody may touch
    device_used[rig::device] += bytes;
    device_memory[(uintptr_t)place] = {bytes, rig::device};
#ifdef __SANITIZE_ADDRESS__
    ASAN_POISON_MEMORY_REGION((char *)place + bytes, whole_pages(bytes) - bytes);
#endif
    rig_race_device(place, bytes, true);
    *memory = place;
    return cudaSuccess;
}

cudaError_t cudaFree(void *memory)
{
    const rig::entry inside;

    if (memory == NULL) {
        return cudaSuccess;
    }
    if (breaks_capture()) {
        return last_error;
    }
    const auto found = device_memory.find((uintptr_t)memory);
    if (found == device_memory.end()) {
        return rig::refuse(cudaErrorInvalidValue);
    }
    drain();
    rig_race_device(memory, found->second.bytes, false);
    device_used[found->second.device] -= found->second.bytes;
    munmap(memory, whole_pages(found->second.bytes));
    device_memory.erase(found);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    const rig::entry inside;

    *total = rig::memory();
    *available = *total - device_used[rig::device];
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    const rig::entry inside;

    *memory = calloc(bytes, 1);
    if (*memory == NULL) {
        return rig::refuse(cudaErrorMemoryAllocation);
    }
    pinned_memory[(uintptr_t)*memory] = bytes;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *memory)
{
    const rig::entry inside;

    drain();
    pinned_memory.erase((uintptr_t)memory);
    free(memory);
    return cudaSuccess;
}

static bool is_pinned(const void *memory)
{
    const auto after = pinned_memory.upper_bound((uintptr_t)memory);

    return after != pinned_memory.begin() &&
           (uintptr_t)memory - std::prev(after)->first < std::prev(after)->second;
}

// whether all of it is memory of the device, or none of it where it should be the host's
static bool belongs(const void *memory, size_t bytes, bool device)
{
    const auto after = device_memory.upper_bound((uintptr_t)memory);

    if (!device || after == device_memory.begin()) {
        return rig::is_device(memory) == device;
    }
    return (uintptr_t)memory + bytes <= std::prev(after)->first + std::prev(after)->second.bytes;
}

static void copy_now(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    if (rig::is_device(to)) {
        rig_race_wrote(to, bytes);
    }
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    const rig::entry inside;
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;

    if (!belongs(to, bytes, to_device) || !belongs(from, bytes, from_device)) {
        return rig::refuse(cudaErrorInvalidValue);
    }
    const bool waits = (!to_device && !is_pinned(to)) || (!from_device && !is_pinned(from));
    if (waits && breaks_capture()) {
        return last_error;
    }
    rig::enqueue(stream, [=] { copy_now(to, from, bytes); });
    if (waits) { // memory of the host that is not pinned is read or written before the call returns
        drain();
    }
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    const rig::entry inside;

    if (breaks_capture()) {
        return last_error;
    }
    const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, NULL);
    drain();
    return error;
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    const rig::entry inside;

    if (!belongs(memory, bytes, true)) {
        return rig::refuse(cudaErrorInvalidValue);
    }
    rig::enqueue(stream, [=] {
        memset(memory, value, bytes);
        rig_race_wrote(memory, bytes);
    });
    return cudaSuccess;
}

/* ---- launches ---- */

cudaError_t cudaFuncSetAttribute(const void *function, cudaFuncAttribute attribute, int value)
{
    const rig::entry inside;

    if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
        if (value > 227 << 10) {
            return rig::refuse(cudaErrorInvalidValue);
        }
        shared_limits[function] = (size_t)value;
    }
    return cudaSuccess;
}

bool rig::check_launch(const void *function, dim3 grid, dim3 block, size_t shared,
                       cudaStream_t stream)
{
    const rig::entry inside;

    if (stream != NULL && stream->device != rig::device) {
        rig::fail("a launch on device %d while %d is the thread's", stream->device, rig::device);
    }
    const auto asked = shared_limits.find(function);
    const size_t limit = asked != shared_limits.end() ? asked->second : (size_t)48 << 10;
    const uint64_t count = (uint64_t)block.x * block.y * block.z;

    if (count > 0 && count % 32 != 0) {
        rig::fail("a block of %u threads is not whole warps", (unsigned)count);
    }
    const bool fits = count > 0 && count <= 1024 && block.z <= 64 && grid.x > 0 && grid.y > 0 &&
                      grid.z > 0 && grid.x <= 0x7fffffff && grid.y <= 65535 && grid.z <= 65535;
    if (!fits) {
        rig::refuse(cudaErrorInvalidConfiguration);
    } else if (shared > limit) {
        rig::refuse(cudaErrorInvalidValue);
    }
    return fits && shared <= limit;
}

cudaError_t cudaGetLastError(void)
{
    const cudaError_t error = last_error;

    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError(void)
{
    return last_error;
}

/* ---- streams, events ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    *stream = new CUstream_st();
    (*stream)->device = rig::device;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    const rig::entry inside;

    if (breaks_capture()) {
        return last_error;
    }
    rig_waits++;
    drain();
    return is_lost() ? rig::refuse(cudaErrorIllegalAddress) : last_error;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    const rig::entry inside;

    drain();
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void)
{
    return cudaStreamSynchronize(NULL);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    *event = new CUevent_st();
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    const rig::entry inside;

    if (breaks_capture()) { // nothing that is captured needs one yet
        return last_error;
    }
    event->place = queued;
    return cudaSuccess;
}

// what was asked for after it goes on waiting
cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    const rig::entry inside;

    drain(event->place);
    return is_lost() ? rig::refuse(cudaErrorIllegalAddress) : cudaSuccess;
}

// the queue is in order over all streams: there is nothing to wait for
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags)
{
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    delete event;
    return cudaSuccess;
}

/* ---- graphs ---- */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode)
{
    const rig::entry inside;

    if (mode != cudaStreamCaptureModeThreadLocal) {
        rig::fail("a capture that other threads break");
    }
    if (breaks_capture()) {
        return last_error;
    }
    stream->graph = new CUgraph_st();
    stream->broken = false;
    capturing = stream;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    const rig::entry inside;

    *graph = stream->graph;
    stream->graph = NULL;
    capturing = NULL;
    if (stream->broken) {
        delete *graph;
        *graph = NULL;
        return rig::refuse(cudaErrorStreamCaptureInvalidated);
    }
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags)
{
    *exec = new CUgraphExec_st{graph->nodes};
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    const rig::entry inside;

    for (const work &one : exec->nodes) {
        rig::enqueue(stream, one);
    }
    launched++;
    return cudaSuccess;
}

unsigned rig_graphs(void)
{
    return launched;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    delete exec;
    return cudaSuccess;
}
