/* safetensors.h: reading .safetensors files.
 *
 *   bytes 0..7   N, the header's length, little-endian
 *   8..8+N       JSON: {"__metadata__": {text: text, ...},
 *                       NAME: {"dtype": "F16", "shape": [320, 4, 3, 3],
 *                              "data_offsets": [from, to]}, ...}
 *   8+N..        the values; the offsets count from here and cover every byte exactly once
 *
 * Files of torch.save are opened as well, as if they had such a header (torch_file.h). Opening checks
 * the whole header against the length of the file; after that a tensor's place is
 * known to be inside. Values are read by pread straight into the caller's memory, converted to
 * float on the way. The file is not mapped: models are replaced while they are in use, and a
 * mapping of a file that shrinks ends the process, while a read that comes short is a sentence.
 * A file is open from open to close and may be read from several threads. */
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/regular_file.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAFETENSORS_MAX_DIMS 8

struct safetensors;

struct safetensors_tensor {
    const char *name;
    const char *dtype_name; // as the file says, "I64" for instance
    enum dtype dtype;       // DTYPE_OTHER: it can be listed and not be read
    int n_dims;             // 0 is a single value
    int64_t shape[SAFETENSORS_MAX_DIMS];
    int64_t values; // product of the shape
    int64_t offset; // of the first byte in the file; any number, not aligned
    int64_t bytes;
};

/* Opens a file and reads its header. NULL with a sentence for everything that is no whole and
 * correct safetensors file, nor one of PyTorch's. Free with safetensors_close. */
struct safetensors *safetensors_open(const char *path, GError **error);

// NULL is allowed
void safetensors_close(struct safetensors *file);
typedef struct safetensors safetensors;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(safetensors, safetensors_close)

const char *safetensors_path(const struct safetensors *file);

// the open file itself: who it is and how many bytes it has
const struct regular_file *safetensors_file(const struct safetensors *file);

// the tensors, in the order of their names (bytewise); all belong to the file
size_t safetensors_count(const struct safetensors *file);
const struct safetensors_tensor *safetensors_at(const struct safetensors *file, size_t index);

// NULL when there is none of this name
const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name);

// the text under a key of __metadata__, or NULL; belongs to the file
const char *safetensors_metadata(const struct safetensors *file, const char *key);

// the keys of __metadata__ in order, NULL-terminated; belongs to the file
const char *const *safetensors_metadata_keys(const struct safetensors *file);

/* All values of a tensor as floats; `out` has room for tensor->values. False with a sentence that
 * names file and tensor when its type cannot be used or the file was changed or shortened. */
bool safetensors_read_f32(const struct safetensors *file, const struct safetensors_tensor *tensor,
                          float *out, GError **error);

// the same for `n` values from the value `first` on
bool safetensors_read_f32_part(const struct safetensors *file,
                               const struct safetensors_tensor *tensor, int64_t first, int64_t n,
                               float *out, GError **error);

// `n` values from the value `first` on as they are stored, of whatever type
bool safetensors_read_stored(const struct safetensors *file,
                             const struct safetensors_tensor *tensor, int64_t first, int64_t n,
                             void *out, GError **error);

// "[320, 4, 3, 3]", for sentences; the caller frees it
char *safetensors_shape_text(const int64_t *shape, int n_dims);
