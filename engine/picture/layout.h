/* layout.h: how a mixed picture is shared out between two subjects, the first in the order of
 * the picture (left before right, top before bottom).
 *
 *   halves    left | right, seam in the centre (Han et al. 2023, figure 3)
 *   stacked   top over bottom
 *   falling   top left, bottom right; rising: bottom left, top right; the seam is a diagonal
 *   beside, below   regions that the user drew, the second right of or below the first
 *
 * A subject is fitted into a box, which is the half, or the quarter that lies in its region's
 * corner. Boxes are in parts of the square, 0..1. */
#pragma once

#include "engine/svdiff.h"

enum layout {
    LAYOUT_HALVES,
    LAYOUT_STACKED,
    LAYOUT_FALLING,
    LAYOUT_RISING,
    LAYOUT_BESIDE, // drawn
    LAYOUT_BELOW,  // drawn
};

// where a subject that has no region of its own can be
enum place {
    PLACE_LEFT,
    PLACE_RIGHT,
    PLACE_TOP,
    PLACE_BOTTOM,
    PLACE_TOP_LEFT,
    PLACE_BOTTOM_RIGHT,
    PLACE_BOTTOM_LEFT,
    PLACE_TOP_RIGHT,
    PLACES,
};

/* One of a choice for a number of 0..LAYOUT_DRAWS - 1 that is drawn evenly; of all, halves half of
 * the time. */
#define LAYOUT_DRAWS 12
enum layout layout_draw(enum layout_choice choice, int number);

/* The places that a choice comes to, one after the other from *first on. */
int layout_places(enum layout_choice choice, enum place *first);

bool layout_is_drawn(enum layout layout);

/* The places of the first and of the second subject; not for drawn layouts. */
enum place layout_place(enum layout layout, int which);
struct layout_box layout_place_box(enum place place);

/* What part of each latent's area belongs to which of the two, [2, n, n]; sums to 1. Not for drawn
 * layouts. */
void layout_regions(enum layout layout, int n, float *regions);
