/* A figure with axes: its range from what is drawn, its margins from its texts, then the grid, the series
 * and the texts.
 *
 *     title
 *     -- legend  o legend
 *     y |......
 *       |......
 *       +------
 *          x                                                                                    */
#include "engine/plot/plot_file.h"
#include "engine/plot/plot_series.h"
#include "engine/plot/plot_text.h"

#include <math.h>

#define WIDTH    640
#define HEIGHT   400
#define EDGE     12.0 // around all
#define GAP      6.0  // between things
#define LEADING  18.0 // of a line of texts
#define ROW      20.0 // the least height of a row, and what each of several bars in it has
#define BAR      13.0
#define ROW_NAME 200.0
#define X_TICKS  7
#define Y_TICK   45 // units from one to the next at least

struct chart {
    const struct plot *p;
    struct plot_frame frame;
    double width, height;
};

/* ---- ranges ---- */

struct range {
    double low, high;
};

static void include(struct range *r, double value)
{
    if (plot_is_number(value)) {
        r->low = MIN(r->low, value);
        r->high = MAX(r->high, value);
    }
}

static void include_ends(struct range *r, const double *low, const double *high, int i)
{
    if (low != NULL) {
        include(r, low[i]);
        include(r, high[i]);
    }
}

// bars are measured from 0
static void include_series(struct range *x, struct range *y, const struct plot_series *s)
{
    double at_x, at_y;

    for (int i = 0; i < s->n; i++) {
        if (plot_series_point(s, i, &at_x, &at_y)) {
            include(x, at_x);
            include(x, s->kind == PLOT_BARS ? 0 : at_x);
            include(y, at_y);
            include_ends(x, s->x_low, s->x_high, i);
            include_ends(y, s->y_low, s->y_high, i);
        }
    }
}

/* ---- layout ---- */

static int bars_of(const struct plot *p)
{
    int bars = 0;

    for (int i = 0; i < p->n_series; i++) {
        bars += p->series[i].kind == PLOT_BARS;
    }
    return bars;
}

// each entry of the legend in its place, or only counted where cr draws nothing; the lines that it takes
static int put_legend(const struct chart *c, cairo_t *cr, double top, bool draw)
{
    double x = EDGE;
    int lines = 0;

    for (int i = 0; i < c->p->n_series; i++) {
        const struct plot_series *s = &c->p->series[i];
        if (s->name == NULL) {
            continue;
        }
        g_autofree char *name = plot_text_fit(cr, s->name, c->width - 2 * EDGE - PLOT_SAMPLE - GAP);
        const double taken = PLOT_SAMPLE + GAP + plot_text_width(cr, name) + 3 * GAP;
        if (lines == 0 || x + taken - 3 * GAP > c->width - EDGE) {
            lines++;
            x = EDGE;
        }
        if (draw) {
            const double y = top + (lines - 0.5) * LEADING;
            plot_series_sample(cr, s, x, y);
            cairo_set_source_rgb(cr, 0, 0, 0);
            plot_text_put(cr, name, x + PLOT_SAMPLE + GAP, y, 0, 0);
        }
        x += taken;
    }
    return lines;
}

// the widest text on the left of the axis
static double left_texts(const struct chart *c, cairo_t *cr)
{
    const struct plot_axis *y = &c->frame.y;
    double widest = 0;

    if (c->p->rows != NULL) {
        return plot_text_widest(cr, c->p->rows, c->p->n_rows, ROW_NAME);
    }
    for (int i = 0; i < y->n; i++) {
        g_autofree char *text = plot_axis_text(y, i);
        widest = MAX(widest, plot_text_width(cr, text));
    }
    return widest;
}

// how far labels would go beyond the right edge
static double right_texts(const struct chart *c, cairo_t *cr)
{
    const struct plot_frame *f = &c->frame;
    double beyond = 0, x, y;

    for (int i = 0; i < c->p->n_series; i++) {
        const struct plot_series *s = &c->p->series[i];
        for (int k = 0; k < s->n && s->labels != NULL; k++) {
            if (plot_series_point(s, k, &x, &y)) {
                g_autofree char *text = plot_text_fit(cr, s->labels[k], PLOT_LABEL);
                beyond = MAX(beyond, plot_series_label(f, s, k) + plot_text_width(cr, text) -
                                         (c->width - EDGE));
            }
        }
    }
    return beyond;
}

// where the plot has rows the picture is as high as they are
static void set_heights(struct chart *c, cairo_t *cr)
{
    const struct plot *p = c->p;
    const double row = MAX(ROW, BAR * bars_of(p) + GAP);

    c->frame.top =
        EDGE + (p->title != NULL ? LEADING + GAP : 0) + LEADING * put_legend(c, cr, 0, false) + GAP;
    const double below = LEADING + (p->x_label != NULL ? LEADING : 0) + EDGE;
    c->height = p->rows != NULL ? c->frame.top + row * p->n_rows + below : HEIGHT;
    c->frame.bottom = c->height - below;
}

