/* model_tensors.h: the tensors that a model of these configs has, by name and shape.
 *
 * The networks themselves say it: their readers run once on a source that lists what they ask for.
 * Names and shapes are those of a diffusers folder: attention of the autoencoder as to_q, to_k,
 * to_v, to_out.0 with two dimensions. */
#pragma once

#include "engine/network/model_config.h"
#include "engine/tape/weight.h"

enum model_component {
    MODEL_UNET,
    MODEL_TEXT_ENCODER,
    MODEL_VAE,
    MODEL_COMPONENTS, // how many there are
};

struct model_tensor {
    enum model_component component;
    char *name;            // "conv_in.weight"
    char *module;          // "conv_in"
    enum weight_kind kind; // of the module
    int n_dims;
    int64_t shape[4];
    bool shifts; // a weight that SVDiff shifts: every weight of UNet and text encoder, no bias
};

// "unet", "text_encoder", "vae": the folder's name
const char *model_component_folder(enum model_component component);
// "UNet", "text encoder", "autoencoder": for sentences
const char *model_component_title(enum model_component component);

/* Arrays of struct model_tensor in the order of the modules; free with g_ptr_array_unref. */
GPtrArray *model_tensors_of_unet(const struct unet_config *config);
GPtrArray *model_tensors_of_text_encoder(const struct text_config *config);
GPtrArray *model_tensors_of_vae(const struct vae_config *config);

// number of values
int64_t model_tensor_values(const struct model_tensor *tensor);

/* The weight that it is, without values; its name is the tensor's. */
struct weight model_tensor_weight(const struct model_tensor *tensor);
