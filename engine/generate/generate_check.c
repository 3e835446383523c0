/* Whether the options of generating make sense by themselves; each refusal names its option. */
#include "engine/generate/generate_check.h"

#include <math.h>

#define SIDE_MAX     8192  // pixels
#define PROMPT_MAX   10000 // characters
#define COUNT_MAX    10000
#define GUIDANCE_MAX 1000
#define REGIONS_MAX  16

static bool check_size(const char *option, int size, int unit, GError **error)
{
    const int most = SIDE_MAX / unit * unit;
    const int below = CLAMP(size / unit * unit, unit, most);
    const int above = MIN(below + unit, most);

    if (size >= unit && size <= most && size % unit == 0) {
        return true;
    }
    if (size < unit || size > most) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "%s is %d; it can be from %d to %d and must be divisible by %d: the nearest "
                    "is %d.",
                    option, size, unit, most, unit, below);
        return false;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                "%s is %d; it must be divisible by %d: the nearest are %d and %d.", option, size,
                unit, below, above);
    return false;
}

static bool check_text(const char *option, const char *text, GError **error)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "The text of %s is not valid UTF-8; type it in a UTF-8 terminal.", option);
        return false;
    }
    if (g_utf8_strlen(text, -1) > PROMPT_MAX) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "The text of %s has more than %d characters; shorten it.", option, PROMPT_MAX);
        return false;
    }
    return true;
}

static bool check_int(const char *option, int value, int low, int high, GError **error)
{
    if (value >= low && value <= high) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, "%s is %d; it can be from %d to %d.",
                option, value, low, high);
    return false;
}

// not a number fails every comparison
static bool check_double(const char *option, double value, double low, double high, GError **error)
{
    if (value >= low && value <= high) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE, "%s is %g; it can be from %g to %g.",
                option, value, low, high);
    return false;
}

static bool check_scales(const struct svdiff_generate_options *o, GError **error)
{
    for (int i = 0; i < o->n_subjects; i++) {
        if (!isfinite(o->subjects[i].scale) || fabs(o->subjects[i].scale) > 1000) {
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                        "The scale of --subject %s is %g; it can be from -1000 to 1000.",
                        o->subjects[i].file, o->subjects[i].scale);
            return false;
        }
    }
    return true;
}

static bool check_regions(const struct svdiff_generate_options *o, GError **error)
{
    if (o->n_regions > REGIONS_MAX) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "There are %d --region; at most %d are possible.", o->n_regions, REGIONS_MAX);
        return false;
    }
    for (int i = 0; i < o->n_regions; i++) {
        if (!check_text("--region", o->regions[i].text, error)) {
            return false;
        }
    }
    return true;
}

bool generate_check(const struct svdiff_generate_options *o, int unit, GError **error)
{
    if (!(o->strength > 0 && o->strength <= 1)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--strength is %g; it must be above 0 and at most 1.", o->strength);
        return false;
    }
    return check_int("--steps", o->steps, 1, 1000000, error) &&
           check_int("--count", o->count, 1, COUNT_MAX, error) &&
           check_double("--guidance", o->guidance, 0, GUIDANCE_MAX, error) &&
           check_double("--eta", o->eta, 0, 1, error) &&
           check_int("--feather", o->feather, -1, SIDE_MAX, error) &&
           check_int("--grow", o->grow, 0, SIDE_MAX, error) && check_scales(o, error) &&
           check_regions(o, error) && check_size("--width", o->width, unit, error) &&
           check_size("--height", o->height, unit, error) &&
           check_text("--prompt", o->prompt, error) && check_text("--negative", o->negative, error);
}
