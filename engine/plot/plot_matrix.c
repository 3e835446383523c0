/* Matrices of one size beside each other: names on the left of the first of each line and below the last of
 * each column of them, one scale of colours on the right.
 *
 *             title        title
 *     name   [matrix]     [matrix]   [scale]
 *            n a m e s    n a m e s                                                            */
#include "engine/plot/plot_axis.h"
#include "engine/plot/plot_colour.h"
#include "engine/plot/plot_file.h"
#include "engine/plot/plot_text.h"

#include <math.h>

#define EDGE      12.0
#define GAP       8.0
#define LEADING   18.0
#define CELL      44.0 // units a side, and the least one
#define CELL_MIN  8.0
#define ALL       420.0 // units a side of a matrix, where its cells can be as small as that asks for
#define NUMBERS   24.0  // the least cell with a number in it
#define NAME      140.0
#define SCALE     14.0 // how wide the scale is, and how high at most and at least
#define SCALE_MAX 320.0
#define SCALE_MIN 90.0
#define TICKS     5
#define STEPS     128 // of the scale's colours

struct board {
    const struct plot_matrices *m;
    int across;            // matrices in a line
    double cell, font;     // and the size of names
    double names, below;   // what names take
    double step_x, step_y; // from one matrix to the next
    double width, height;
    double left, top; // of the first
    struct plot_axis scale;
    double scale_texts;
};

/* ---- layout ---- */

static double sizes(int n, double cell)
{
    return n * cell;
}

static int lines(const struct board *b)
{
    return (b->m->n + b->across - 1) / b->across;
}

static void lay_out_scale(struct board *b, cairo_t *cr)
{
    b->scale = plot_axis_between(b->m->low, b->m->high, TICKS);
    for (int i = 0; i < b->scale.n; i++) {
        g_autofree char *text = plot_axis_text(&b->scale, i);
        b->scale_texts = MAX(b->scale_texts, plot_text_width(cr, text));
    }
}

static void lay_out(struct board *b, cairo_t *cr)
{
    const struct plot_matrices *m = b->m;
    const double most = ALL / MAX(MAX(m->n_rows, m->n_columns), 1);
    bool titled = false;

    for (int i = 0; i < m->n; i++) {
        titled = titled || m->matrices[i].title != NULL;
    }
    b->across = MAX(1, (int)ceil(sqrt(m->n)));
    b->cell = CLAMP(most, CELL_MIN, CELL);
    b->font = MIN(PLOT_TEXT, 0.9 * b->cell);
    plot_font(cr, b->font, false);
    b->names = plot_text_widest(cr, m->rows, m->n_rows, NAME);
    b->below = plot_text_widest(cr, m->columns, m->n_columns, NAME);
    plot_font(cr, PLOT_TEXT, false);
    lay_out_scale(b, cr);
    b->left = EDGE + b->names + GAP;
    b->top = EDGE + (titled ? LEADING + GAP : 0);
    b->step_x = MAX(sizes(m->n_columns, b->cell), CELL_MIN) + 2 * GAP;
    b->step_y = MAX(sizes(m->n_rows, b->cell), CELL_MIN) + b->top - EDGE + 2 * GAP;
    b->width = b->left + b->across * b->step_x + GAP + SCALE + GAP + b->scale_texts +
               (m->label != NULL ? LEADING : 0) + EDGE;
    b->height =
        MAX(b->top + lines(b) * b->step_y - (b->top - EDGE) - 2 * GAP + GAP + b->below + EDGE,
            b->top + SCALE_MIN + 2 * EDGE);
}

/* ---- drawing ---- */

// two digits behind the point, and no "-0.00"
static char *number_text(double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    const bool negative = value <= -0.005;

    if (!isfinite(value)) {
        return g_strdup("–");
    }
    g_ascii_formatd(number, sizeof number, fabs(value) < 1000 ? "%.2f" : "%.0e", fabs(value));
    return g_strconcat(negative ? "−" : "", number, NULL);
}

static void draw_cell(const struct board *b, cairo_t *cr, double value, double x, double y)
{
    double rgb[3] = {0.92, 0.92, 0.92};
    g_autofree char *text = number_text(value);

    if (isfinite(value)) {
        plot_colour_of(b->m->low, b->m->high, value, rgb);
    }
    cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
    cairo_rectangle(cr, x, y, b->cell, b->cell);
    cairo_fill(cr);
    if (b->cell >= NUMBERS) {
        // as bright as the eye sees it
        const double bright = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
        const double ink = bright < 0.45 ? 1 : 0;
        cairo_set_source_rgb(cr, ink, ink, ink);
        plot_text_put(cr, text, x + b->cell / 2, y + b->cell / 2, 0.5, 0);
    }
}

