/* Drawing a strip; see strip_sheet.h. A picture of it is drawn as it would be alone. */
#include "engine/generate/strip_sheet.h"

#include "engine/generate/hires.h"
#include "engine/generate/strip_column.h"
#include "engine/picture/sheet.h"

/* ---- one after the other ---- */

// of one column
struct drawn {
    const struct svdiff_generate_options *options;
    int column;
    strip_take take;
    progress_function progress; // may be NULL
    void *user;
};

static bool tell(void *user, const struct progress *p)
{
    const struct drawn *d = user;

    return d->progress == NULL || d->progress(d->user, p);
}

static bool hand_over(void *user, int row, uint64_t seed, const picture *p, GError **error)
{
    const struct drawn *d = user;

    return d->take(d->user, d->options, d->column * d->options->count + row, seed, p, error);
}

bool strip_generate(svdiff *s, const struct strip *strip,
                    const struct svdiff_generate_options *options, strip_take take,
                    progress_function progress, void *user, GError **error)
{
    bool done = true;

    for (int i = 0; i < strip->n && done; i++) {
        struct strip_column c;
        struct drawn d = {
            .options = &c.options, .column = i, .take = take, .progress = progress, .user = user};
        done = strip_column_make(strip, i, options, &c, error) &&
               svdiff_generate(s, &c.options, hand_over, tell, &d, error);
        strip_column_clear(&c);
    }
    return done;
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
    picture **cell = &c->all[index % c->rows * c->columns + index / c->rows];

    *cell = picture_copy(p, error);
    return *cell != NULL;
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
