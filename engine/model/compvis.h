/* compvis.h: how a tensor of a diffusers folder is called in a single file of the CompVis layout.
 *
 *   UNet          model.diffusion_model.   blocks counted through: input_blocks, output_blocks
 *   autoencoder   first_stage_model.       up blocks counted backwards, attention as 1x1 kernels
 *   text encoder  SD 1: cond_stage_model.transformer. and transformers' names
 *                 SD 2: cond_stage_model.model. and OpenCLIP's names; query, key and value are
 *                 three thirds of one tensor
 *
 * All names are newly allocated, without the prefix, and NULL for a name that has no place. */
#pragma once

#include "engine/network/model_config.h"

#include <glib.h>

#define COMPVIS_UNET_PREFIX     "model.diffusion_model."
#define COMPVIS_VAE_PREFIX      "first_stage_model."
#define COMPVIS_CLIP_PREFIX     "cond_stage_model.transformer."
#define COMPVIS_OPENCLIP_PREFIX "cond_stage_model.model."

char *compvis_unet_name(const char *name, const struct unet_config *config);
char *compvis_vae_name(const char *name, const struct vae_config *config);

/* OpenCLIP's name of a tensor of transformers' CLIPTextModel. *third is 0, 1 or 2 when the tensor
 * is that third of the rows of what is stored, -1 when it is all of it. */
char *compvis_openclip_name(const char *name, int *third);