// white lines keep cells apart whose colours are the same
static void draw_lines(const struct board *b, cairo_t *cr, double x, double y)
{
    const double w = sizes(b->m->n_columns, b->cell), h = sizes(b->m->n_rows, b->cell);

    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_set_line_width(cr, b->cell / 40);
    for (int i = 1; i < b->m->n_columns; i++) {
        cairo_move_to(cr, x + i * b->cell, y);
        cairo_line_to(cr, x + i * b->cell, y + h);
    }
    for (int i = 1; i < b->m->n_rows; i++) {
        cairo_move_to(cr, x, y + i * b->cell);
        cairo_line_to(cr, x + w, y + i * b->cell);
    }
    cairo_stroke(cr);
    cairo_set_source_rgb(cr, 0.4, 0.4, 0.4);
    cairo_set_line_width(cr, 0.8);
    cairo_rectangle(cr, x, y, w, h);
    cairo_stroke(cr);
}

static void draw_matrix(const struct board *b, cairo_t *cr, const double *values, double x,
                        double y)
{
    plot_font(cr, MIN(PLOT_TEXT, b->cell * 0.36), false);
    for (int i = 0; i < b->m->n_rows; i++) {
        for (int j = 0; j < b->m->n_columns; j++) {
            draw_cell(b, cr, values[i * b->m->n_columns + j], x + j * b->cell, y + i * b->cell);
        }
    }
    draw_lines(b, cr, x, y);
}

// of the matrix at x, y: rows on its left, columns below it, read from below
static void draw_names(const struct board *b, cairo_t *cr, double x, double y, bool left,
                       bool below)
{
    const struct plot_matrices *m = b->m;
    const double bottom = y + sizes(m->n_rows, b->cell) + GAP;

    cairo_set_source_rgb(cr, 0, 0, 0);
    plot_font(cr, b->font, false);
    for (int i = 0; i < m->n_rows && left; i++) {
        g_autofree char *name = plot_text_fit(cr, m->rows[i], NAME);
        plot_text_put(cr, name, x - GAP, y + (i + 0.5) * b->cell, 1, 0);
    }
    for (int j = 0; j < m->n_columns && below; j++) {
        g_autofree char *name = plot_text_fit(cr, m->columns[j], NAME);
        plot_text_put(cr, name, x + (j + 0.5) * b->cell, bottom, 1, -G_PI / 2);
    }
}

static void draw_title(const struct board *b, cairo_t *cr, const char *title, double x, double y)
{
    cairo_set_source_rgb(cr, 0, 0, 0);
    plot_font(cr, PLOT_TEXT, true);
    g_autofree char *fits = plot_text_fit(cr, title, b->step_x - GAP / 2);
    plot_text_put(cr, fits, x, y - GAP - LEADING / 4, 0, 0);
}

static void draw_scale(const struct board *b, cairo_t *cr)
{
    const double all = b->height - EDGE - b->top;
    const double h = CLAMP(sizes(b->m->n_rows, b->cell), SCALE_MIN, MIN(all, SCALE_MAX));
    const double x = b->left + b->across * b->step_x + GAP, range = b->m->high - b->m->low;
    double rgb[3];

    for (int i = 0; i < STEPS; i++) {
        plot_colour_of(b->m->low, b->m->high, b->m->low + (i + 0.5) / STEPS * range, rgb);
        cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
        // each a little higher than a step, or seams are seen between them
        cairo_rectangle(cr, x, b->top + h - (i + 1) * h / STEPS, SCALE,
                        h / STEPS + (i > 0 ? 0.5 : 0));
        cairo_fill(cr);
    }
    cairo_set_source_rgb(cr, 0.4, 0.4, 0.4);
    cairo_set_line_width(cr, 0.8);
    cairo_rectangle(cr, x, b->top, SCALE, h);
    cairo_stroke(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    plot_font(cr, PLOT_TEXT, false);
    for (int i = 0; i < b->scale.n; i++) {
        g_autofree char *text = plot_axis_text(&b->scale, i);
        const double y = b->top + h - (plot_axis_tick(&b->scale, i) - b->m->low) / range * h;
        plot_text_put(cr, text, x + SCALE + GAP + b->scale_texts, y, 1, 0);
    }
    g_autofree char *factor = plot_axis_factor(&b->scale);
    g_autofree char *said = g_strconcat(b->m->label != NULL ? b->m->label : "", factor, NULL);
    g_autofree char *label = plot_text_fit(cr, said, all);
    plot_text_put(cr, label, x + SCALE + GAP + b->scale_texts + LEADING * 0.7, b->top + h / 2, 0.5,
                  -G_PI / 2);
}

static void draw(void *user, cairo_t *cr)
{
    const struct board *b = user;

    for (int i = 0; i < b->m->n; i++) {
        const double x = b->left + i % b->across * b->step_x;
        const double y = b->top + i / b->across * b->step_y;
        draw_matrix(b, cr, b->m->matrices[i].values, x, y);
        draw_names(b, cr, x, y, i % b->across == 0, i + b->across >= b->m->n);
        if (b->m->matrices[i].title != NULL) {
            draw_title(b, cr, b->m->matrices[i].title, x, y);
        }
    }
    draw_scale(b, cr);
}

bool plot_write_matrices(const struct plot_matrices *m, const char *path, GError **error)
{
    struct board b = {.m = m};
    cairo_t *nothing = plot_measure();

    lay_out(&b, nothing);
    cairo_destroy(nothing);
    return plot_file_write(path, b.width, b.height, draw, &b, error);
}
