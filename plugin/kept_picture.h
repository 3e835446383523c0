/* kept_picture.h: a picture of the history goes into an image, and out again. */
#pragma once

#include "plugin/history.h"

/* Adds the picture as a layer right above `below`, at its place, or at the image's corner where
 * that lies outside of it; in one undo step. image HOST_NONE: a new one. HOST_NONE with a sentence.
 */
host_item kept_picture_apply(const char *folder, const char *name, host_image image,
                             host_item below, GError **error);

/* Takes the layers that show one of these pictures, and were not changed, out of their images: one
 * undo step for each image. How many. */
int kept_picture_take_out(char *const *names);

/* "a fox in the snow (seed 7)", or without a seed; g_free it. */
char *kept_picture_title(const struct history_entry *entry);
