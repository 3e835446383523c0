/* Colour profiles by LittleCMS; see picture_profile.h. Each call has a context of its own: nothing
 * is shared, and LittleCMS's own errors go nowhere but into the answer. */
#include "engine/picture/picture_profile.h"

#include "engine/base/error.h"

#include <lcms2.h>
#include <math.h>
#include <string.h>

// freed where they go out of sight, the last one first: profiles before their context
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(cmsContext, cmsDeleteContext, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(cmsHPROFILE, cmsCloseProfile, NULL)

#define LARGE (1u << 19) // pixels that are worth starting threads for

// a conversion that is open: its ends are closed with it
struct conversion {
    cmsContext context;
    cmsHPROFILE own, srgb;
    cmsHTRANSFORM transform;
    enum picture_space space;
    bool back;
};

const double picture_srgb_xy[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
const struct picture_curve picture_srgb_curve = {
    4, {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045}};

static cmsHPROFILE open_profile(cmsContext context, GBytes *icc)
{
    gsize size;
    const void *data = g_bytes_get_data(icc, &size);

    return size <= G_MAXUINT32 ? cmsOpenProfileFromMemTHR(context, data, (cmsUInt32Number)size)
                               : NULL;
}

// RGB of these chromaticities, or grey
static cmsHPROFILE make(cmsContext context, enum picture_space space, const double xy[8],
                        const struct picture_curve *curve)
{
    cmsToneCurve *one = cmsBuildParametricToneCurve(context, curve->kind, curve->numbers);
    cmsHPROFILE profile = NULL;

    if (one && space == PICTURE_GREY) {
        profile = cmsCreateGrayProfileTHR(context, cmsD50_xyY(), one);
    } else if (one) {
        const cmsCIExyY white = {xy[0], xy[1], 1};
        const cmsCIExyYTRIPLE primaries = {{xy[2], xy[3], 1}, {xy[4], xy[5], 1}, {xy[6], xy[7], 1}};
        cmsToneCurve *const curves[] = {one, one, one};
        profile = cmsCreateRGBProfileTHR(context, &white, &primaries, curves);
    }
    g_clear_pointer(&one, cmsFreeToneCurve); // the profile has copies
    return profile;
}

static void conversion_close(struct conversion *c)
{
    g_clear_pointer(&c->transform, cmsDeleteTransform);
    g_clear_pointer(&c->own, cmsCloseProfile);
    g_clear_pointer(&c->srgb, cmsCloseProfile);
    g_clear_pointer(&c->context, cmsDeleteContext);
}

// floats of a space in pixels of `channels`; what is more than its own is passed over
static cmsUInt32Number format_of(enum picture_space space, int channels)
{
    static const struct {
        cmsUInt32Number format;
        int channels;
    } formats[] = {{TYPE_GRAY_FLT, 1}, {TYPE_RGB_FLT, 3}, {TYPE_CMYK_FLT, 4}};

    return formats[space].format | EXTRA_SH(channels - formats[space].channels);
}

static const char *space_problem(cmsHPROFILE profile, enum picture_space space)
{
    static const struct {
        cmsColorSpaceSignature signature;
        const char *problem;
    } wanted[] = {
        [PICTURE_GREY] = {cmsSigGrayData, "is for pictures of another kind, not for grey ones"},
        [PICTURE_RGB] = {cmsSigRgbData, "is for pictures of another kind, not for RGB"},
        [PICTURE_CMYK] = {cmsSigCmykData, "is for pictures of another kind, not for CMYK"},
    };

    return cmsGetColorSpace(profile) == wanted[space].signature ? NULL : wanted[space].problem;
}

/* Between sRGB and the space of a profile, of pixels of `channels` on both sides. NULL, or what is
 * wrong with the profile, as the end of a sentence; nothing is open then. */
static const char *conversion_open(struct conversion *c, GBytes *icc, enum picture_space space,
                                   bool back, int channels)
{
    const cmsUInt32Number own = format_of(space, channels), srgb = format_of(PICTURE_RGB, channels);
    const cmsUInt32Number flags =
        // in floats, and without the tables of 8 and 16 bits that an optimised transform has
        cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOOPTIMIZE | cmsFLAGS_NOCACHE;

    *c = (struct conversion){.space = space, .back = back};
    c->context = cmsCreateContext(NULL, NULL);
    c->srgb = c->context ? cmsCreate_sRGBProfileTHR(c->context) : NULL;
    if (c->srgb) {
        // without a profile only grey needs one: its curve is sRGB's
        c->own = icc ? open_profile(c->context, icc)
                     : make(c->context, PICTURE_GREY, NULL, &picture_srgb_curve);
    }
    const char *problem = c->own ? space_problem(c->own, space) : "is damaged";
    if (!problem) {
        c->transform = cmsCreateTransformTHR(c->context, back ? c->srgb : c->own, back ? srgb : own,
                                             back ? c->own : c->srgb, back ? own : srgb,
                                             INTENT_RELATIVE_COLORIMETRIC, flags);
    }
    // some profiles have no way back, or none at all: only trying tells
    if (!c->transform) {
        conversion_close(c);
        return problem ? problem : "is damaged";
    }
    return NULL;
}

/* ---- what a profile is ---- */

// whether the corners, the middles and the centre of its space become numbers
static bool makes_numbers(const struct conversion *c)
{
    float pixel[4];
    bool finite = true;

    for (int i = 0; i < 81; i++) {
        // the digits of i in base 3 are 0, a half or 1 of each channel
        for (int k = 0, rest = i; k < 4; k++, rest /= 3) {
            pixel[k] = (float)(rest % 3) / 2 * (c->space == PICTURE_CMYK ? 100 : 1);
        }
        // tables may hold NaN, which no check of the header finds
        cmsDoTransform(c->transform, pixel, pixel, 1);
        finite = finite && isfinite(pixel[0]) && isfinite(pixel[1]) && isfinite(pixel[2]);
    }
    return finite;
}

bool picture_profile_check(GBytes *icc, enum picture_space space, const char **why)
{
    struct conversion c;

    *why = conversion_open(&c, icc, space, false, 4);
    if (!*why) {
        *why = makes_numbers(&c) ? NULL : "is damaged";
        conversion_close(&c);
    }
    return *why == NULL;
}

bool picture_profile_goes_back(GBytes *icc, enum picture_space space)
{
    struct conversion c;

    if (conversion_open(&c, icc, space, true, 4)) {
        return false;
    }
    conversion_close(&c);
    return true;
}

/* ---- pictures ---- */

/* In place, since a pixel has as many channels on both sides: of grey the first of three equal ones
 * counts, alpha stays. False for values that are no numbers. */
static bool convert_row(const struct conversion *c, picture *p, int y)
{
    float *row = p->pixels + (size_t)p->width * p->channels * y;
    bool finite = true;

    for (int i = 0; i < 4 * p->width && c->space == PICTURE_CMYK; i++) {
        row[i] *= 100; // LittleCMS is told ink in percent
    }
    cmsDoTransform(c->transform, row, row, (cmsUInt32Number)p->width);
    for (int i = 0; i < p->width; i++, row += p->channels) {
        for (int k = 0; k < 3; k++) {
            const float value = c->space == PICTURE_GREY && c->back ? row[0] : row[k];
            finite = finite && isfinite(value);
            // colours outside of sRGB end at its border
            row[k] = CLAMP(value, 0.0f, 1.0f);
        }
    }
    return finite;
}

// a conversion without a cache may be used by several threads
static bool convert(const struct conversion *c, picture *p, GError **error)
{
    const bool large = (size_t)p->width * p->height > LARGE;
    bool finite = true;

#pragma omp parallel for reduction(&& : finite) if (large)
    for (int y = 0; y < p->height; y++) {
        finite = convert_row(c, p, y) && finite;
    }
    if (!finite) {
        error_failed(
            error,
            "the colour profile makes values that are not numbers; save the picture as sRGB.");
    }
    return finite;
}

static void convert_plain_ink(picture *p)
{
    for (size_t i = 0, n = (size_t)p->width * p->height; i < n; i++) {
        float *pixel = p->pixels + 4 * i;
        for (int k = 0; k < 3; k++) {
            // no profile says what these inks look like: each takes its part of the light
            pixel[k] = (1 - pixel[k]) * (1 - pixel[3]);
        }
    }
}

// the rest of 4 channels of ink after 3 of them became colours
static void drop_fourth(picture *p)
{
    for (size_t i = 1, n = (size_t)p->width * p->height; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            p->pixels[3 * i + k] = p->pixels[4 * i + k];
        }
    }
    p->channels = 3;
}

static bool convert_all(GBytes *icc, enum picture_space space, bool back, picture *p,
                        GError **error)
{
    struct conversion c;

    if (conversion_open(&c, icc, space, back, p->channels)) {
        return error_failed(error, "the colour profile cannot be used; save the picture as sRGB.");
    }
    const bool done = convert(&c, p, error);
    conversion_close(&c);
    return done;
}

bool picture_profile_to_srgb(GBytes *icc, enum picture_space space, picture *p, GError **error)
{
    bool done = true;

    if (icc) {
        done = convert_all(icc, space, false, p, error);
    } else if (space == PICTURE_CMYK) {
        convert_plain_ink(p);
    }
    if (done && space == PICTURE_CMYK) {
        drop_fourth(p);
    }
    return done;
}

bool picture_profile_from_srgb(GBytes *icc, enum picture_space space, picture *p, GError **error)
{
    g_assert(space != PICTURE_CMYK);
    return (!icc && space == PICTURE_RGB) || convert_all(icc, space, true, p, error);
}

/* ---- making one ---- */

/* LittleCMS writes the clock's time into the header, at byte 24 as six big-endian 16-bit numbers
 * (ICC.1 7.2.10), so that one picture read twice would have two profiles. */
#define CREATED 24
static const guint8 created[12] = {2000 >> 8, 2000 & 255, 0, 1, 0, 1}; // 2000-01-01, 0:00:00

static GBytes *save(cmsHPROFILE profile)
{
    cmsUInt32Number size = 0;

    // asked for its size first
    if (!cmsSaveProfileToMem(profile, NULL, &size) || size == 0) {
        return NULL;
    }
    void *data = g_malloc(size);
    if (!cmsSaveProfileToMem(profile, data, &size)) {
        g_free(data);
        return NULL;
    }
    memcpy((guint8 *)data + CREATED, created, sizeof created);
    return g_bytes_new_take(data, size);
}

GBytes *picture_profile_make(enum picture_space space, const double xy[8],
                             const struct picture_curve *curve)
{
    g_auto(cmsContext) context = cmsCreateContext(NULL, NULL);
    g_auto(cmsHPROFILE) profile = context ? make(context, space, xy, curve) : NULL;

    return profile ? save(profile) : NULL;
}
