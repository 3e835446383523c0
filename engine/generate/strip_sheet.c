/* Drawing a strip; see strip_sheet.h. A picture of it is drawn as it would be alone. */
#include "engine/generate/strip_sheet.h"

#include "engine/generate/generate_devices.h"
#include "engine/generate/hires.h"
#include "engine/generate/strip_column.h"
#include "engine/picture/sheet.h"
#include "engine/session/session.h"

/* ---- one after the other ---- */

// all of them, for whoever takes what is drawn
struct columns {
    const struct strip *strip;
    const struct svdiff_generate_options *options;
    strip_take take;
    progress_function progress; // may be NULL
    void *user;
};

// one of them, as a device draws it
struct column {
    int first; // number of its first picture
    svdiff_take take;
    progress_function progress;
    void *user;
};

static bool tell_column(void *user, const struct progress *p)
{
    const struct column *c = user;

    return c->progress == NULL || c->progress(c->user, p);
}

static bool take_row(void *user, int row, uint64_t seed, const picture *p, GError **error)
{
    const struct column *c = user;

    return c->take(c->user, c->first + row, seed, p, error);
}

// with all its pictures, whatever the session's share of the columns is
static bool draw_column(svdiff *s, const struct svdiff_generate_options *options,
                        struct column *column, GError **error)
{
    struct svdiff_generate_options o = *options;
    const int share = s->share, shares = s->shares;

    o.preview = share > 0 ? NULL : o.preview; // one is shown
    s->share = s->shares = 0;
    const bool done = generate_alone(s, &o, take_row, tell_column, column, error);
    s->share = share;
    s->shares = shares;
    return done;
}

// a device's part of the columns
static bool draw_columns(svdiff *s, const void *what, svdiff_take take, progress_function progress,
                         void *user, GError **error)
{
    const struct columns *all = what;
    // one model for all, where it is the same
    const bool keeps = session_keep_begin(s, !strip_changes_weights(all->strip));
    bool done = true;

    for (int i = s->share; i < all->strip->n && done; i += session_shares(s)) {
        struct strip_column c;
        struct column column = {i * all->options->count, take, progress, user};
        done = strip_column_make(all->strip, i, all->options, &c, error) &&
               draw_column(s, &c.options, &column, error);
        strip_column_clear(&c);
    }
    session_keep_end(s, keeps);
    return done;
}

static bool tell(void *user, const struct progress *p)
{
    const struct columns *all = user;

    return all->progress == NULL || all->progress(all->user, p);
}

static bool hand_over(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    const struct columns *all = user;
    struct strip_column c;
    const bool taken =
        strip_column_make(all->strip, index / all->options->count, all->options, &c, error) &&
        all->take(all->user, &c.options, index, seed, p, error);

    strip_column_clear(&c);
    return taken;
}

bool strip_generate(svdiff *s, const struct strip *strip,
                    const struct svdiff_generate_options *options, strip_take take,
                    progress_function progress, void *user, GError **error)
{
    struct columns all = {strip, options, take, progress, user};
    const struct generate_work work = {draw_columns, &all};

    return generate_on_devices(s, generate_devices(s, options, strip->n), &work, hand_over, tell,
                               &all, error);
}

/* ---- side by side ---- */

// the pictures as they come
struct cells {
    int columns, rows;
    picture **all; // [rows, columns], owned
    progress_function progress;
    void *user;
};

bool strip_sheet_check(const struct strip *strip, const struct svdiff_generate_options *options,
                       GError **error)
{
    int width, height, w, h;

    hires_size(options, 8, &width, &height);
    return sheet_size(width, height, strip->n, options->count, &w, &h, error);
}

static bool tell_of_cells(void *user, const struct progress *p)
{
    const struct cells *c = user;

    return c->progress == NULL || c->progress(c->user, p);
}

static bool keep(void *user, const struct svdiff_generate_options *column, int index, uint64_t seed,
                 const picture *p, GError **error)
{
    const struct cells *c = user;
    picture **place = &c->all[index % c->rows * c->columns + index / c->rows];

    *place = picture_copy(p, error);
    return *place != NULL;
}

static picture *put_together(const struct strip *strip, const struct cells *c, GError **error)
{
    g_auto(GStrv) labels = g_new0(char *, strip->n + 1);

    for (int i = 0; i < strip->n; i++) {
        labels[i] = strip_label(strip, i);
    }
    return sheet_create((const picture *const *)c->all, c->columns, c->rows,
                        (const char *const *)labels, error);
}

picture *strip_sheet(svdiff *s, const struct strip *strip,
                     const struct svdiff_generate_options *options, progress_function progress,
                     void *user, GError **error)
{
    const int n = strip->n * options->count;
    struct cells c = {strip->n, options->count, g_new0(picture *, n), progress, user};
    const bool drawn = strip_sheet_check(strip, options, error) &&
                       strip_generate(s, strip, options, keep, tell_of_cells, &c, error);
    picture *sheet = drawn ? put_together(strip, &c, error) : NULL;

    for (int i = 0; i < n; i++) {
        picture_free(c.all[i]);
    }
    g_free(c.all);
    return sheet;
}
