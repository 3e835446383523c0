/* The pictures of --strip; see strip_draw.h. */
#include "engine/command/strip_draw.h"

#include "engine/base/error.h"
#include "engine/base/output_name.h"
#include "engine/command/made_text.h"
#include "engine/command/settings_text.h"
#include "engine/generate/strip_column.h"
#include "engine/generate/strip_sheet.h"

#include <string.h>

static const char *text(const struct pictures *d, const char *option)
{
    return given_text(&d->common.given, option);
}

int strip_files(const struct strip *s, const char *output, int count)
{
    return output_is_numbered(output) ? s->n * count : 1;
}

// what has no effect without another option would make all pictures the same
static bool check_partner(const struct strip *s, const struct pictures *d,
                          const struct svdiff_generate_options *o, GError **error)
{
    static const struct {
        const char *name, *with;
    } partners[] = {{"strength", "init-image"},
                    {"hires-strength", "hires"},
                    {"fill", "mask"},
                    {"feather", "mask"},
                    {"grow", "mask"}};

    for (size_t i = 0; i < G_N_ELEMENTS(partners); i++) {
        const char *with = partners[i].with;
        const bool painted = strcmp(with, "mask") == 0 && o->outpaint;
        if (strcmp(s->name, partners[i].name) == 0 && !painted &&
            !given_has(&d->common.given, with)) {
            return error_usage(error, "--strip varies %s, which goes with --%s; give that as well.",
                               s->name, with);
        }
    }
    return true;
}

bool strip_draw_check(const struct strip *s, const struct pictures *d,
                      const struct svdiff_generate_options *o, GError **error)
{
    // it is of one picture
    if (o->trace != NULL) {
        return error_usage(error, "--trace is of one picture; leave --strip out, or --trace.");
    }
    // sizes are the model's own, once it is known
    return strip_check(s, o, 8, error) && check_partner(s, d, o, error) &&
           (d->session == NULL || output_is_numbered(text(d, "output")) ||
            strip_sheet_check(s, o, error));
}

static bool take(void *user, const struct svdiff_generate_options *column, int index, uint64_t seed,
                 const picture *p, GError **error)
{
    struct pictures *d = user;

    if (!pictures_know_model(d, error)) {
        return false;
    }
    g_autofree char *made = made_text(column, d->session, seed, p);
    return pictures_write(d, index, p, made, error);
}

// how the pictures in it were made, and what differs
static bool write_sheet(struct pictures *d, const struct svdiff_generate_options *o,
                        const picture *sheet, GError **error)
{
    const picture one = {.width = o->init != NULL ? o->init->width : o->width,
                         .height = o->init != NULL ? o->init->height : o->height};

    if (!pictures_know_model(d, error)) {
        return false;
    }
    g_autofree char *made = made_text(o, d->session, o->seed, &one);
    g_autofree char *values = settings_text_quote(g_strdup(text(d, "strip")));
    g_autofree char *all = g_strconcat(made, ", Strip: ", values, NULL);
    return pictures_write(d, 0, sheet, all, error);
}

bool strip_draw(const struct strip *s, struct pictures *d, const struct svdiff_generate_options *o,
                GError **error)
{
    if (output_is_numbered(text(d, "output"))) {
        return strip_generate(d->session, s, o, take, command_progress, d, error);
    }
    g_autoptr(picture) sheet = strip_sheet(d->session, s, o, command_progress, d, error);
    return sheet != NULL && write_sheet(d, o, sheet, error);
}
