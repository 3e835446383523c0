/* plot_axis.h: a range of numbers with its ticks: multiples of 1, 2 or 5 times a power of ten. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Tick i is first + i, times digit * 10^exponent; texts leave 10^factor out. */
struct plot_axis {
    double low, high;
    int n; // ticks
    gint64 first;
    int digit, exponent, factor;
};

/* Whether a number can have a place. */
bool plot_is_number(double value);

/* The range of data, widened a little, or to 0 where that is near; low > high: of no data, 0 to 1 without
 * ticks. most: ticks. */
struct plot_axis plot_axis_of(double low, double high, int most);
/* The same of a range that is as it is; low < high. */
struct plot_axis plot_axis_between(double low, double high, int most);

double plot_axis_tick(const struct plot_axis *a, int i);
/* Owned by the caller; the factor is "" where it is 1, else " (×10⁻³)". */
char *plot_axis_text(const struct plot_axis *a, int i);
char *plot_axis_factor(const struct plot_axis *a);
