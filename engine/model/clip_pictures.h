/* clip_pictures.h: how pictures become what a CLIP model was trained on, as transformers'
 * CLIPImageProcessor prepares them. */
#pragma once

#include "engine/picture/picture.h"

struct clip_pictures {
    int size; // the short side is scaled to it, bicubic
    int crop; // the square that is cut from the middle
    float mean[3], deviation[3];
};

/* Of a model's folder: preprocessor_config.json, or what processor_config.json says of pictures.
 * False with a sentence where there is none, or it asks for something else than CLIP's own. */
bool clip_pictures_read(const char *folder, struct clip_pictures *c, GError **error);

/* [crop, crop, 3], owned by the caller; what is clear is white. The scaled picture is Pillow's to the byte, so that
 * what is here differs from transformers' by rounding alone. NULL without memory. */
float *clip_pictures_prepare(const struct clip_pictures *c, const picture *p, GError **error);
