/* profile.h: the colour profile of an image, as babl and LittleCMS compute with it.
 *
 * GIMP's library of colours is the same in 2.10 and 3; compiled once for each. */
#pragma once

#include <libgimp/gimp.h>
#include <stdbool.h>
#include <stddef.h>

/* The space of a profile that says its colours by a matrix and curves; NULL: sRGB, or a profile of
 * tables, which babl does not know. Owned by babl. */
const Babl *profile_space(GimpColorProfile *profile);

/* R'G'B'A numbers [n] of a profile of tables to those of sRGB, or back, in place: colorimetric,
 * with black kept black. Of other profiles nothing is changed, as their space says it all. */
void profile_to_srgb(GimpColorProfile *profile, float *pixels, size_t n);
void profile_from_srgb(GimpColorProfile *profile, float *pixels, size_t n);
