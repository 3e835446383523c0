/* Colour profiles by LittleCMS; see picture_profile.h. Each call has a context of its own: nothing
 * is shared, and LittleCMS's own errors go nowhere but into the answer. */
#include "engine/picture/picture_profile.h"

#include "engine/base/error.h"

#include <lcms2.h>
#include <math.h>

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

// grey by sRGB's own curve
static cmsHPROFILE make_grey(cmsContext context)
{
    cmsToneCurve *curve =
        cmsBuildParametricToneCurve(context, picture_srgb_curve.kind, picture_srgb_curve.numbers);
    cmsHPROFILE grey = curve ? cmsCreateGrayProfileTHR(context, cmsD50_xyY(), curve) : NULL;

    if (curve) {
        cmsFreeToneCurve(curve);
    }
    return grey;
}

static void conversion_close(struct conversion *c)
{
    if (c->transform) {
        cmsDeleteTransform(c->transform);
    }
    if (c->own) {
        cmsCloseProfile(c->own);
    }
    if (c->srgb) {
        cmsCloseProfile(c->srgb);
    }
    if (c->context) {
        cmsDeleteContext(c->context);
    }
}

static bool conversion_open(struct conversion *c, GBytes *icc, enum picture_space space, bool back)
{
    const cmsUInt32Number formats[] = {TYPE_GRAY_FLT, TYPE_RGB_FLT, TYPE_CMYK_FLT};
    const cmsUInt32Number flags =
        // in floats, and without the tables of 8 and 16 bits that an optimised transform has
        cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOOPTIMIZE | cmsFLAGS_NOCACHE;

    *c = (struct conversion){.space = space, .back = back};
    c->context = cmsCreateContext(NULL, NULL);
    c->srgb = c->context ? cmsCreate_sRGBProfileTHR(c->context) : NULL;
    if (c->srgb) {
        // without a profile only grey needs one: its curve is sRGB's
        c->own = icc ? open_profile(c->context, icc) : make_grey(c->context);
    }
    if (c->own) {
        c->transform = cmsCreateTransformTHR(
            c->context, back ? c->srgb : c->own, back ? TYPE_RGB_FLT : formats[space],
            back ? c->own : c->srgb, back ? formats[space] : TYPE_RGB_FLT,
            INTENT_RELATIVE_COLORIMETRIC, flags);
    }
    // some profiles have no way back, or none at all: only trying tells
    if (!c->transform) {
        conversion_close(c);
    }
    return c->transform != NULL;
}

/* ---- what a profile is ---- */

static const char *space_problem(cmsHPROFILE profile, enum picture_space space)
{
    const cmsColorSpaceSignature found = cmsGetColorSpace(profile);
    static const cmsColorSpaceSignature wanted[] = {cmsSigGrayData, cmsSigRgbData, cmsSigCmykData};
    static const char *const problems[] = {"is for pictures of another kind, not for grey ones",
                                           "is for pictures of another kind, not for RGB",
                                           "is for pictures of another kind, not for CMYK"};

    return found == wanted[space] ? NULL : problems[space];
}

// whether the corners, the middles and the centre of its space become numbers
static bool makes_numbers(const struct conversion *c)
{
    float in[4] = {0}, out[3];
    bool finite = true;

    for (int i = 0; i < 81; i++) {
        // the digits of i in base 3 are 0, a half or 1 of each channel
        for (int k = 0, rest = i; k < 4; k++, rest /= 3) {
            in[k] = (float)(rest % 3) / 2 * (c->space == PICTURE_CMYK ? 100 : 1);
        }
        // tables may hold NaN, which no check of the header finds
        cmsDoTransform(c->transform, in, out, 1);
        finite = finite && isfinite(out[0]) && isfinite(out[1]) && isfinite(out[2]);
    }
    return finite;
}

bool picture_profile_check(GBytes *icc, enum picture_space space, const char **why)
{
    cmsContext context = cmsCreateContext(NULL, NULL);
    cmsHPROFILE profile = context ? open_profile(context, icc) : NULL;
    struct conversion c;

    *why = profile ? space_problem(profile, space) : "is damaged";
    if (profile) {
        cmsCloseProfile(profile);
    }
    if (context) {
        cmsDeleteContext(context);
    }
    if (*why) {
        return false;
    }
    *why = "is damaged";
    if (conversion_open(&c, icc, space, false)) {
        *why = makes_numbers(&c) ? NULL : *why;
        conversion_close(&c);
    }
    return *why == NULL;
}

bool picture_profile_goes_back(GBytes *icc, enum picture_space space)
{
    struct conversion c;

    if (!conversion_open(&c, icc, space, true)) {
        return false;
    }
    conversion_close(&c);
    return true;
}

/* ---- pictures ---- */

// n pixels with `channels` floats each to the packed values of LittleCMS; ink is told in percent
static void gather(const struct conversion *c, const float *from, int channels, float *to, int n)
{
    const bool grey = c->space == PICTURE_GREY && !c->back;
    const bool ink = c->space == PICTURE_CMYK;
    const int count = grey ? 1 : ink ? 4 : 3;

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < count; k++) {
            // grey pictures have three equal channels here, of which the first is taken
            to[count * i + k] = from[channels * i + k] * (ink ? 100 : 1);
        }
    }
}

// and back into the picture; false for values that are no numbers
static bool scatter(const struct conversion *c, const float *from, float *to, int channels, int n)
{
    const bool grey = c->space == PICTURE_GREY && c->back;
    bool finite = true;

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            const float value = grey ? from[i] : from[3 * i + k];
            finite = finite && isfinite(value);
            // colours outside of sRGB end at its border; alpha is not touched
            to[channels * i + k] = CLAMP(value, 0.0f, 1.0f);
        }
    }
    return finite;
}

static bool convert_row(const struct conversion *c, picture *p, int y)
{
    g_autofree float *in = g_new(float, (size_t)p->width * 4);
    g_autofree float *out = g_new(float, (size_t)p->width * 3);
    float *row = p->pixels + (size_t)p->width * p->channels * y;

    gather(c, row, p->channels, in, p->width);
    cmsDoTransform(c->transform, in, out, (cmsUInt32Number)p->width);
    return scatter(c, out, row, p->channels, p->width);
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

    if (!conversion_open(&c, icc, space, back)) {
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
    return g_bytes_new_take(data, size);
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
    if (one) {
        cmsFreeToneCurve(one);
    }
    return profile;
}

GBytes *picture_profile_make(enum picture_space space, const double xy[8],
                             const struct picture_curve *curve)
{
    cmsContext context = cmsCreateContext(NULL, NULL);
    cmsHPROFILE profile = context ? make(context, space, xy, curve) : NULL;
    GBytes *icc = profile ? save(profile) : NULL;

    if (profile) {
        cmsCloseProfile(profile);
    }
    if (context) {
        cmsDeleteContext(context);
    }
    return icc;
}
