/* plot_file.h: what is drawn with cairo as a file, by its ending a PNG or an SVG. */
#pragma once

#include "engine/plot/plot.h"

#include <cairo.h>

// units a side at most: what cairo can draw in the pixels of a PNG
#define PLOT_SIDE_MAX 8000

typedef void (*plot_function)(void *user, cairo_t *cr);

/* Calls draw once, on white, width x height units: of an .svg pixels, of a .png two of them. The file is
 * written whole or not at all. False with a sentence. */
bool plot_file_write(const char *path, double width, double height, plot_function draw, void *user,
                     GError **error);

/* Something to measure texts with, on which nothing is to be drawn. cairo_destroy it. */
cairo_t *plot_measure(void);
