/* mask.h: what is done to masks before they say where a picture may change.
 *
 * A mask is a picture of 1 channel, 0..1, white where something may happen. Widths and radii are in
 * its pixels. Beyond its edges a mask goes on as it ends, so that what touches an edge of the
 * picture is no border there. Functions change the mask in place where nothing else is said. */
#pragma once

#include "engine/picture/picture.h"

struct mask_box {
    int x, y, width, height;
};

/* What is less than 2 of 255 is black to the eye, and means nothing: a veil that a brush, a scaling
 * or a conversion left. A hair below, so that 1 - 253 / 255 counts. */
#define MASK_LEAST (1.9999f / 255)

/* picture_read_mask without its veil. */
picture *mask_read(const char *path, int minimum, GError **error);

// what is below MASK_LEAST becomes 0
void mask_clear_veil(picture *mask);

/* The smallest box with every pixel of at least MASK_LEAST; false when there is none. */
bool mask_bounds(const picture *mask, struct mask_box *box);

/* Whether a mask fits its picture: of its size, and not empty. False with SVDIFF_ERROR_FAILED. */
bool mask_check(const picture *image, const picture *mask, GError **error);

// 1 - value
void mask_invert(picture *mask);

/* The largest (smallest) value of the square of 2 radius + 1 pixels around each. */
void mask_dilate(picture *mask, int radius);
void mask_erode(picture *mask, int radius);

/* Three passes of a box, nearly a Gaussian: an edge becomes a slope about `width` pixels wide, half
 * on each side of it, and exactly 0 and 1 beyond. */
void mask_blur(picture *mask, int width);

// 1 where the value is at least level, else 0
void mask_threshold(picture *mask, float level);

/* A new mask of how deep each pixel lies inside: Euclid's distance to the nearest pixel that is 0,
 * in pixels; 0 for those, and FLT_MAX everywhere when there are none. Owned by the caller. NULL
 * with an error when there is no memory. */
picture *mask_depth(const picture *mask, GError **error);

/* out [h, w]: the largest value of each cell of width / w x height / h pixels, which divide. */
void mask_cells(const picture *mask, int h, int w, float *out);

/* The part in a box, which lies inside the picture; of a picture of any channels. Owned by the
 * caller. */
picture *mask_crop(const picture *p, const struct mask_box *box, GError **error);
