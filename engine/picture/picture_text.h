/* picture_text.h: what a PNG file says in words, under a key.
 *
 *   tEXt   KEY 0 text in Latin-1
 *   iTXt   KEY 0 0 0 language 0 translated key 0 text in UTF-8
 *
 * (the PNG specification, 11.3.3). Nothing else of the file is looked at, and nothing of its pixels. */
#pragma once

#include <glib.h>

/* The first text under the key, UTF-8, owned by the caller. NULL with a sentence for what is no PNG, is cut
 * off, has no such text, or one that is compressed, too long or no text. */
char *picture_text_read(const char *path, const char *key, GError **error);
