/* The colour profile of an image; see profile.h. Most profiles are a matrix and curves: the formats
 * of GIMP's buffers then have that space, and babl converts. Those of printers and scanners are
 * tables: their numbers are read as they are and go through LittleCMS, which GIMP's library asks.
 */
#include "plugin/profile.h"

const Babl *profile_space(GimpColorProfile *profile)
{
    return profile != NULL ? gimp_color_profile_get_space(
                                 profile, GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC, NULL)
                           : NULL;
}

static bool has_tables(GimpColorProfile *profile)
{
    return profile != NULL && gimp_color_profile_is_rgb(profile) && profile_space(profile) == NULL;
}

static void convert(GimpColorProfile *from, GimpColorProfile *to, float *pixels, size_t n)
{
    const Babl *format = babl_format("R'G'B'A float");
    GimpColorTransform *transform = gimp_color_transform_new(
        from, format, to, format, GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC,
        GIMP_COLOR_TRANSFORM_FLAGS_BLACK_POINT_COMPENSATION |
            GIMP_COLOR_TRANSFORM_FLAGS_NOOPTIMIZE);

    if (transform != NULL) { // NULL: the same profile, or one that cannot be used
        gimp_color_transform_process_pixels(transform, format, pixels, format, pixels, n);
        g_object_unref(transform);
    }
}

void profile_to_srgb(GimpColorProfile *profile, float *pixels, size_t n)
{
    if (has_tables(profile)) {
        g_autoptr(GObject) srgb = G_OBJECT(gimp_color_profile_new_rgb_srgb());
        convert(profile, GIMP_COLOR_PROFILE(srgb), pixels, n);
    }
}

void profile_from_srgb(GimpColorProfile *profile, float *pixels, size_t n)
{
    if (has_tables(profile)) {
        g_autoptr(GObject) srgb = G_OBJECT(gimp_color_profile_new_rgb_srgb());
        convert(GIMP_COLOR_PROFILE(srgb), profile, pixels, n);
    }
}
