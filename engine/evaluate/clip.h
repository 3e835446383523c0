/* clip.h: a CLIP model, opened to compare pictures and texts (Radford et al. 2021). */
#pragma once

#include "engine/network/reader.h"
#include "engine/picture/picture.h"

struct clip;

/* Of a folder (clip_files.h), on the device k (borrowed). Owned by the caller; NULL with a sentence. */
struct clip *clip_open(const char *folder, const kernels *k, GError **error);
void clip_close(struct clip *c); // accepts NULL

// values of what a picture or text becomes
int clip_width(const struct clip *c);

/* What a picture becomes, out [clip_width], as transformers' image_embeds before they are divided by
 * their length. */
bool clip_picture(const struct clip *c, const picture *p, float *out, GError **error);

/* The same of a text, as text_embeds. *left_out: what of it was too long, owned by the caller, or
 * NULL. */
bool clip_text(const struct clip *c, const char *text, float *out, char **left_out, GError **error);
