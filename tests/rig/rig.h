/* rig.h: what the rig's files ask of each other. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include <driver_types.h>

/* Told by the memory, the scheduler and the library's products; race_rig.cpp answers, or race_none.cpp
 * with nothing. device: memory of the device begins or ends; wrote: a copy or a product filled it;
 * reads: a product takes all of it; block: shared memory of the block that begins, NULL after the
 * last. */
void rig_race_device(const void *memory, size_t bytes, bool begins);
void rig_race_wrote(const void *memory, size_t bytes);
void rig_race_reads(const void *memory, size_t bytes);
void rig_race_block(const void *shared, size_t bytes);

// how many graphs were launched, and how often the host waited for all work
extern "C" unsigned rig_graphs(void);
extern "C" unsigned rig_waits;

#define RIG_DEVICE_BASE  ((uintptr_t)0x300000000000) // of the device's addresses
#define RIG_DEVICE_BYTES ((size_t)1 << 36)
#define RIG_SHARED_BYTES ((size_t)256 << 10) // more than any device's block has

namespace rig
{
// what a test says that this machine has
int said(const char *name, int usual);
size_t memory(); // bytes of each device

// the one of the thread that calls
extern thread_local int device;

// the error that cudaGetLastError tells next; returns it
cudaError_t refuse(cudaError_t error);

/* Several threads of the host may call at a time, as they may the device: one is in the rig. */
class entry
{
    std::unique_lock<std::recursive_mutex> held;

  public:
    entry();
};

// whether the address is in the range from which the device's memory comes
inline bool is_device(const void *address)
{
    return (uintptr_t)address - RIG_DEVICE_BASE < RIG_DEVICE_BYTES;
}
} // namespace rig

// how often cuBLASLt was asked for its best way
extern int rig_questions;

// the serial of a block that never ran: what a copy wrote
#define RIG_WRITTEN 1
