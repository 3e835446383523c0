/* picture_exchange.h: pictures from one process to another: TIFF files of floats, so that nothing
 * of them is lost, written and read by libtiff alone.
 *
 * The plug-in hands layers to the command in them and gets results back; picture_read and
 * picture_write know more formats, and bring their libraries. */
#pragma once

#include "engine/picture/picture.h"

/* Whole or not at all. */
bool picture_exchange_write(const char *path, const picture *p, GError **error);

/* In sRGB; owned by the caller, NULL with a sentence. */
picture *picture_exchange_read(const char *path, GError **error);
