/* learn_find.h: where the subject of a picture probably is that nobody marked.
 *
 * The background is taken for even along rows or along columns: a pixel is the subject's when it is
 * far from the line between the left and the right end of its row, and from the line between the
 * ends of its column. The box around such pixels is the subject's; where it is nearly the whole
 * picture, as before busy backgrounds, or next to nothing, the middle four fifths are. */
#pragma once

#include "engine/picture/layout.h"
#include "engine/picture/picture.h"

/* The box in pixels of a picture of 3 channels, 0..1. */
struct layout_box learn_find_subject(const picture *image);
