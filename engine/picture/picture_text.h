/* picture_text.h: what a picture file says in words: of a PNG file under a key, of a JPEG or WebP file in the
 * user comment of its EXIF data (picture_exif.h), which has none.
 *
 *   tEXt   KEY 0 text in Latin-1
 *   iTXt   KEY 0 0 0 language 0 translated key 0 text in UTF-8
 *
 * (the PNG specification, 11.3.3). Nothing else of the file is looked at, and nothing of its pixels. */
#pragma once

#include <glib.h>

/* The first text under the key, UTF-8, owned by the caller. NULL with a sentence for what is none of these, is cut
 * off, has no such text, or one that is compressed, too long or no text. */
char *picture_text_read(const char *path, const char *key, GError **error);
