/* memory_file.h: bytes under a path, for what reads files: nothing is written to a disk. */
#pragma once

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_FILE_PATH 64

// the file, to be closed; path receives where it can be opened until then
static inline int memory_file(const void *data, size_t size, char path[MEMORY_FILE_PATH])
{
    const int file = memfd_create("memory", MFD_CLOEXEC);

    g_assert_true(file >= 0 && write(file, data, size) == (ssize_t)size);
    g_snprintf(path, MEMORY_FILE_PATH, "/proc/self/fd/%d", file);
    return file;
}
