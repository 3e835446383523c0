/* layers_in.h: layers and masks of a GIMP as pictures.
 *
 * Pixels come as R'G'B' (and alpha), encoded as sRGB, whatever the layer's mode, precision and
 * profile are: babl converts. Masks come in their own encoding, so that a feathered edge keeps its
 * values: a selection is linear, a saved channel of an 8-bit image is not. */
#pragma once

#include "plugin/host.h"

#include "engine/picture/picture_exchange.h"

/* What the area (in the image's coordinates) of a layer looks like: with alpha where the layer has
 * alpha, and, if masked is true, an applied mask, which counts as alpha. Outside the layer:
 * transparent. NULL with a sentence when the area is smaller than 8 pixels a side or all of it is
 * transparent. */
picture *layers_in_read(host_item layer, const struct host_area *area, bool masked, GError **error);

/* What `view`, an area of the image, holds of an item whose corner is at at's, as `format` floats,
 * scaled to [height, width]; outside the item 0. */
void layers_in_pixels(host_item item, const struct host_area *at, const struct host_area *view,
                      int width, int height, const Babl *format, float *to);

/* "Y' float", "Y~ float" or "Y float": how a mask itself is encoded, so that nothing is converted.
 */
const Babl *layers_in_mask_format(host_item item);

/* The values 0..1 of a channel, a mask or the selection in an area, [height, width]; `item`'s own
 * corner is at item_area's. g_free it; NULL without memory. */
float *layers_in_mask(host_item item, const struct host_area *item_area,
                      const struct host_area *area);

/* Values [height, width] of an area as a picture of one channel, cut to 0..1. Takes them; NULL,
 * where there was no memory for them, gives NULL with a sentence. */
picture *layers_in_one_channel(float *values, const struct host_area *area, GError **error);

/* The same of layers_in_mask. */
picture *layers_in_mask_picture(host_item item, const struct host_area *item_area,
                                const struct host_area *area, GError **error);

/* The smallest rectangle around all that is marked (what 8 bits would not round to 0) in a channel
 * or mask whose own rectangle is at item_area's; false when there is nothing. */
bool layers_in_bounds(host_item item, const struct host_area *item_area, struct host_area *bounds);

/* The rectangle around what is selected, by the selection or by the quick mask; false when nothing
 * is. */
bool layers_in_selection(host_image image, struct host_area *area);

/* What two rectangles share; false when nothing. */
bool layers_in_intersect(const struct host_area *a, const struct host_area *b,
                         struct host_area *shared);
