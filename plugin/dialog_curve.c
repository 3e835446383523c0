/* The curve of losses; see dialog_curve.h. The loss of a step depends most on how much noise the
 * step happened to draw, so the points are pale and a line goes through their running mean. */
#include "plugin/dialog_curve.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#include <math.h>

#define MEMORY 20.0 // steps that the running mean looks back
#define MARGIN 4    // pixels

struct point {
    int step;
    double loss, mean;
};

struct curve {
    GArray *points; // struct point
    int steps;
    double most; // loss
};

static void free_curve(void *data)
{
    struct curve *c = data;

    g_array_unref(c->points);
    g_free(c);
}

static struct curve *curve_of(GtkWidget *widget)
{
    return g_object_get_data(G_OBJECT(widget), "svdiff-curve");
}

/* ---- drawing ---- */

static double place_x(const struct curve *c, int width, const struct point *p)
{
    return MARGIN + (double)(width - 2 * MARGIN) * p->step / MAX(c->steps, 1);
}

static double place_y(const struct curve *c, int height, double loss)
{
    return MARGIN + (height - 2 * MARGIN) * (1 - loss / c->most);
}

static void paint_points(const struct curve *c, cairo_t *cr, int width, int height)
{
    cairo_set_source_rgba(cr, 0.3, 0.5, 0.8, 0.35);
    for (guint i = 0; i < c->points->len; i++) {
        const struct point *p = &g_array_index(c->points, struct point, i);
        cairo_rectangle(cr, place_x(c, width, p) - 1, place_y(c, height, p->loss) - 1, 2, 2);
    }
    cairo_fill(cr);
}

static void paint_mean(const struct curve *c, cairo_t *cr, int width, int height)
{
    cairo_set_source_rgb(cr, 0.1, 0.3, 0.7);
    cairo_set_line_width(cr, 1.5);
    for (guint i = 0; i < c->points->len; i++) {
        const struct point *p = &g_array_index(c->points, struct point, i);
        cairo_line_to(cr, place_x(c, width, p), place_y(c, height, p->mean));
    }
    cairo_stroke(cr);
}

static void paint(cairo_t *cr, int width, int height, void *user)
{
    const struct curve *c = user;

    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    if (c->most > 0) {
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
    g_object_set_data_full(G_OBJECT(widget), "svdiff-curve", c, free_curve);
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
