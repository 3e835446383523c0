/* picture_profile.h: colour profiles (ICC) by LittleCMS: from a picture's own space to the working
 * space, sRGB, and back.
 *
 * Relative colorimetric with black point compensation, both ways: white stays white and black
 * black, colours that both spaces have keep their appearance, and what was converted comes back as
 * it was; perceptual tables differ from maker to maker and do not. Floats on both sides, so that 16
 * bits stay exact; what sRGB does not have is cut off at 0 and 1. */
#pragma once

#include "engine/picture/picture.h"

// the kinds of pixels that a file has
enum picture_space { PICTURE_GREY, PICTURE_RGB, PICTURE_CMYK };

/* Whether a profile can be used for such pixels. If not, why, as the end of a sentence, "is ...".
 */
bool picture_profile_check(GBytes *icc, enum picture_space space, const char **why);

/* Whether colours can be converted into this space, too: some profiles of scanners and cameras tell
 * only the way out of it. */
bool picture_profile_goes_back(GBytes *icc, enum picture_space space);

/* Converts the colours of a picture to sRGB, in place. Grey pictures have three equal channels;
 * CMYK: 4 channels of ink, 0 none and 1 all, of which 3 of colour are left. Alpha stays. icc NULL:
 * grey as sRGB has it; CMYK as (1 - c) (1 - k); RGB is sRGB already. False with an error where the
 * values that come out are no numbers. */
bool picture_profile_to_srgb(GBytes *icc, enum picture_space space, picture *p, GError **error);

/* The other way, for grey and RGB. */
bool picture_profile_from_srgb(GBytes *icc, enum picture_space space, picture *p, GError **error);

// a curve from sample to light: LittleCMS's parametric curve `kind` and its numbers
struct picture_curve {
    int kind;
    double numbers[5];
};

// sRGB's own: chromaticities x, y of white, red, green, blue, and its curve
extern const double picture_srgb_xy[8];
extern const struct picture_curve picture_srgb_curve;

/* A profile of such chromaticities (RGB; grey has none) and a curve. Owned by the caller; NULL
 * where they make no sense. */
GBytes *picture_profile_make(enum picture_space space, const double xy[8],
                             const struct picture_curve *curve);
