/* Any bytes as a file of torch.save, and as a pickle: refused with a sentence, or all of it can be read. */
#include "engine/base/error.h"
#include "engine/base/pickle.h"
#include "engine/base/safetensors.h"
#include "tests/fuzz/replay.h"
#include "tests/memory_file.h"

static void read_tensors(const struct safetensors *file, size_t size)
{
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *t = safetensors_at(file, i);
        g_assert_true(safetensors_find(file, t->name) == t);
        // one value may stand for many only where their order says so
        g_assert_true(t->dtype == DTYPE_OTHER || t->bytes <= (int64_t)size);
        if (t->dtype != DTYPE_OTHER) {
            g_autofree float *values = g_new(float, t->values + 1);
            g_assert_true(safetensors_read_f32(file, t, values, NULL));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL, problem = NULL;
    char path[MEMORY_FILE_PATH];
    const int memory = memory_file(data, size, path);
    g_autoptr(safetensors) file = safetensors_open(path, &error);
    size_t used;
    g_autoptr(pickle) p = pickle_read(data, size, "fuzz", &used, &problem);

    g_assert_true((file == NULL) == (error != NULL));
    g_assert_true((p == NULL) == (problem != NULL) && used <= size);
    if (file != NULL) {
        read_tensors(file, size);
    }
    close(memory);
    return 0;
}
