/* Alignments as figures; see alignment.h.
 *
 *   along something   a line of image alignments and a fainter one of text alignments for each name
 *   else              image above text alignment, a colour and form a name, or each point with its name
 *   without texts     a row a point: its image alignment
 *
 * All with their 95 % intervals, which a point of one picture has not. */
#include "engine/evaluate/alignment.h"

#include "engine/plot/plot.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define IMAGE "image alignment"
#define TEXT  "text alignment"

// points that are drawn alike
struct group {
    const char *name;  // NULL: of all of them
    GPtrArray *points; // struct alignment_point *, borrowed
};

struct figure {
    const struct alignment *alignment;
    GArray *groups;    // struct group
    GArray *series;    // struct plot_series
    GPtrArray *memory; // what these borrow
};

/* ---- groups ---- */

static const struct alignment_point *point_at(const struct alignment *a, guint i)
{
    return &g_array_index(a->points, struct alignment_point, i);
}

static const struct group *group_at(const struct figure *f, guint i)
{
    return &g_array_index(f->groups, struct group, i);
}

// the group of a name, new where no point before had it
static const struct group *group_called(struct figure *f, const char *name)
{
    for (guint i = 0; i < f->groups->len; i++) {
        if (g_strcmp0(group_at(f, i)->name, name) == 0) {
            return group_at(f, i);
        }
    }
    const struct group new = {name, g_ptr_array_new()};
    g_array_append_val(f->groups, new);
    return group_at(f, f->groups->len - 1);
}

static int by_place(const void *a, const void *b)
{
    const struct alignment_point *x = *(const struct alignment_point *const *)a;
    const struct alignment_point *y = *(const struct alignment_point *const *)b;

    return x->place < y->place ? -1 : x->place > y->place ? 1 : 0;
}

static void take_groups(struct figure *f)
{
    const struct alignment *a = f->alignment;
    bool named = false;

    for (guint i = 0; i < a->points->len; i++) {
        named = named || point_at(a, i)->named;
    }
    for (guint i = 0; i < a->points->len; i++) {
        const struct group *g = group_called(f, named ? point_at(a, i)->name : NULL);
        g_ptr_array_add(g->points, (void *)point_at(a, i));
    }
    for (guint i = 0; i < f->groups->len && a->along != NULL; i++) {
        g_ptr_array_sort(group_at(f, i)->points, by_place);
    }
}

static bool has_texts(const struct alignment *a)
{
    bool any = false;

    for (guint i = 0; i < a->points->len; i++) {
        any = any || isfinite(point_at(a, i)->text.mean);
    }
    return any;
}

/* ---- series ---- */

// of the group's points the double at an offset, [points]
static const double *column(struct figure *f, const struct group *g, size_t offset)
{
    double *values = g_new(double, g->points->len);

    for (guint i = 0; i < g->points->len; i++) {
        memcpy(&values[i], (const char *)g->points->pdata[i] + offset, sizeof *values);
    }
    g_ptr_array_add(f->memory, values);
    return values;
}
#define COLUMN(f, g, field) column(f, g, offsetof(struct alignment_point, field))

static const char *const *names_of(struct figure *f, const struct group *g)
{
    const char **names = g_new(const char *, g->points->len);

    for (guint i = 0; i < g->points->len; i++) {
        names[i] = ((const struct alignment_point *)g->points->pdata[i])->name;
    }
    g_ptr_array_add(f->memory, names);
    return names;
}

// with "NAME, " before it where there are several; owned by the figure
static const char *legend(struct figure *f, const struct group *g, const char *what)
{
    char *text = f->groups->len > 1 ? g_strdup_printf("%s, %s", g->name, what) : g_strdup(what);

    g_ptr_array_add(f->memory, text);
    return text;
}

static void add(struct figure *f, struct plot_series s)
{
    g_array_append_val(f->series, s);
}