static void lay_out(struct chart *c, cairo_t *cr)
{
    const struct plot *p = c->p;
    struct plot_frame *f = &c->frame;
    struct range x = {INFINITY, -INFINITY}, y = x;

    for (int i = 0; i < p->n_series; i++) {
        include_series(&x, &y, &p->series[i]);
    }
    c->width = WIDTH;
    plot_font(cr, PLOT_TEXT, false);
    set_heights(c, cr);
    f->bars = MAX(1, bars_of(p));
    f->y = p->rows != NULL ? (struct plot_axis){.low = p->n_rows - 0.5, .high = -0.5}
                           : plot_axis_of(y.low, y.high, (int)((f->bottom - f->top) / Y_TICK));
    f->left = EDGE + (p->y_label != NULL ? LEADING : 0) + left_texts(c, cr) + GAP;
    f->right = c->width - EDGE - GAP;
    f->x = plot_axis_of(x.low, x.high, X_TICKS);
    f->right -= right_texts(c, cr);
}

/* ---- drawing ---- */

static void draw_grid(const struct chart *c, cairo_t *cr)
{
    const struct plot_frame *f = &c->frame;

    cairo_set_source_rgb(cr, 0.9, 0.9, 0.9);
    cairo_set_line_width(cr, 0.7);
    for (int i = 0; i < f->y.n; i++) {
        const double y = plot_frame_y(f, plot_axis_tick(&f->y, i));
        cairo_move_to(cr, f->left, y);
        cairo_line_to(cr, f->right, y);
    }
    for (int i = 0; i < f->x.n; i++) {
        const double x = plot_frame_x(f, plot_axis_tick(&f->x, i));
        cairo_move_to(cr, x, f->top);
        cairo_line_to(cr, x, f->bottom);
    }
    cairo_stroke(cr);
}

static void draw_x_axis(const struct chart *c, cairo_t *cr)
{
    const struct plot_frame *f = &c->frame;

    for (int i = 0; i < f->x.n; i++) {
        const double x = plot_frame_x(f, plot_axis_tick(&f->x, i));
        g_autofree char *text = plot_axis_text(&f->x, i);
        cairo_move_to(cr, x, f->bottom);
        cairo_line_to(cr, x, f->bottom + GAP / 2);
        cairo_stroke(cr);
        plot_text_put(cr, text, x, f->bottom + LEADING / 2 + GAP / 2, 0.5, 0);
    }
    cairo_move_to(cr, f->left, f->bottom);
    cairo_line_to(cr, f->right, f->bottom);
    cairo_stroke(cr);
}

static void draw_y_axis(const struct chart *c, cairo_t *cr)
{
    const struct plot_frame *f = &c->frame;

    for (int i = 0; i < f->y.n; i++) {
        const double y = plot_frame_y(f, plot_axis_tick(&f->y, i));
        g_autofree char *text = plot_axis_text(&f->y, i);
        plot_text_put(cr, text, f->left - GAP, y, 1, 0);
    }
    for (int i = 0; i < c->p->n_rows && c->p->rows != NULL; i++) {
        g_autofree char *text = plot_text_fit(cr, c->p->rows[i], ROW_NAME);
        plot_text_put(cr, text, f->left - GAP, plot_frame_y(f, i), 1, 0);
    }
    cairo_move_to(cr, f->left, f->top);
    cairo_line_to(cr, f->left, f->bottom);
    cairo_stroke(cr);
}

// with the power of ten that the ticks leave out
static char *axis_label(cairo_t *cr, const char *label, const struct plot_axis *a, double width)
{
    g_autofree char *factor = plot_axis_factor(a);
    g_autofree char *fits = plot_text_fit(cr, label, width - plot_text_width(cr, factor));

    return g_strconcat(fits, factor, NULL);
}

static void draw_labels(const struct chart *c, cairo_t *cr)
{
    const struct plot *p = c->p;
    const struct plot_frame *f = &c->frame;
    g_autofree char *x = axis_label(cr, p->x_label, &f->x, f->right - f->left);
    g_autofree char *y = axis_label(cr, p->y_label, &f->y, f->bottom - f->top);

    plot_text_put(cr, x, (f->left + f->right) / 2, c->height - EDGE - PLOT_TEXT / 2.0, 0.5, 0);
    plot_text_put(cr, y, EDGE + PLOT_TEXT / 2.0, (f->top + f->bottom) / 2, 0.5, -G_PI / 2);
    put_legend(c, cr, EDGE + (p->title != NULL ? LEADING + GAP : 0), true);
    if (p->title != NULL) {
        plot_font(cr, PLOT_TITLE, true);
        g_autofree char *title = plot_text_fit(cr, p->title, c->width - 2 * EDGE);
        plot_text_put(cr, title, EDGE, EDGE + LEADING / 2, 0, 0);
    }
}

static void draw(void *user, cairo_t *cr)
{
    struct chart *c = user;
    const struct plot_frame *f = &c->frame;

    plot_font(cr, PLOT_TEXT, false);
    draw_grid(c, cr);
    for (int i = 0; i < c->p->n_series; i++) {
        plot_series_draw(cr, &c->frame, &c->p->series[i]);
    }
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_set_line_width(cr, 1);
    draw_x_axis(c, cr);
    draw_y_axis(c, cr);
    // 0 to 1 without ticks would be an empty figure that nobody understands
    if (f->x.n == 0) {
        plot_text_put(cr, "no numbers", (f->left + f->right) / 2, (f->top + f->bottom) / 2, 0.5, 0);
    }
    draw_labels(c, cr);
}

bool plot_write(const struct plot *p, const char *path, GError **error)
{
    struct chart c = {.p = p};
    cairo_t *nothing = plot_measure();

    lay_out(&c, nothing);
    cairo_destroy(nothing);
    return plot_file_write(path, c.width, c.height, draw, &c, error);
}
