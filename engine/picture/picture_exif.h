/* picture_exif.h: the texts of a picture as EXIF data, for formats that have no other place. */
#pragma once

#include "engine/picture/picture.h"

/* A block of at most `most` bytes that begins with its byte order mark: the texts as the user
 * comment, the only one alone, several as "key: value" paragraphs; what does not fit is cut off.
 * Owned by the caller; NULL without texts. */
GBytes *picture_exif_texts(const struct picture_text *texts, size_t n_texts, size_t most);
