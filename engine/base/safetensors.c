/* Reading .safetensors files; see safetensors.h. */
#include "engine/base/safetensors.h"

#include "engine/base/error.h"
#include "engine/base/file_magic.h"
#include "engine/base/safetensors_header.h"
#include "engine/base/torch_file.h"

#include <stdlib.h>
#include <string.h>

// as the reference implementation; the header of SDXL has 270 thousand
#define MAX_HEADER_BYTES ((uint64_t)100 * 1000 * 1000)
// values that are converted at a time
#define PART 16384

struct safetensors {
    struct regular_file *file;
    struct safetensors_header *header;
};

// the length in the first 8 bytes, checked against the file before anything is allocated
static bool read_header_length(const struct regular_file *file, size_t *length, GError **error)
{
    uint64_t claimed;

    // the length, and one byte of a header at least
    if (file->size < 9) {
        return error_failed(error, "%s: this is no safetensors file, it has only %d bytes.",
                            file->path, (int)file->size);
    }
    if (!regular_file_read(file, &claimed, sizeof(claimed), 0, error)) {
        return false;
    }
    claimed = GUINT64_FROM_LE(claimed);
    /* what it is comes first: in a pickle these bytes are a wild length, which says nothing to
     * anybody */
    enum file_magic magic = file_magic_of(file);
    if (magic != FILE_MAGIC_SAFETENSORS) {
        file_magic_refuse(magic, file->path, error);
        return false;
    }
    // taken from the size, because a claim near 2^64 plus 8 would be small again
    if (claimed > (uint64_t)file->size - 8) {
        return error_failed(error,
                            "%s: the file is truncated or no safetensors file, its header should "
                            "have %" G_GUINT64_FORMAT " bytes; get a whole copy of it.",
                            file->path, claimed);
    }
    // memory is taken for all of it before any of it was looked at
    if (claimed > MAX_HEADER_BYTES) {
        return error_failed(
            error, "%s: its header of %" G_GUINT64_FORMAT " bytes is larger than any model's.",
            file->path, claimed);
    }
    *length = (size_t)claimed;
    return true;
}

static struct safetensors_header *read_header(const struct regular_file *file, GError **error)
{
    size_t length = 0;
    if (!read_header_length(file, &length, error)) {
        return NULL;
    }
    // up to 100 MB, on the word of a file: g_malloc would end the program
    g_autofree char *json = g_try_malloc(length + 1);
    if (json == NULL) {
        error_failed(error, "%s: there is no memory for its header.", file->path);
        return NULL;
    }
    if (!regular_file_read(file, json, length, 8, error)) {
        return NULL;
    }
    // values follow the header at once, whatever its length: no tensor need be aligned
    int64_t data_start = 8 + (int64_t)length;
    return safetensors_header_parse(json, length, data_start, file->size - data_start, file->path,
                                    error);
}

struct safetensors *safetensors_open(const char *path, GError **error)
{
    g_autoptr(regular_file) file = regular_file_open(path, error);
    if (file == NULL) {
        return NULL;
    }
    const enum file_magic magic = file_magic_of(file);
    const bool torch = magic == FILE_MAGIC_TORCH_ZIP || magic == FILE_MAGIC_TORCH_OLD;
    struct safetensors_header *header =
        torch ? torch_file_read(file, magic, error) : read_header(file, error);
    if (header == NULL) {
        return NULL;
    }

    struct safetensors *opened = g_new0(struct safetensors, 1);
    // open from now on, so that a model that is replaced meanwhile stays the old one, and whole
    opened->file = g_steal_pointer(&file);
    opened->header = header;
    return opened;
}

void safetensors_close(struct safetensors *file)
{
    if (file == NULL) {
        return;
    }
    regular_file_close(file->file);
    safetensors_header_free(file->header);
    g_free(file);
}

const char *safetensors_path(const struct safetensors *file)
{
    return file->file->path;
}

const struct regular_file *safetensors_file(const struct safetensors *file)
{
    return file->file;
}

size_t safetensors_count(const struct safetensors *file)
{
    return file->header->count;
}

const struct safetensors_tensor *safetensors_at(const struct safetensors *file, size_t index)
{
    g_assert(index < file->header->count);
    return &file->header->tensors[index];
}

static int compare_to_name(const void *name, const void *tensor)
{
    return strcmp(name, ((const struct safetensors_tensor *)tensor)->name);
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name)
{
    const struct safetensors_header *header = file->header;

    // parsing left them sorted by name
    return bsearch(name, header->tensors, header->count, sizeof(*header->tensors), compare_to_name);
}

const char *safetensors_metadata(const struct safetensors *file, const char *key)
{
    return g_hash_table_lookup(file->header->metadata, key);
}

const char *const *safetensors_metadata_keys(const struct safetensors *file)
{
    return (const char *const *)file->header->keys->pdata;
}

// reads and converts in parts that stay in the cache of the processor
static bool read_converted(const struct safetensors *file, const struct safetensors_tensor *tensor,
                           int64_t first, int64_t n, float *out, GError **error)
{
    // of one value as it is stored
    size_t size = dtype_bytes(tensor->dtype);
    g_autofree char *part = g_malloc(PART * size);

    for (int64_t done = 0; done < n; done += PART) {
        size_t count = (size_t)MIN(n - done, PART);
        if (!safetensors_read_stored(file, tensor, first + done, (int64_t)count, part, error)) {
            return false;
        }
        dtype_to_f32(tensor->dtype, part, out + done, count);
    }
    return true;
}

bool safetensors_read_stored(const struct safetensors *file,
                             const struct safetensors_tensor *tensor, int64_t first, int64_t n,
                             void *out, GError **error)
{
    g_assert(first >= 0 && n >= 0 && n <= tensor->values - first);
    // an offset counts bytes
    const int64_t size = (int64_t)dtype_bytes(tensor->dtype);

    // a file that somebody writes to would give half of the old values and half of the new
    return regular_file_unchanged(file->file, error) &&
           regular_file_read(file->file, out, (size_t)(n * size), tensor->offset + first * size,
                             error);
}

bool safetensors_read_f32_part(const struct safetensors *file,
                               const struct safetensors_tensor *tensor, int64_t first, int64_t n,
                               float *out, GError **error)
{
    if (tensor->dtype == DTYPE_OTHER) {
        return error_failed(error, "%s: tensor %s has type %s, " DTYPE_READABLE " is needed.",
                            safetensors_path(file), tensor->name, tensor->dtype_name);
    }
    // nothing to convert: straight into the memory of the caller
    return tensor->dtype == DTYPE_F32 ? safetensors_read_stored(file, tensor, first, n, out, error)
                                      : read_converted(file, tensor, first, n, out, error);
}

bool safetensors_read_f32(const struct safetensors *file, const struct safetensors_tensor *tensor,
                          float *out, GError **error)
{
    return safetensors_read_f32_part(file, tensor, 0, tensor->values, out, error);
}

char *safetensors_shape_text(const int64_t *shape, int n_dims)
{
    GString *text = g_string_new("[");

    for (int i = 0; i < n_dims; i++) {
        // as Python writes a list, which people know from PyTorch
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i == 0 ? "" : ", ", shape[i]);
    }
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}
