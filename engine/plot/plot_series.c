/* Lines, points and bars; see plot_series.h. */
#include "engine/plot/plot_series.h"

#include "engine/plot/plot_colour.h"
#include "engine/plot/plot_text.h"

#include <math.h>

#define LINE    1.8
#define FAINT   0.35 // of its colour
#define RADIUS  4.0  // of a point
#define CAP     3.0  // half of the ends of an interval
#define FULL    0.8  // of a row: its bars
#define COLUMNS 2    // of a unit: a line of many points needs no more than four in each

double plot_frame_x(const struct plot_frame *f, double x)
{
    return f->left + (x - f->x.low) / (f->x.high - f->x.low) * (f->right - f->left);
}

double plot_frame_y(const struct plot_frame *f, double y)
{
    return f->bottom - (y - f->y.low) / (f->y.high - f->y.low) * (f->bottom - f->top);
}

bool plot_series_point(const struct plot_series *s, int i, double *x, double *y)
{
    *x = s->x != NULL ? s->x[i] : i + 1;
    *y = s->y != NULL ? s->y[i] : i;
    return plot_is_number(*x) && plot_is_number(*y);
}

/* ---- lines ---- */

/* The points of a line that lie in one column: all that is seen of them are the first, the lowest, the
 * highest and the last. */
struct column {
    int n;
    long number;
    double at[4][2]; // these four
    int order[4];    // which point of the line each is
};

static void column_flush(struct column *c, cairo_t *cr)
{
    const bool swapped = c->order[1] > c->order[2];

    for (int k = 0; k < 4 && c->n > 0; k++) {
        const int i = swapped && (k == 1 || k == 2) ? 3 - k : k;
        // a point that is two of them is drawn once, and a dot where the line begins moves to its place
        if (k == 0 || c->order[i] != c->order[0]) {
            cairo_line_to(cr, c->at[i][0], c->at[i][1]);
        }
    }
    c->n = 0;
}

static void column_set(struct column *c, int which, int i, double x, double y)
{
    c->at[which][0] = x;
    c->at[which][1] = y;
    c->order[which] = i;
}

static void column_add(struct column *c, cairo_t *cr, int i, double x, double y)
{
    const long number = (long)floor(x * COLUMNS);

    if (c->n > 0 && number != c->number) {
        column_flush(c, cr);
    }
    c->number = number;
    if (c->n++ == 0) {
        for (int k = 0; k < 4; k++) {
            column_set(c, k, i, x, y);
        }
    }
    if (y < c->at[1][1]) {
        column_set(c, 1, i, x, y);
    }
    if (y > c->at[2][1]) {
        column_set(c, 2, i, x, y);
    }
    column_set(c, 3, i, x, y);
}

static void draw_line(cairo_t *cr, const struct plot_frame *f, const struct plot_series *s)
{
    struct column c = {0};
    double x, y;

    cairo_new_path(cr);
    for (int i = 0; i < s->n; i++) {
        if (plot_series_point(s, i, &x, &y)) {
            column_add(&c, cr, i, plot_frame_x(f, x), plot_frame_y(f, y));
        } else {
            column_flush(&c, cr);
            cairo_new_sub_path(cr);
        }
    }
    column_flush(&c, cr);
    plot_colour(cr, s->colour, s->kind == PLOT_FAINT ? FAINT : 1);
    cairo_set_line_width(cr, s->kind == PLOT_FAINT ? LINE / 2 : LINE);
    // a lone point between two gaps is a dot
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(cr);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
}

/* ---- points ---- */

// from one place to another, with a cap across each end
static void draw_interval(cairo_t *cr, double x0, double y0, double x1, double y1)
{
    const double across = x0 == x1 ? CAP : 0, along = x0 == x1 ? 0 : CAP;

    cairo_move_to(cr, x0, y0);
    cairo_line_to(cr, x1, y1);
    cairo_move_to(cr, x0 - across, y0 - along);
    cairo_line_to(cr, x0 + across, y0 + along);
    cairo_move_to(cr, x1 - across, y1 - along);
    cairo_line_to(cr, x1 + across, y1 + along);
    cairo_set_line_width(cr, 1.2);
    cairo_stroke(cr);
}

// of point i, at x, y of the drawing
static void draw_intervals(cairo_t *cr, const struct plot_frame *f, const struct plot_series *s,
                           int i, double x, double y)
{
    if (s->x_low != NULL && plot_is_number(s->x_low[i]) && plot_is_number(s->x_high[i])) {
        draw_interval(cr, plot_frame_x(f, s->x_low[i]), y, plot_frame_x(f, s->x_high[i]), y);
    }
    if (s->y_low != NULL && plot_is_number(s->y_low[i]) && plot_is_number(s->y_high[i])) {
        draw_interval(cr, x, plot_frame_y(f, s->y_low[i]), x, plot_frame_y(f, s->y_high[i]));
    }
}

