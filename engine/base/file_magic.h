/* file_magic.h: what a file is by its first bytes, before any parser sees it. */
#pragma once

#include "engine/base/regular_file.h"

#include <glib.h>

enum file_magic {
    FILE_MAGIC_SAFETENSORS, // 8 bytes of length, then `{`
    FILE_MAGIC_TORCH_ZIP,   // torch.save since 1.6: a zip of pickles (.ckpt, .pt, .bin)
    FILE_MAGIC_TORCH_OLD,   // torch.save before: pickles
    FILE_MAGIC_GGUF,
    FILE_MAGIC_OTHER,
};

// looks at the first bytes; a file that cannot be read is OTHER
enum file_magic file_magic_of(const struct regular_file *file);

/* One sentence that says why a file of this kind is not used as a model or subject and what to do
 * instead. Not for those that can be opened. */
void file_magic_refuse(enum file_magic magic, const char *path, GError **error);
