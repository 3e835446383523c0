/* kept_layer.h: which layer shows a picture of the history, and whether it still does.
 *
 * The layer carries the picture's name and a checksum of its pixels, its mask and its place, so
 * that it is known again in another dialog, and in an image that was saved and opened. */
#pragma once

#include "plugin/host.h"

/* Says that a layer, which is not part of its image yet, shows this picture. mask: what will be its
 * mask, or HOST_NONE. */
void kept_layer_mark(host_item layer, host_item mask, const char *name);

/* The layers of all images that say so of one of these pictures, and whose pixels, mask and place
 * are as they were. Of host_item. */
GArray *kept_layer_find(char *const *names);
