/* adapter_module.h: the weights of a model under all names that adapter files have for them.
 *
 * Kohya writes `_` for the `.` of a module's path, which cannot be taken back (down_blocks has one
 * of its own), so names are never taken apart: every spelling of every module stands in a table,
 * with `_` in place of `.`, and what a file says is looked up in it, without what programs put
 * before (lora_unet_, lora_te_, lycoris_, unet., text_encoder., base_model.model. ...).
 *
 * Spellings of a module: diffusers' path; of the UNet CompVis' as well; of attention that of
 * diffusers until 0.16 (processor.to_q, to_out for to_out.0); of the text encoder with and without
 * text_model., and to_q for q_proj. */
#pragma once

#include "engine/model/checkpoint.h"

struct adapter_modules;

// a module of the model; belongs to the table, its tensors to the model
struct adapter_module {
    const struct model_tensor *weight;
    const struct model_tensor *bias; // NULL: it has none
    size_t weight_index, bias_index; // in the model (checkpoint_at)
};

/* Owned by the caller, who keeps the model as long. */
struct adapter_modules *adapter_modules_create(const struct checkpoint *model);
void adapter_modules_free(struct adapter_modules *m); // accepts NULL
typedef struct adapter_modules adapter_modules;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(adapter_modules, adapter_modules_free)

/* The module that a file calls `name`; NULL: the model has none. */
const struct adapter_module *adapter_modules_find(const struct adapter_modules *m,
                                                  const char *name);
