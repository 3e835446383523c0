/* canvas.h: a larger picture around a picture, to be painted beyond its edges. */
#pragma once

#include "engine/picture/picture.h"

struct canvas_margins {
    int left, top, right, bottom; // pixels
};

/* "LEFT,TOP,RIGHT,BOTTOM" or one number for all sides; false with SVDIFF_ERROR_USAGE that names
 * `option`. */
bool canvas_parse(const char *option, const char *text, struct canvas_margins *m, GError **error);

/* The picture with clear margins, 4 channels. Owned by the caller; NULL with an error: too large,
 * no memory. */
picture *canvas_extend(const picture *p, const struct canvas_margins *m, GError **error);

/* A mask of what is to be painted there: the margins and, not NULL, a mask of the picture. Owned by
 * the caller. */
picture *canvas_extend_mask(int width, int height, const picture *mask,
                            const struct canvas_margins *m, GError **error);

/* A mask of what is clear in a picture, the clearer the whiter. Owned by the caller. */
picture *canvas_clear(const picture *p, GError **error);
