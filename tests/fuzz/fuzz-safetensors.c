/* Any bytes as a safetensors file: refused with a sentence, or every tensor of it can be read. The
 * header alone is parsed as well, with the rest of the bytes as values that are not there. */
#include "engine/base/error.h"
#include "engine/model/model_kind.h"
#include "engine/base/safetensors_header.h"
#include "tests/fuzz/replay.h"
#include "tests/memory_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// what the header promises must lie inside the file and tile it
static void check_header(const struct safetensors_header *header, int64_t data_bytes)
{
    int64_t sum = 0;

    for (size_t i = 0; i < header->count; i++) {
        const struct safetensors_tensor *tensor = &header->tensors[i];
        g_assert_true(tensor->offset >= 100 && tensor->bytes >= 0);
        g_assert_true(tensor->offset + tensor->bytes <= 100 + data_bytes);
        g_assert_true(i == 0 || strcmp(tensor[-1].name, tensor->name) < 0);
        sum += tensor->bytes;
    }
    g_assert_true(sum == data_bytes);
}

static void parse_header(const uint8_t *data, size_t size)
{
    for (int64_t data_bytes = 0; data_bytes <= 64; data_bytes += 8) {
        g_autoptr(GError) error = NULL;
        g_autoptr(safetensors_header) header =
            safetensors_header_parse((const char *)data, size, 100, data_bytes, "fuzz", &error);
        g_assert_true((header == NULL) == (error != NULL));
        if (header != NULL) {
            check_header(header, data_bytes);
        }
    }
}

static void read_tensors(const struct safetensors *file, size_t size)
{
    struct model_info info;

    model_kind_of_file(file, &info);
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);
        g_assert_true(safetensors_find(file, tensor->name) == tensor);
        g_assert_true(tensor->bytes <= (int64_t)size);
        if (tensor->dtype != DTYPE_OTHER) {
            g_autofree float *values = g_new(float, tensor->values + 1);
            g_assert_true(safetensors_read_f32(file, tensor, values, NULL));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    char path[MEMORY_FILE_PATH];
    const int memory = memory_file(data, size, path);
    g_autoptr(safetensors) file = safetensors_open(path, &error);
    g_assert_true((file == NULL) == (error != NULL));
    if (file != NULL) {
        read_tensors(file, size);
    }
    close(memory);
    parse_header(data, size);
    return 0;
}