// each colour has a form as well: circle, square, triangle, diamond
static void draw_mark(cairo_t *cr, int colour, double x, double y)
{
    static const int corners[] = {0, 4, 3, 4};
    static const double turned[] = {0, G_PI / 4, -G_PI / 2, 0};
    const int form = (int)((unsigned)colour % G_N_ELEMENTS(corners));

    cairo_new_path(cr);
    if (corners[form] == 0) {
        cairo_arc(cr, x, y, RADIUS, 0, 2 * G_PI);
    }
    for (int i = 0; i < corners[form]; i++) {
        const double angle = turned[form] + 2 * G_PI * i / corners[form];
        cairo_line_to(cr, x + 1.25 * RADIUS * cos(angle), y + 1.25 * RADIUS * sin(angle));
    }
    cairo_close_path(cr);
    plot_colour(cr, colour, 1);
    cairo_fill_preserve(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_set_line_width(cr, 0.8);
    cairo_stroke(cr);
}

// right of the point and of its interval; of a bar to the left right of 0
double plot_series_label(const struct plot_frame *f, const struct plot_series *s, int i)
{
    double x = 0, y = 0;

    plot_series_point(s, i, &x, &y);
    if (s->x_high != NULL && plot_is_number(s->x_high[i])) {
        x = MAX(x, s->x_high[i]);
    }
    return plot_frame_x(f, s->kind == PLOT_BARS ? MAX(x, 0) : x) + 2 * RADIUS;
}

// at the height y
static void draw_label(cairo_t *cr, const struct plot_frame *f, const struct plot_series *s, int i,
                       double y)
{
    if (s->labels != NULL) {
        g_autofree char *text = plot_text_fit(cr, s->labels[i], PLOT_LABEL);
        cairo_set_source_rgb(cr, 0, 0, 0);
        plot_text_put(cr, text, plot_series_label(f, s, i), y, 0, 0);
    }
}

static void draw_points(cairo_t *cr, const struct plot_frame *f, const struct plot_series *s)
{
    double x, y;

    for (int i = 0; i < s->n; i++) {
        if (plot_series_point(s, i, &x, &y)) {
            x = plot_frame_x(f, x);
            y = plot_frame_y(f, y);
            plot_colour(cr, s->colour, 1);
            draw_intervals(cr, f, s, i, x, y);
            draw_mark(cr, s->colour, x, y);
            draw_label(cr, f, s, i, y);
        }
    }
}

/* ---- bars ---- */

static void draw_bars(cairo_t *cr, const struct plot_frame *f, const struct plot_series *s)
{
    const double row = (f->bottom - f->top) / fabs(f->y.high - f->y.low);
    const double thick = FULL * row / f->bars;
    double x, y;

    for (int i = 0; i < s->n; i++) {
        if (plot_series_point(s, i, &x, &y)) {
            const double zero = plot_frame_x(f, 0), end = plot_frame_x(f, x);
            const double top = plot_frame_y(f, y) - FULL * row / 2 + f->bar * thick;
            plot_colour(cr, s->colour, 1);
            cairo_rectangle(cr, MIN(zero, end), top, fabs(end - zero), 0.92 * thick);
            cairo_fill(cr);
            cairo_set_source_rgb(cr, 0, 0, 0);
            draw_intervals(cr, f, s, i, end, top + 0.46 * thick);
            draw_label(cr, f, s, i, top + 0.46 * thick);
        }
    }
}

void plot_series_draw(cairo_t *cr, struct plot_frame *f, const struct plot_series *s)
{
    switch (s->kind) {
    case PLOT_LINE:
    case PLOT_FAINT:
        draw_line(cr, f, s);
        break;
    case PLOT_POINTS:
        draw_points(cr, f, s);
        break;
    case PLOT_BARS:
        draw_bars(cr, f, s);
        f->bar++;
        break;
    }
}

void plot_series_sample(cairo_t *cr, const struct plot_series *s, double x, double y)
{
    const bool line = s->kind == PLOT_LINE || s->kind == PLOT_FAINT;

    plot_colour(cr, s->colour, s->kind == PLOT_FAINT ? FAINT : 1);
    if (line) {
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, x + PLOT_SAMPLE, y);
        cairo_set_line_width(cr, s->kind == PLOT_FAINT ? LINE / 2 : LINE);
        cairo_stroke(cr);
    } else if (s->kind == PLOT_POINTS) {
        draw_mark(cr, s->colour, x + PLOT_SAMPLE / 2.0, y);
    } else {
        cairo_rectangle(cr, x + 4, y - 5, PLOT_SAMPLE - 8, 10);
        cairo_fill(cr);
    }
}
