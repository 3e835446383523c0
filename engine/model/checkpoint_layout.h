/* checkpoint_layout.h: where a tensor of a model lies among stored ones, whatever it is called.
 *
 * Folder, and the file of an autoencoder alone: as today, CLIP without `text_model.`, the autoencoder's attention
 * by its old names (query, key, value, proj_attn). Single file: CompVis names with their prefixes, OpenCLIP's
 * joined query, key and value. A linear weight may be stored as a kernel of 1x1 and the other way round.
 */
#pragma once

#include "engine/model/model_tensors.h"
#include "engine/model/weight_files.h"
#include "engine/model/weight_scale.h"

// a tensor of the model and the values that are stored for it
struct stored_tensor {
    const struct model_tensor *tensor;
    struct weight_place place;
    int64_t first; // of the stored values; not 0 for OpenCLIP's key and value
    struct weight_scale scale;
};

struct checkpoint_layout {
    bool single; // one CompVis file, otherwise a diffusers folder
    const struct unet_config *unet;
    const struct vae_config *vae;
};

/* Finds the tensor and checks its shape. False with a sentence that names file and tensor when it
 * is missing or has another shape. `stored->tensor` is set by the caller. */
bool checkpoint_layout_find(const struct checkpoint_layout *layout,
                            const struct weight_files *weights, struct stored_tensor *stored,
                            GError **error);

// true for stored tensors that belong to every model and are never read: no notice about those
bool checkpoint_layout_known(const char *name);
