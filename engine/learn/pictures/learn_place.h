/* learn_place.h: a picture put into a box of a frame, so that its subject is whole there.
 *
 * The picture is scaled so that the box around its subject fits into the target, but not beyond
 * `limit` times the scale at which it fills the frame, and moved so that their middles meet. What
 * the picture leaves free is filled with its nearest pixels; of a mask, with black. */
#pragma once

#include "engine/learn/pictures/learn_data.h"
#include "engine/picture/layout.h"

struct learn_placing {
    int width, height;        // of the frame in pixels; that of learning is a square
    struct layout_box target; // in parts of it
    double limit;             // 1: never larger than when it fills the frame alone
};

// two in one picture share the area that one has alone
#define LEARN_PLACE_SHARED 0.70710678118654752

/* image and mask (NULL: the subject is where learn_find.h says) placed. The results
 * are owned by the caller; *placed_mask is NULL without a mask. placed_mask NULL: nobody wants it.
 * False without memory. */
bool learn_place(const picture *image, const picture *mask, const struct learn_placing *p,
                 picture **placed, picture **placed_mask, GError **error);
