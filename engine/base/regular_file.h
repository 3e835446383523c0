/* regular_file.h: a file that somebody named, opened so that nothing can hang or surprise.
 *
 * Only regular files are opened (links to them too). A FIFO would block for ever and a device has
 * no end, so the file is opened without waiting and asked what it is before a byte is read. Reading
 * is by pread into the caller's memory, never by a mapping: a mapped file that somebody shortens
 * kills the process with SIGBUS, a pread that comes back short is an error with a sentence. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct regular_file {
    int fd;
    char *path; // as given, for sentences
    // what fstat said when the file was opened: who it is and whether it was changed since
    uint64_t device, inode;
    int64_t size;
    int64_t mtime_seconds, mtime_nanoseconds;
};

/* Opens `path` for reading. NULL with a sentence when it does not exist, may not be read, or is a
 * folder, a FIFO, a socket or a device. Free with regular_file_close. */
struct regular_file *regular_file_open(const char *path, GError **error);

// closes and frees; NULL is allowed
void regular_file_close(struct regular_file *file);
typedef struct regular_file regular_file;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(regular_file, regular_file_close)

/* False with a sentence when the file's size or time is no longer what it was when it was opened,
 * that is when somebody writes to it. (A file replaced by renaming another over it is still the old
 * one here, and whole.) */
bool regular_file_unchanged(const struct regular_file *file, GError **error);

/* What changes when it is written again or replaced, a line; the path is not in it, so that a file may
 * be moved within its disk. Owned by the caller. */
char *regular_file_identity(const struct regular_file *file);

/* Reads exactly `bytes` bytes at `offset` into `out`. False with a sentence when the file ends
 * before or cannot be read. */
bool regular_file_read(const struct regular_file *file, void *out, size_t bytes, int64_t offset,
                       GError **error);

/* The whole of a small file, as text: *length bytes and a 0 after them (the bytes themselves may
 * hold zeros). NULL with a sentence when it cannot be read or has more than `limit` bytes.
 * The caller frees it with g_free. `length` may be NULL. */
char *regular_file_load(const char *path, size_t limit, size_t *length, GError **error);