// a line and its points with their intervals; image: else text
static void add_line(struct figure *f, guint number, bool image)
{
    const struct group *g = group_at(f, number);
    // of one name a colour each; of several a colour a name
    const bool apart = f->groups->len > 1;
    struct plot_series s = {.name = legend(f, g, image ? IMAGE : TEXT),
                            .kind = apart && !image ? PLOT_FAINT : PLOT_LINE,
                            .colour = apart ? (int)number : !image,
                            .n = (int)g->points->len,
                            .x = COLUMN(f, g, place),
                            .y = image ? COLUMN(f, g, image.mean) : COLUMN(f, g, text.mean)};

    add(f, s);
    s.name = NULL;
    s.kind = PLOT_POINTS;
    s.y_low = image ? COLUMN(f, g, image.low) : COLUMN(f, g, text.low);
    s.y_high = image ? COLUMN(f, g, image.high) : COLUMN(f, g, text.high);
    add(f, s);
}

static void add_scatter(struct figure *f, guint number)
{
    const struct group *g = group_at(f, number);

    add(f, (struct plot_series){.name = g->name,
                                .kind = PLOT_POINTS,
                                .colour = (int)number,
                                .n = (int)g->points->len,
                                .x = COLUMN(f, g, text.mean),
                                .x_low = COLUMN(f, g, text.low),
                                .x_high = COLUMN(f, g, text.high),
                                .y = COLUMN(f, g, image.mean),
                                .y_low = COLUMN(f, g, image.low),
                                .y_high = COLUMN(f, g, image.high),
                                .labels = g->name == NULL ? names_of(f, g) : NULL});
}

/* ---- figures ---- */

static bool write_lines(struct figure *f, const char *path, GError **error)
{
    const bool texts = has_texts(f->alignment);
    struct plot p = {.x_label = f->alignment->along, .y_label = texts ? "alignment" : IMAGE};

    for (guint i = 0; i < f->groups->len; i++) {
        add_line(f, i, true);
        if (texts) {
            add_line(f, i, false);
        }
    }
    p.series = (const struct plot_series *)(void *)f->series->data;
    p.n_series = (int)f->series->len;
    return plot_write(&p, path, error);
}

static bool write_scatter(struct figure *f, const char *path, GError **error)
{
    struct plot p = {.x_label = TEXT, .y_label = IMAGE};

    for (guint i = 0; i < f->groups->len; i++) {
        add_scatter(f, i);
    }
    p.series = (const struct plot_series *)(void *)f->series->data;
    p.n_series = (int)f->series->len;
    return plot_write(&p, path, error);
}

// of all points, as they are in the list
static bool write_rows(struct figure *f, const char *path, GError **error)
{
    const struct group all = {NULL, g_ptr_array_new()};

    for (guint i = 0; i < f->alignment->points->len; i++) {
        g_ptr_array_add(all.points, (void *)point_at(f->alignment, i));
    }
    const struct plot_series s = {.kind = PLOT_POINTS,
                                  .n = (int)all.points->len,
                                  .x = COLUMN(f, &all, image.mean),
                                  .x_low = COLUMN(f, &all, image.low),
                                  .x_high = COLUMN(f, &all, image.high)};
    const struct plot p = {.x_label = IMAGE,
                           .rows = names_of(f, &all),
                           .n_rows = (int)all.points->len,
                           .series = &s,
                           .n_series = 1};
    const bool written = plot_write(&p, path, error);

    g_ptr_array_unref(all.points);
    return written;
}

static void finish(struct figure *f)
{
    for (guint i = 0; i < f->groups->len; i++) {
        g_ptr_array_unref(group_at(f, i)->points);
    }
    g_array_unref(f->groups);
    g_array_unref(f->series);
    g_ptr_array_unref(f->memory);
}

bool alignment_plot(const struct alignment *a, const char *path, GError **error)
{
    struct figure f = {.alignment = a,
                       .groups = g_array_new(FALSE, FALSE, sizeof(struct group)),
                       .series = g_array_new(FALSE, FALSE, sizeof(struct plot_series)),
                       .memory = g_ptr_array_new_with_free_func(g_free)};

    take_groups(&f);
    const bool written = a->along != NULL ? write_lines(&f, path, error)
                         : has_texts(a)   ? write_scatter(&f, path, error)
                                          : write_rows(&f, path, error);
    finish(&f);
    return written;
}
