/* vision_encoder.h: CLIP's vision transformer (Radford et al. 2021) with its projection, as transformers'
 * CLIPVisionModelWithProjection computes it. */
#pragma once

#include "engine/network/model_config.h"
#include "engine/network/reader.h"

struct vision_encoder;

/* Reads all weights. Owned by the caller; NULL with SVDIFF_ERROR_FAILED. */
struct vision_encoder *vision_encoder_create(const kernels *k, const struct vision_config *config,
                                             struct weight_source source, GError **error);
void vision_encoder_free(struct vision_encoder *e); // accepts NULL

/* What CLIP compares with texts, [1, 1, 1, projection], of a picture x [1, size, size, 3], which is
 * normalised as its preprocessor says. */
struct tensor *vision_encoder_forward(struct tape *t, const struct vision_encoder *e,
                                      struct tensor *x);
