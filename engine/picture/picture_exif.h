/* picture_exif.h: the texts of a picture as EXIF data, for formats that have no other place. */
#pragma once

#include "engine/base/regular_file.h"
#include "engine/picture/picture.h"

/* A block of at most `most` bytes that begins with its byte order mark: the texts as the user
 * comment, the only one alone, several as "key: value" paragraphs; what does not fit is cut off.
 * Owned by the caller; NULL without texts. */
GBytes *picture_exif_texts(const struct picture_text *texts, size_t n_texts, size_t most);

/* The user comment of a JPEG or WebP file, UTF-8, owned by the caller. NULL without an error where it has none
 * or is no such file; with a sentence where it is cut off, or what it has is too long or no text. */
char *picture_exif_read(const struct regular_file *file, GError **error);
