/* safetensors_write.h: writing a .safetensors file, of any size, whole or not at all.
 *
 *   g_autoptr(safetensors_writer) writer = safetensors_writer_create(path, entries, n, keys, texts,
 *                                                                    &error);
 *   for each entry: safetensors_writer_put(writer, name, values, &error)        // in any order
 *   safetensors_writer_commit(writer, &error)
 *
 * The bytes depend on names, types, shapes, values and metadata only. Their layout is that of the
 * reference implementation: larger types first, then by name, the header padded with blanks so that
 * the values begin at a multiple of 8; metadata keys are sorted. */
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/safetensors.h"

#include <glib.h>
#include <stdbool.h>

struct safetensors_writer;

/* Stands in a text of the metadata for the SHA-256 of all values, in hexadecimal, which the commit puts there. */
#define SAFETENSORS_SHA256 "(sha256 of the values, as they follow one another in this file.)"

// a tensor to be written; `dtype` is what dtype_written gives
struct safetensors_entry {
    const char *name;
    enum dtype dtype;
    int n_dims;
    int64_t shape[SAFETENSORS_MAX_DIMS];
};

/* Begins the file `path` with these tensors (copied) and this metadata: NULL-terminated lists of
 * keys and their texts, both NULL for none. Space on the disk is set aside for all of it. NULL with
 * a sentence when the file cannot be written. */
struct safetensors_writer *safetensors_writer_create(const char *path,
                                                     const struct safetensors_entry *entries,
                                                     size_t n_entries, const char *const *keys,
                                                     const char *const *texts, GError **error);

/* How many bytes that file has. */
uint64_t safetensors_writer_measure(const struct safetensors_entry *entries, size_t n_entries,
                                    const char *const *keys, const char *const *texts);

/* Writes the values of one tensor, converted to the type it is stored in. `name` is one of the
 * entries'. False with a sentence when there is no space. */
bool safetensors_writer_put(struct safetensors_writer *writer, const char *name,
                            const float *values, GError **error);

/* Reads back a tensor of f32 that was put, before the commit; others may be put meanwhile by another
 * thread. False with a sentence. */
bool safetensors_writer_get(const struct safetensors_writer *writer, const char *name,
                            float *values, GError **error);

/* Puts the file in its place once every tensor was put (it is a mistake of the program otherwise).
 * False with a sentence; nothing is then left behind. */
bool safetensors_writer_commit(struct safetensors_writer *writer, GError **error);

// frees; without a commit nothing is left. NULL is allowed
void safetensors_writer_close(struct safetensors_writer *writer);
typedef struct safetensors_writer safetensors_writer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(safetensors_writer, safetensors_writer_close)
