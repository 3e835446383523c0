/* learn_frame.h: which square of a learning picture is seen.
 *
 * Without masks the middle, or what stands out, or with random crops any; with masks the square
 * moves as near to their middle as the picture's edges allow, and a random one keeps all of what
 * they mark, or shows nothing but it where it is larger than the square. */
#pragma once

#include "engine/learn/pictures/learn_data.h"
#include "engine/picture/picture_scale.h"

/* The largest value of each pixel over the masks of a source; NULL without masks or, with an error,
 * without memory. Owned by the caller. */
picture *learn_frame_union(const struct learn_source *source, GError **error);

/* The bounding box of a mask's pixels above one half, or of all above 0 where there are none:
 * pixels left .. right - 1, top .. bottom - 1. False when all of it is 0. */
bool learn_frame_box(const picture *mask, struct layout_box *box);

/* Square `crop` of the picture `index`. marked: the union of its masks, or NULL. */
struct picture_frame learn_frame(const picture *image, const picture *marked,
                                 const struct learn_framing *f, int index, int crop);
