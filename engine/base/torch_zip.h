/* torch_zip.h: where the entries of a zip lie whose entries are stored as they are. */
#pragma once

#include "engine/base/regular_file.h"

struct torch_zip_entry {
    int64_t offset, bytes; // of its content in the file
};

/* The entries by their names (struct torch_zip_entry *), each checked to lie in the file. NULL with a
 * sentence for what is damaged, packed or encrypted. Free with g_hash_table_unref. */
GHashTable *torch_zip_list(const struct regular_file *file, GError **error);
