/* Whether the options of generating make sense by themselves; each refusal names its option. */
#include "engine/generate/generate_check.h"

#include "engine/adapter/adapter_list.h"
#include "engine/base/error.h"
#include "engine/generate/hires.h"
#include "engine/options/option.h"
#include "engine/sampler/sampler.h"
#include "engine/text/prompt.h"
#include "engine/subject/subject_part.h"
#include "engine/text/prompt_parts.h"

#include <math.h>

// each is a text more in every attention
#define REGIONS_MAX 16

static bool check_scales(const struct svdiff_generate_options *o, GError **error)
{
    for (int i = 0; i < o->n_subjects; i++) {
        struct subject_part part;
        const bool good = subject_part_parse(o->subjects[i].part, &part, error);

        subject_part_clear(&part);
        if (!good) {
            return false;
        }
        if (!isfinite(o->subjects[i].scale) || fabs(o->subjects[i].scale) > 1000) {
            return error_usage(error,
                               "The scale of --subject %s is %g; it can be from -1000 to 1000.",
                               o->subjects[i].file, o->subjects[i].scale);
        }
    }
    return true;
}

// in the syntax of prompt_parts.h
static bool check_prompt(const char *option, const char *text, GError **error)
{
    g_autoptr(GArray) parts =
        prompt_check(option, text, error) ? prompt_parts(option, text, error) : NULL;

    return parts != NULL;
}

static bool check_regions(const struct svdiff_generate_options *o, GError **error)
{
    if (o->n_regions > REGIONS_MAX) {
        return error_usage(error, "There are %d --region; at most %d are possible.", o->n_regions,
                           REGIONS_MAX);
    }
    for (int i = 0; i < o->n_regions; i++) {
        if (!check_prompt("--region", o->regions[i].text, error)) {
            return false;
        }
    }
    return true;
}

/* diffusers draws this sampler's noise from a tree of torchsde's, which no seed of a pipeline reaches. */
static bool check_noise(const struct svdiff_generate_options *o, GError **error)
{
    return o->noise != SVDIFF_NOISE_TORCH || o->sampler != SAMPLER_DPMPP_SDE ||
           error_usage(error,
                       "--noise torch does not go with --sampler dpmpp-sde, for which diffusers "
                       "takes no seed; use dpmpp-2m-sde.");
}

// a part of a picture has no other side
static bool check_tile(const struct svdiff_generate_options *o, GError **error)
{
    return !o->tile || o->mask == NULL ||
           error_usage(error, "--tile is of whole pictures; leave it out where a part is painted.");
}

static bool check_hires(const struct svdiff_generate_options *o, int unit, GError **error)
{
    // of both: no memory has room for a picture of them
    const int most = (int)option_find(&options_of_generate, "width")->high;
    int width, height;

    hires_size(o, unit, &width, &height);
    if (o->hires > 1 && o->init != NULL) {
        return error_usage(error, "--hires begins with a text alone; leave --init-image out.");
    }
    if (o->hires > 1 &&
        !sampler_check_strength("--hires-strength", o->hires_strength, o->steps, error)) {
        return false;
    }
    return o->hires <= 1 || (width <= most && height <= most) ||
           error_usage(error, "--hires %g makes %dx%d of %dx%d; at most %d a side are possible.",
                       o->hires, width, height, o->width, o->height, most);
}

bool generate_check(const struct svdiff_generate_options *o, int unit, GError **error)
{
    // sizes need the model's unit, which the table of options does not know
    const struct option *width = option_find(&options_of_generate, "width");
    const struct option *height = option_find(&options_of_generate, "height");

    return options_check(&options_of_generate, o, error) && check_scales(o, error) &&
           adapter_check_strengths(o->adapters, o->n_adapters, error) && check_noise(o, error) &&
           check_tile(o, error) && check_hires(o, unit, error) && check_regions(o, error) &&
           option_check_pixels(width, o->width, unit, error) &&
           option_check_pixels(height, o->height, unit, error) &&
           check_prompt("--prompt", o->prompt, error) &&
           check_prompt("--negative", o->negative, error);
}
