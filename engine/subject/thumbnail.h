/* thumbnail.h: the small picture of a subject that its file carries.
 *
 *   the square that is learned of its first picture, THUMBNAIL_SIDE pixels a side
 *   -> PNG of 8 bits -> base64 -> the file's text "preview"
 *
 * It depends on the picture and its masks alone, so that the file of a resumed run is that of an
 * uninterrupted one. It is read back by svdiff_subject_preview (engine/svdiff.h). */
#pragma once

#include "engine/picture/picture.h"

#define THUMBNAIL_KEY  "preview" // in a subject file's metadata
#define THUMBNAIL_SIDE 64

/* Of a picture of 3 channels, around what `marked` (1 channel, of its size) marks, or its middle
 * when that is NULL. base64, owned by the caller; NULL with an error. */
char *thumbnail_encode(const picture *image, const picture *marked, GError **error);

/* The picture in a text of the file `path`, owned by the caller; NULL with a sentence for what is
 * none, or a larger one than any preview. */
picture *thumbnail_decode(const char *text, const char *path, GError **error);
