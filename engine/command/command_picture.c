/* What commands say of pictures and how they write them. */
#include "engine/command/command.h"

#include "engine/base/error.h"

// a default is no reason to complain: only what was asked for has to make sense
bool command_check_quality(const struct command *c, const char *output, GError **error)
{
    if (!given_has(&c->given, "quality") || picture_name_is_lossy(output)) {
        return true;
    }
    return error_usage(
        error, "--quality goes with .jpg and .webp, and --output is '%s'; leave it out.", output);
}

void command_tell_init(struct command *c, const char *file, const picture *p, const char *output,
                       bool painting)
{
    // what was lost in reading comes first, then what will be in writing
    if (picture_warning(p) != NULL) {
        report_warning(c->report, "%s", picture_warning(p));
    }
    if (picture_was_cmyk(p)) {
        report_warning(c->report, "%s is a CMYK picture; what is made of it is RGB, in sRGB.",
                       file);
    }
    // what is painted into a picture has its colours (picture_origin.h)
    if (painting && picture_was_grey(p)) {
        report_note(c->report,
                    "%s is grey, and so is what is painted into it; save it as RGB for colours.",
                    file);
    }
    if (painting && picture_name_is_lossy(output)) {
        report_note(c->report,
                    "%s: this format also changes what is not painted a little; .png and .tif "
                    "keep it as it is.",
                    output);
    }
}

bool command_write_picture(struct command *c, const char *path, const picture *p, int quality,
                           const char *text, GError **error)
{
    // the key that programs of Stable Diffusion look for
    const struct picture_text texts[] = {{"parameters", text}};
    const struct picture_writing w = {quality, texts, G_N_ELEMENTS(texts)};

    if (p->channels == 4 && !picture_name_has_alpha(path)) {
        report_warning(c->report, "%s: a JPEG cannot be clear; what is clear is white in it.",
                       path);
    }
    return picture_write_with(path, p, &w, error);
}
