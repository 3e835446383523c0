/* What a file is by its first bytes; see file_magic.h.
 *
 * A pickle is a program that would run when Python reads it; here torch_file.h reads it, which runs
 * nothing. */
#include "engine/base/file_magic.h"

#include "engine/base/error.h"

#include <string.h>

enum file_magic file_magic_of(const struct regular_file *file)
{
    // pickle protocol 2 and the number 0x1950a86a20f9469cfc6c that torch.save began with
    static const char torch_old[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    char first[16] = {0};
    size_t bytes = (size_t)MIN(file->size, (int64_t)sizeof(first));

    if (!regular_file_read(file, first, bytes, 0, NULL)) {
        return FILE_MAGIC_OTHER;
    }
    if (memcmp(first, "PK\x03\x04", 4) == 0) {
        return FILE_MAGIC_TORCH_ZIP;
    }
    if (memcmp(first, torch_old, sizeof(torch_old) - 1) == 0 ||
        (first[0] == '\x80' && first[1] >= 2 && first[1] <= 5 && first[8] != '{')) {
        return FILE_MAGIC_TORCH_OLD;
    }
    if (memcmp(first, "GGUF", 4) == 0) {
        return FILE_MAGIC_GGUF;
    }
    return bytes > 8 && first[8] == '{' ? FILE_MAGIC_SAFETENSORS : FILE_MAGIC_OTHER;
}

void file_magic_refuse(enum file_magic magic, const char *path, GError **error)
{
    static const char *const kinds[] = {
        [FILE_MAGIC_GGUF] = "a GGUF file, whose values are rounded too coarsely to learn on; get "
                            "the model as .safetensors or as a diffusers folder",
        [FILE_MAGIC_OTHER] = "no safetensors file; get the model or subject as .safetensors",
    };

    error_failed(error, "%s: this is %s.", path, kinds[magic]);
}
