/* compvis_config.h: the configs of Stable Diffusion 1.x and 2.x, for single files that carry none.
 *
 * Which of the two it is stands in the width of the cross attention, 768 or 1024. Whether an SD 2
 * model predicts v stands nowhere: fine-tunes of the 768 model have a bias that those of the base
 * model do not have, which is what ComfyUI goes by. */
#pragma once

#include "engine/network/model_config.h"
#include "engine/model/schedule_config.h"
#include "engine/model/weight_files.h"

/* NAME.config for NAME.safetensors or NAME.ckpt; owned by the caller. */
char *compvis_config_folder(const char *path);

/* Fills the configs for the model in this file. False with a sentence when it is not a whole SD 1.x
 * or 2.x model. */
bool compvis_config_infer(const struct weight_files *weights, struct unet_config *unet,
                          struct text_config *text, struct vae_config *vae,
                          struct schedule_config *schedule, GError **error);

// the size of pictures, larger for SD 2 models that predict v
void compvis_config_size(struct unet_config *unet, struct vae_config *vae,
                         enum prediction_type type);

// the sizes and the schedule of Stable Diffusion 1.5
void compvis_config_sd15(struct unet_config *unet, struct vae_config *vae,
                         struct schedule_config *schedule);
