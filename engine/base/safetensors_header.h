/* safetensors_header.h: the header of a safetensors file, from text to checked tables. Used by
 * safetensors.c and its fuzzer only; the layout stands in safetensors.h. */
#pragma once

#include "engine/base/safetensors.h"

struct safetensors_header {
    size_t count;
    struct safetensors_tensor *tensors; // sorted by name
    GPtrArray *keys;                    // of the metadata, sorted, NULL-terminated
    GHashTable *metadata;               // key to text
    GStringChunk *texts;                // all names and texts
};

/* Parses `bytes` bytes of JSON. The values begin at `data_start` of the file `path` and there are
 * `data_bytes` of them. NULL with a sentence. Free with safetensors_header_free. */
struct safetensors_header *safetensors_header_parse(const char *json, size_t bytes,
                                                    int64_t data_start, int64_t data_bytes,
                                                    const char *path, GError **error);

// NULL is allowed
void safetensors_header_free(struct safetensors_header *header);
typedef struct safetensors_header safetensors_header;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(safetensors_header, safetensors_header_free)
