/* torch_file.h: files that torch.save wrote, as if they were safetensors: the tensors of their state dict
 * with names, shapes, types and places in the file, found without executing anything (pickle.h).
 *
 *   since PyTorch 1.6   a zip, nothing in it packed: NAME/data.pkl, NAME/data/KEY for each storage
 *   before              the pickles of a magic number, a version, the machine, the object, and of the
 *                       keys in order; then for each key how many values, and these
 *
 * Dicts in dicts are names joined by points, without a "state_dict." before them: what lies beside that
 * belongs to training. Texts and numbers that are no tensors become metadata. A tensor whose values do
 * not lie in the order of its shape can be listed and not be read. */
#pragma once

#include "engine/base/file_magic.h"
#include "engine/base/safetensors_header.h"

/* The header that such a file would have. NULL with a sentence, for everything that is not whole, or
 * wants what no state dict needs. */
struct safetensors_header *torch_file_read(const struct regular_file *file, enum file_magic magic,
                                           GError **error);
