/* plot_colour.h: colours of a figure, which people who see few colours can tell apart as well. */
#pragma once

#include <cairo.h>

/* The next thing is drawn in colour `number` (of PLOT_COLOURS, then from the first again). */
void plot_colour(cairo_t *cr, int number, double alpha);

/* The colour of a value of a scale, as in plot_matrices: 0 is white where it lies inside, else `low` is;
 * red above, blue below it; a scale without negative numbers is blue. Values outside are as its ends. */
void plot_colour_of(double low, double high, double value, double rgb[3]);
