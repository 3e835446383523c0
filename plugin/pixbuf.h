/* pixbuf.h: pictures of 8 bits, for the eye and for PNG files that are kept. */
#pragma once

#include "engine/svdiff.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

// one text that a PNG file carries. key: 1 to 79 ASCII characters; value: UTF-8
struct pixbuf_text {
    const char *key, *value;
};

/* The picture (3 or 4 channels) in 8 bits, rounded to nearest. g_object_unref it. */
GdkPixbuf *pixbuf_of(const svdiff_picture *p);

/* And back; NULL with an error without memory. */
svdiff_picture *pixbuf_picture(const GdkPixbuf *pixbuf, GError **error);

/* A PNG file, whole or not at all. */
bool pixbuf_write(const char *path, GdkPixbuf *pixbuf, const struct pixbuf_text *texts, int n,
                  GError **error);

/* Any picture file that GIMP's toolkit knows. NULL with a sentence. */
GdkPixbuf *pixbuf_read(const char *path, GError **error);

/* A text of a PNG file that was read; NULL: it has none. Borrowed. */
const char *pixbuf_text(GdkPixbuf *pixbuf, const char *key);
