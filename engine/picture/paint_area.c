/* The area around a mask; see paint_area.h. */
#include "engine/picture/paint_area.h"

#include <math.h>

#define BLEND_MAX 25 // pixels

static int round_to(double value, int unit)
{
    return MAX((int)lrint(value / unit) * unit, unit);
}

void paint_area_size(int picture_width, int picture_height, int unit, int *width, int *height)
{
    const double pixels = (double)*width * *height;
    const double scale = sqrt(pixels / ((double)picture_width * picture_height));

    // the wish's own proportions, but for less than a pixel
    if (fabs((double)picture_width * *height - (double)picture_height * *width) <
        MAX(*width, *height)) {
        return;
    }
    // as many pixels as were wished, in the picture's proportions
    *width = round_to(picture_width * scale, unit);
    *height = round_to(picture_height * scale, unit);
}

// a side of `length` around the middle of [start, start + old), inside [0, limit)
static void stretch(int *start, int *old, int length, int limit)
{
    const int middle = *start + *old / 2;

    *old = MIN(length, limit);
    *start = CLAMP(middle - *old / 2, 0, limit - *old);
}

struct paint_area paint_area_plan(const picture *mask, const struct paint_wish *wish)
{
    struct mask_box box = {0};
    const double s = wish->strength, shape = (double)wish->width / wish->height;

    mask_bounds(mask, &box);
    // the more is repainted and the larger the mask, the wider is the zone in which both mix
    const double diagonal = hypot(box.width, box.height);
    const int feather =
        wish->feather >= 0 ? wish->feather : (int)MAX(lrint(0.10 * s * diagonal), lrint(32 * s));
    const int grow = 4 + feather / 2;
    const int padding = feather + 4 + (int)ceil(0.06 * diagonal);
    double width = box.width + 2 * padding, height = box.height + 2 * padding;

    // nothing of the old picture shows the model what it is about, so it sees more around it
    if (s >= 1) {
        const double more = MAX(MAX(mask->width, mask->height) / 16.0, (width + height) / 4);
        width += 2 * more;
        height += 2 * more;
    }
    // never scaled up: a small mask is painted at the working size with its surroundings
    width = MAX(MAX(width, wish->width), height * shape);
    height = MAX(MAX(height, wish->height), width / shape);
    struct paint_area a = {.feather = feather,
                           .grow = grow,
                           .blend = MIN(BLEND_MAX, grow + feather / 2),
                           .context = box,
                           .width = wish->width,
                           .height = wish->height};
    stretch(&a.context.x, &a.context.width, (int)lrint(width), mask->width);
    stretch(&a.context.y, &a.context.height, (int)lrint(height), mask->height);
    paint_area_size(a.context.width, a.context.height, wish->unit, &a.width, &a.height);
    return a;
}
