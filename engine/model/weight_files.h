/* weight_files.h: the .safetensors files that hold the weights of one component, seen as one.
 *
 * In a component's folder, with BASE "diffusion_pytorch_model" (UNet, autoencoder) or "model" (text
 * encoder), each of these is one set of weights:
 *
 *   BASE.safetensors, BASE.VARIANT.safetensors
 *   BASE.safetensors.index.json and the shards it names; for a variant
 *     BASE.safetensors.index.VARIANT.json or BASE.VARIANT.safetensors.index.json
 *
 * and the same of PyTorch's own files (BASE.bin, BASE.ckpt, of the text encoder pytorch_model.bin). One
 * set is taken and never mixed with another: the one without a variant first, then fp32, fp16, bf16,
 * others by name, non_ema last; PyTorch's where there are no safetensors. */
#pragma once

#include "engine/base/safetensors.h"

struct weight_files;

// a tensor and the file it lies in; both belong to the weight_files
struct weight_place {
    const struct safetensors *file;
    const struct safetensors_tensor *tensor;
};

// one file alone. NULL with a sentence. Free with weight_files_close
struct weight_files *weight_files_open_file(const char *path, GError **error);

// the best set of a component's folder, as above. NULL with a sentence
struct weight_files *weight_files_open_folder(const char *folder, const char *base, GError **error);

// NULL is allowed
void weight_files_close(struct weight_files *weights);
typedef struct weight_files weight_files;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(weight_files, weight_files_close)

// what was opened: the file, or the index of the shards; for sentences
const char *weight_files_path(const struct weight_files *weights);

// all tensors, in the order of the files and of the names in each
size_t weight_files_count(const struct weight_files *weights);
struct weight_place weight_files_at(const struct weight_files *weights, size_t index);

// false when there is none of this name
bool weight_files_find(const struct weight_files *weights, const char *name,
                       struct weight_place *place);

// the files themselves: struct safetensors *
const GPtrArray *weight_files_list(const struct weight_files *weights);
