/* plot_series.h: lines, points and bars inside of a figure's axes. */
#pragma once

#include "engine/plot/plot.h"
#include "engine/plot/plot_axis.h"

#include <cairo.h>

// where the axes stand, and which of the bars of a row comes next
struct plot_frame {
    double left, top, right, bottom;
    struct plot_axis x, y; // y.low is at the bottom, also where it is above y.high
    int bars, bar;
};

double plot_frame_x(const struct plot_frame *f, double x);
double plot_frame_y(const struct plot_frame *f, double y);

/* Point i; false: it has no place. */
bool plot_series_point(const struct plot_series *s, int i, double *x, double *y);

/* Where the label of point i begins, which has a place, and how wide it is at most. */
double plot_series_label(const struct plot_frame *f, const struct plot_series *s, int i);
#define PLOT_LABEL 140

/* The bars of a row stand below each other: those of a later series below. */
void plot_series_draw(cairo_t *cr, struct plot_frame *f, const struct plot_series *s);

/* What of it the legend shows, PLOT_SAMPLE wide around the height y. */
#define PLOT_SAMPLE 22
void plot_series_sample(cairo_t *cr, const struct plot_series *s, double x, double y);
