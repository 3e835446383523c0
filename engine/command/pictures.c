/* Commands that draw; see pictures.h. */
#include "engine/command/pictures.h"

#include "engine/command/picture_settings.h"

#include "engine/base/error.h"
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

    if (!picture_check_name(output, error)) {
        return false;
    }
    // a default is no reason to complain: only what was asked for has to make sense
    if (given_has(&d->common.given, "quality") && !picture_name_is_lossy(output)) {
        return error_usage(
            error, "--quality goes with .jpg and .webp, and --output is '%s'; leave it out.",
            output);
    }
    return preview == NULL || picture_check_name(preview, error);
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

static bool guard_results(const struct pictures *d, output_guard *g, GError **error)
{
    bool good = true;

    for (int i = 0; i < d->common.wanted && good; i++) {
        g_autofree char *path = output_name(text(d, "output"), i, d->common.wanted);
        good = output_guard_writes(g, "--output", path, error);
    }
    return good;
}

// one a step
static bool guard_previews(const struct pictures *d, output_guard *g, int steps, GError **error)
{
    const char *pattern = text(d, "preview");
    // steps are thousands at the most, so each name is asked for
    g_autofree char *before = NULL;
    bool good = true;

    for (int step = 1; pattern != NULL && step <= steps && good; step++) {
        g_autofree char *path = output_name(pattern, step, 1);
        if (g_strcmp0(path, before) != 0) { // a pattern without a number is one file
            good = output_guard_writes(g, "--preview", path, error);
        }
        g_free(before);
        before = g_steal_pointer(&path);
    }
    return good;
}

bool pictures_check_overwrites(const struct pictures *d, output_guard *g, int steps, GError **error)
{
    return guard_results(d, g, error) && guard_previews(d, g, steps, error) &&
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
    command_tell_device(&d->common, d->session);
    if (!given_has(&d->common.given, "seed")) {
        report_note(d->common.report, "seed %" G_GUINT64_FORMAT, d->common.seed);
    }
}

svdiff *pictures_open(struct pictures *d, GError **error)
{
    d->session = kept_model_open(d->common.caller->kept, &d->common.session, error);
    return d->session;
}

// accepts a session that was never opened
void pictures_close(struct pictures *d)
{
    kept_model_close(d->common.caller->kept, d->session);
}

// made: how; a file's name, which is in it, can be any bytes, a text of a picture cannot
static bool write_result(struct pictures *d, const char *path, const picture *p, const char *made,
                         GError **error)
{
    g_autofree char *valid = g_utf8_make_valid(made, -1);
    const struct picture_text texts[] = {{PICTURE_SETTINGS_KEY, valid}};
    const struct picture_writing w = {(int)given_number(&d->common.given, "quality"), texts,
                                      G_N_ELEMENTS(texts)};

    if (p->channels == 4 && !picture_name_has_alpha(path)) {
        report_warning(d->common.report,
                       "%s: a JPEG cannot be clear; what is clear is white in it.", path);
    }
    return picture_write_with(path, p, &w, error);
}

bool pictures_know_model(struct pictures *d, GError **error)
{
    // without subjects nobody asked for it so far: drawing needs none
    return session_hashes(d->session, MODEL_HASH_BASE, command_progress, &d->common, error) != NULL;
}

bool pictures_write(struct pictures *d, int index, const picture *p, const char *made,
                    GError **error)
{
    g_autofree char *path = output_name(text(d, "output"), d->first + index, d->common.wanted);

    if (!write_result(d, path, p, made, error)) {
        return false;
    }
    command_wrote(&d->common, path); // it stays, however the run goes on
    return true;
}

bool pictures_take(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    struct pictures *d = user;

    if (!pictures_know_model(d, error)) {
        return false;
    }
    g_autofree char *made = d->describe(d, d->session, index, seed, p);
    return pictures_write(d, index, p, made, error);
}
