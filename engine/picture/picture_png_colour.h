/* picture_png_colour.h: how a PNG file says what its colours are, read and written; for
 * picture_png*.c alone. What comes first counts (PNG, third edition, 4.3): cICP, iCCP, sRGB, gAMA
 * with or without cHRM. */
#pragma once

#include "engine/picture/picture_origin.h"

#include <png.h>

/* Before anything is read: makes libpng hand the chunks of colours over as they are. What it makes
 * of them differs from version to version, and one that it does not like spoils the others. */
void picture_png_keep_colours(png_structp png);

/* After the header was read: fills the origin of the picture. bad_profile: libpng could not read a
 * profile's chunk. */
void picture_png_read_colours(png_structp png, png_infop info, picture *p, const char *path,
                              bool bad_profile);

/* What an iCCP chunk holds: NULL where the chunks of the file say the colours without one. Owned by
 * the caller. */
GBytes *picture_png_profile(GBytes *icc, const struct picture_chunks *chunks);

/* Behind the header that was written, before the pixels. With libpng's jump on errors. */
void picture_png_write_colours(png_structp png, const struct picture_chunks *chunks,
                               GBytes *profile);
