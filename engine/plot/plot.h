/* plot.h: figures of numbers as files, .png or .svg: data in, picture out.
 *
 *   const struct plot_series loss = {.name = "loss", .kind = PLOT_LINE, .n = 500, .y = losses};
 *   const struct plot p = {.title = "fox", .x_label = "step", .y_label = "loss",
 *                          .series = &loss, .n_series = 1};
 *   if (!plot_write(&p, "loss.svg", &error)) ...
 *
 * Everything is borrowed. Numbers that are not finite, or beyond 1e100, are left out: a line is
 * interrupted there. Texts may be any bytes; what is too long is cut in its middle. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum plot_kind {
    PLOT_LINE,
    PLOT_FAINT,  // a line behind others
    PLOT_POINTS, // with their intervals
    PLOT_BARS,   // from 0 to x, of a plot with rows
};

struct plot_series {
    const char *name; // in the legend; NULL: not there
    enum plot_kind kind;
    int colour; // number of one of PLOT_COLOURS, which people who see few colours can tell apart
    int n;
    // [n] each. x NULL: 1, 2, ...; y NULL, of a plot with rows: the row of the same number
    const double *x, *y;
    const double *x_low, *x_high, *y_low, *y_high; // [n], ends of the intervals; NULL: none
    const char *const *labels;                     // [n], beside the points; NULL: none
};
#define PLOT_COLOURS 7

/* A figure with axes. With rows, y is the number of a row from 0, and each has its name on the left. */
struct plot {
    const char *title, *x_label, *y_label; // NULL: none
    const char *const *rows;               // NULL: y is a number
    int n_rows;
    const struct plot_series *series; // later ones are drawn over earlier ones
    int n_series;
};

/* Matrices of one size beside each other, with the numbers in their cells and one scale of colours.
 * Where low < 0 < high, 0 is white, and as far above and below it is as dark. */
struct plot_matrix {
    const char *title;    // NULL: none
    const double *values; // [n_rows, n_columns]; not finite: a cell without a number
};
struct plot_matrices {
    const struct plot_matrix *matrices;
    int n;
    const char *const *rows, *const *columns; // their names
    int n_rows, n_columns;
    double low, high;  // ends of the scale, low < high
    const char *label; // what the numbers are; NULL: not said
};

/* Whether a figure can have this name. False with SVDIFF_ERROR_USAGE. */
bool plot_check_name(const char *path, GError **error);

/* The file, whole or not at all. False with a sentence: another ending, too many rows for a picture,
 * or a file that cannot be written. */
bool plot_write(const struct plot *p, const char *path, GError **error);
bool plot_write_matrices(const struct plot_matrices *m, const char *path, GError **error);
