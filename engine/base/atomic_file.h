/* atomic_file.h: a file that is written whole or not at all, of any size.
 *
 *   g_autoptr(atomic_file) file = atomic_file_create(path, &error);
 *   if (file == NULL || !atomic_file_write(file, data, bytes, &error) ||
 *       !atomic_file_commit(file, &error)) { return false; }     // nothing was left behind
 *
 * The bytes go to a file without a name on the target's own file system, where there is such a
 * thing, so that even a process that is killed leaves nothing; otherwise to a hidden file beside
 * the target. commit() makes them durable (fsync), gives them the target's name in one step
 * (rename) and makes the name durable (fsync of the folder). Closing without commit removes what
 * was written. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct atomic_file;

/* Begins a file that will be called `path`. An existing file stays as it is until the commit; it
 * may be a link, then what it points to is replaced. NULL with a sentence when the folder is
 * missing or not writable or when `path` is a folder, a FIFO or a device. */
struct atomic_file *atomic_file_create(const char *path, GError **error);

/* Sets `bytes` bytes of the disk aside, so that a lack of space is told before hours of work and
 * not after. File systems that cannot do this are no error. */
bool atomic_file_reserve(struct atomic_file *file, int64_t bytes, GError **error);

/* Appends. False with a sentence (no space left, for instance); the file can then only be
 * closed. */
bool atomic_file_write(struct atomic_file *file, const void *data, size_t bytes, GError **error);

/* Writes at `offset` instead of the end, in any order: a header that is known last, tensors as they
 * come. What lies between is zero until it is written. */
bool atomic_file_write_at(struct atomic_file *file, const void *data, size_t bytes, int64_t offset,
                          GError **error);

/* Reads what was written, before the commit. Another thread may be writing elsewhere in the file.
 * False with a sentence. */
bool atomic_file_read_at(const struct atomic_file *file, void *data, size_t bytes, int64_t offset,
                         GError **error);

/* Puts the file at its place for good. False with a sentence; the old file is then untouched. */
bool atomic_file_commit(struct atomic_file *file, GError **error);

/* Frees; what was not committed is gone. NULL is allowed. */
void atomic_file_close(struct atomic_file *file);
typedef struct atomic_file atomic_file;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(atomic_file, atomic_file_close)

// makes the names in a folder survive a power cut, as far as the file system can
void atomic_file_sync_folder(const char *folder);

// a whole file from memory: create, write, commit
bool atomic_file_store(const char *path, const void *data, size_t bytes, GError **error);
