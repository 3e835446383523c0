/* paint_area.h: which part of a picture is painted anew for a mask, at which size, and how softly.
 *
 *   d        diagonal of the mask's bounding box; s the strength
 *   feather  max(0.10 s d, 32 s), unless it is given
 *   grow     4 + feather / 2
 *   blend    min(25, grow + feather / 2)
 *   bounds   the box and feather + 4 + 0.06 d around it
 *   context  with s = 1 also max(longest side of the picture / 16, mean side of the bounds / 2); at
 *            least the model's own size; in the working size's proportions; inside the picture
 *
 * (krita-ai-diffusion's recipe). The context is what the model sees, scaled to the working size. */
#pragma once

#include "engine/picture/mask.h"

struct paint_wish {
    double strength;
    int feather;       // pixels; negative: by the formula
    int width, height; // of what the model draws
    int unit;          // what its sides must be divisible by
};

struct paint_area {
    int feather, grow, blend;
    struct mask_box context; // in the picture
    int width, height;       // working size: the wish's, or as many pixels in the proportions of
                             // a context that the picture's edges cut short
};

/* For a mask with some pixel above 0. */
struct paint_area paint_area_plan(const picture *mask, const struct paint_wish *wish);

/* The working size for a picture as a whole, in its proportions: about as many pixels as width x
 * height, sides divisible by unit. */
void paint_area_size(int picture_width, int picture_height, int unit, int *width, int *height);
