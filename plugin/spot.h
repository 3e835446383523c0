/* spot.h: where something is in a picture, by the name that people give it.
 *
 *   left                     a channel of the image: where it is white
 *   selection                what is selected
 *   layer NAME               where a layer of the image is opaque and its mask, if any, white
 *   left half, top half ...  a part of the picture
 *
 * A channel of the name comes first, whatever it is called. Parts need no image. */
#pragma once

#include "plugin/host.h"

struct spot {
    host_item item; // HOST_NONE: a part
    bool is_layer;
    double left, top, right, bottom; // of a part: shares of the frame
};

/* The place with this name; false when there is none. */
bool spot_find(host_image image, const char *name, struct spot *p);

/* The names of all places of an image: parts, the selection, channels, layers. g_strfreev it. */
char **spot_names(host_image image);

/* What people read of a place that there is or was. g_free it. */
char *spot_label(host_image image, const char *name);

/* The values 0..1 of a place in the area `view` of the image, [height, width], scaled to that size.
 * Parts are those of `frame`; what is beside it belongs to the part that is nearer. g_free it;
 * NULL without memory. */
float *spot_mask(const struct spot *p, const struct host_area *frame, const struct host_area *view,
                 int width, int height);
