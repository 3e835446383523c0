/* unet.h: the noise predictor of Stable Diffusion 1.x and 2.x (Rombach et al. 2022), as diffusers'
 * UNet2DConditionModel computes it. Sizes and kinds come from its config.json alone. */
#pragma once

#include "engine/tape/attention_guide.h"
#include "engine/network/model_config.h"
#include "engine/network/conditioning.h"
#include "engine/network/reader.h"

struct unet;

/* Reads all weights from source. NULL with SVDIFF_ERROR_FAILED (what is missing, of another shape,
 * or no memory). config is copied. Owned by the caller. */
struct unet *unet_create(const kernels *k, const struct unet_config *config,
                         struct weight_source source, GError **error);
void unet_free(struct unet *u); // accepts NULL

struct network *unet_network(struct unet *u);

/* The prediction [m, h, w, out_channels] for latents [n, h, w, in_channels] at timesteps [n] (of the host; Euler's
 * may lie between two) under m texts: n of them, or so many times n, as guidance has two for the same latents, all
 * of the first ones before the second ones. What comes before the first cross-attention is then computed once. */
struct tensor *unet_forward(struct tape *t, const struct unet *u, struct tensor *latents,
                            const double *timesteps, struct text_tensors text);

/* What the cross-attentions make of a text is the same in each forward: keys and values of n texts of so many
 * tokens, for text_tensors.keys. How many cells they are, and these, of context [n, 1, tokens, width]. */
int64_t unet_key_cells(const struct unet *u, int n, int tokens);
void unet_make_keys(struct tape *t, const struct unet *u, struct tensor *context, cell *keys);

/* The same with a guide of the cross-attentions (attention_guide.h), which has to stay until the
 * tape is reset; NULL: none. */
struct tensor *unet_forward_guided(struct tape *t, const struct unet *u, struct tensor *latents,
                                   const double *timesteps, struct text_tensors text,
                                   const struct attention_guide *guide);

/* The level whose cross-attentions in down or up blocks have the grid nearest to wanted x wanted
 * for latents of h x w, its grid, and how many attentions these are; -1 when there are none. */
int unet_attention_level(const struct unet *u, int h, int w, int wanted, enum unmix_layers sides,
                         int *grid_h, int *grid_w, int *layers);
