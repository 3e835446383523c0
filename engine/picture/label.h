/* label.h: black text in a picture, in a font of fixed width. */
#pragma once

#include "engine/picture/picture.h"

// pixels of a character at scale 1
#define LABEL_WIDTH  6
#define LABEL_HEIGHT 13

/* Pixels that the text takes; scale: of a point of the font, 1 or more. */
int label_width(const char *text, int scale);

/* In the middle between two columns of pixels, left of `right`, below row `top`; what does not fit between
 * them is cut off at its end. What is not ASCII is written by what is most like it. */
void label_put(picture *p, const char *text, int left, int right, int top, int scale);
