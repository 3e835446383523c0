/* Other families' adapters; see adapter_family.h. */
#include "engine/adapter/adapter_family.h"

#include "engine/base/error.h"
#include "engine/model/model_kind.h"

#include <string.h>

// parts of names that no Stable Diffusion 1.x or 2.x adapter has
static const struct {
    const char *part, *family;
} marks[] = {
    {"lora_te3_", "Stable Diffusion 3"},
    {"joint_blocks", "Stable Diffusion 3"},
    {"double_blocks", "Flux"},
    {"single_blocks", "Flux"},
    {"single_transformer_blocks", "Flux"},
    {"lora_transformer_", "a transformer model such as Flux"},
    {"lora_te2_", "Stable Diffusion XL"},
    {"text_encoder_2.", "Stable Diffusion XL"},
    {"clip_g.", "Stable Diffusion XL"},
    {"add_embedding", "Stable Diffusion XL"},
    {"label_emb", "Stable Diffusion XL"},
    // two and ten transformer blocks where the others have one
    {"_transformer_blocks_1_", "Stable Diffusion XL"},
    {".transformer_blocks.1.", "Stable Diffusion XL"},
};

bool adapter_family_check(const struct safetensors *file, GError **error)
{
    for (size_t m = 0; m < G_N_ELEMENTS(marks); m++) {
        for (size_t i = 0; i < safetensors_count(file); i++) {
            const char *name = safetensors_at(file, i)->name;
            // anywhere in it: each program puts its own words before
            if (strstr(name, marks[m].part) != NULL) {
                return error_failed(error,
                                    "%s: this adapter is for %s (it has %s); use one for Stable "
                                    "Diffusion 1.x or 2.x.",
                                    safetensors_path(file), marks[m].family, name);
            }
        }
    }
    return true;
}

bool adapter_family_refuse_all(const struct safetensors *file, GError **error)
{
    struct model_info info;

    model_kind_of_file(file, &info);
    // an adapter by its names, and yet none of this model's weights
    if (info.kind == MODEL_KIND_ADAPTER) {
        return error_failed(error,
                            "%s: none of its %d tensors is for a weight of this model, the first "
                            "is %s; use it with the family of models that it was made for.",
                            safetensors_path(file), (int)safetensors_count(file),
                            safetensors_at(file, 0)->name);
    }
    return error_failed(error, "%s: this is %s, no LoRA or another adapter.",
                        safetensors_path(file), model_kind_title(info.kind));
}
