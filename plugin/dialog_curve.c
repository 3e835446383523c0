/* The curve of losses; see dialog_curve.h. The loss of a step depends most on how much noise the
 * step happened to draw, so the points are pale and a line goes through their running mean. */
#include "plugin/dialog_curve.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#include <math.h>

#define MEMORY 20.0 // steps that the running mean looks back
#define MARGIN 6    // pixels
#define LEFT   40   // for the numbers of the losses
#define BOTTOM 18   // and of the steps
#define LETTER 10

struct point { // of one step that was told
    int step;
    double loss, mean;
};

struct curve {
    GArray *points; // struct point
    int steps;      // of the whole run: the width
    double most;    // loss
};

static void free_curve(struct curve *c)
{
    g_array_unref(c->points);
    g_free(c);
}

static struct curve *curve_of(GtkWidget *widget)
{
    return g_object_get_data(G_OBJECT(widget), "svdiff-curve");
}

/* ---- drawing ---- */

// pixels from the left; the run's end is the right edge
static double place_x(const struct curve *c, int width, double step)
{
    return LEFT + (width - LEFT - MARGIN) * step / MAX(c->steps, 1);
}

// pixels from above; a loss of 0 is the lowest line, whatever the losses are
static double place_y(const struct curve *c, int height, double loss)
{
    return MARGIN + (height - MARGIN - BOTTOM) * (1 - loss / c->most);
}

// a text with its right end, middle or left end (1, 0.5, 0) at x, on the line y
static void write_text(cairo_t *cr, double x, double y, double share, const char *text)
{
    cairo_text_extents_t size;

    cairo_text_extents(cr, text, &size);
    cairo_move_to(cr, x - share * size.x_advance, y);
    cairo_show_text(cr, text);
}

// with two digits: more would not be read off
static void write_numbers(const struct curve *c, cairo_t *cr, int width, int height)
{
    g_autofree char *most = g_strdup_printf("%.2g", c->most);
    g_autofree char *half = g_strdup_printf("%.2g", c->most / 2);
    g_autofree char *steps = g_strdup_printf(_("%d steps"), c->steps);
    g_autofree char *middle = g_strdup_printf("%d", c->steps / 2);

    write_text(cr, LEFT - 4, place_y(c, height, c->most) + LETTER - 2, 1, most);
    write_text(cr, LEFT - 4, place_y(c, height, c->most / 2) + LETTER / 2 - 1, 1, half);
    write_text(cr, LEFT - 4, place_y(c, height, 0), 1, "0");
    write_text(cr, LEFT, height - 5, 0, "0");
    write_text(cr, place_x(c, width, c->steps / 2), height - 5, 0.5, middle);
    write_text(cr, width - MARGIN, height - 5, 1, steps);
    write_text(cr, LEFT + 6, MARGIN + LETTER - 2, 0, _("loss"));
}

static void paint_axes(const struct curve *c, cairo_t *cr, int width, int height)
{
    cairo_set_source_rgb(cr, 0.35, 0.35, 0.35);
    cairo_set_line_width(cr, 1);
    // half a pixel, so that a line of one is sharp
    cairo_move_to(cr, LEFT + 0.5, MARGIN);
    cairo_line_to(cr, LEFT + 0.5, height - BOTTOM + 0.5);
    cairo_line_to(cr, width - MARGIN, height - BOTTOM + 0.5);
    cairo_stroke(cr);
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, LETTER);
    write_numbers(c, cr, width, height);
}

static void paint_points(const struct curve *c, cairo_t *cr, int width, int height)
{
    cairo_set_source_rgba(cr, 0.3, 0.5, 0.8, 0.35);
    for (guint i = 0; i < c->points->len; i++) {
        const struct point *p = &g_array_index(c->points, struct point, i);
        cairo_rectangle(cr, place_x(c, width, p->step) - 1, place_y(c, height, p->loss) - 1, 2, 2);
    }
    cairo_fill(cr);
}

static void paint_mean(const struct curve *c, cairo_t *cr, int width, int height)
{
    cairo_set_source_rgb(cr, 0.1, 0.3, 0.7);
    cairo_set_line_width(cr, 1.5);
    for (guint i = 0; i < c->points->len; i++) {
        const struct point *p = &g_array_index(c->points, struct point, i);
        cairo_line_to(cr, place_x(c, width, p->step), place_y(c, height, p->mean));
    }
    cairo_stroke(cr);
}

static void paint(cairo_t *cr, int width, int height, void *user)
{
    const struct curve *c = user;

    // white in dark themes, too, as the colours are made for it
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    if (c->most > 0) {
        paint_axes(c, cr, width, height);
        paint_points(c, cr, width, height);
        paint_mean(c, cr, width, height);
    }
}

/* ---- points ---- */

GtkWidget *dialog_curve_new(int width, int height)
{
    struct curve *c = g_new0(struct curve, 1);
    GtkWidget *widget = toolkit_canvas(width, height, paint, c);

    c->points = g_array_new(FALSE, FALSE, sizeof(struct point));
    g_object_set_data_full(G_OBJECT(widget), "svdiff-curve", c, (GDestroyNotify)free_curve);
    gtk_widget_set_tooltip_text(widget, _("The loss of each step, and its mean as a line."));
    return widget;
}

void dialog_curve_clear(GtkWidget *widget)
{
    struct curve *c = curve_of(widget);

    g_array_set_size(c->points, 0);
    c->most = 0;
    gtk_widget_queue_draw(widget);
}

void dialog_curve_add(GtkWidget *widget, int step, int steps, double loss)
{
    struct curve *c = curve_of(widget);
    const guint n = c->points->len;
    const struct point *last = n > 0 ? &g_array_index(c->points, struct point, n - 1) : NULL;

    // a step may be told several times, and before the first one nothing is known
    if (!isfinite(loss) || loss < 0 || (last != NULL && step <= last->step)) {
        return;
    }
    const double share = 1 / MIN((double)n + 1, MEMORY); // of the new one
    const struct point p = {step, loss,
                            last != NULL ? last->mean + share * (loss - last->mean) : loss};
    g_array_append_val(c->points, p);
    c->steps = steps;
    c->most = MAX(c->most, loss);
    gtk_widget_queue_draw(widget);
}
