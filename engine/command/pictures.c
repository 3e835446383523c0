/* Commands that draw; see pictures.h. */
#include "engine/command/pictures.h"

#include "engine/base/output_name.h"
#include "engine/session/session.h"

static const char *text(const struct pictures *d, const char *option)
{
    return given_text(&d->common.given, option);
}

bool pictures_check_usage(const struct pictures *d, GError **error)
{
    // known formats, before anything is read
    const char *output = text(d, "output"), *preview = text(d, "preview");

    return picture_check_name(output, error) && command_check_quality(&d->common, output, error) &&
           (preview == NULL || picture_check_name(preview, error));
}

bool pictures_check_files(const struct pictures *d, GError **error)
{
    const char *pattern = text(d, "preview");
    // one of several names is enough: they are in one folder
    g_autofree char *first = output_name(text(d, "output"), 0, d->common.wanted);
    g_autofree char *preview = pattern != NULL ? output_name(pattern, 1, 1) : NULL;

    return output_check(first, error) && output_check(preview, error) &&
           output_check(text(d, "trace"), error);
}

bool pictures_check_overwrites(const struct pictures *d, output_guard *g, int steps, GError **error)
{
    return command_guard_pictures(g, "--output", text(d, "output"), d->common.wanted, error) &&
           command_guard_previews(g, text(d, "preview"), steps, error) &&
           output_guard_writes(g, "--trace", text(d, "trace"), error);
}

void pictures_set_seed(const struct pictures *d, uint64_t *seed)
{
    if (!given_has(&d->common.given, "seed")) {
        // drawn when the command began: the same before and after the model is opened
        *seed = d->common.seed;
    }
}

void pictures_tell_chosen(struct pictures *d)
{
    command_tell_precision(&d->common, d->session);
    if (!given_has(&d->common.given, "seed")) {
        report_note(d->common.report, "seed %" G_GUINT64_FORMAT, d->common.seed);
    }
}

svdiff *pictures_open(struct pictures *d, GError **error)
{
    d->session = kept_model_open(d->common.caller->kept, &d->common.session, error);
    return d->session;
}

void pictures_close(struct pictures *d)
{
    kept_model_close(d->common.caller->kept, d->session);
}

bool pictures_take(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    struct pictures *d = user;
    g_autofree char *path = output_name(text(d, "output"), index, d->common.wanted);
    // the session has them already; of a model that stays they are remembered
    const bool known = session_hashes(d->session, NULL, NULL, error) != NULL;
    g_autofree char *made = known ? d->describe(user, d->session, index, seed, p) : NULL;
    const int quality = (int)given_number(&d->common.given, "quality");

    if (!known || !command_write_picture(&d->common, path, p, quality, made, error)) {
        return false;
    }
    // it is whole from here on, whatever comes
    command_wrote(&d->common, path);
    return true;
}
