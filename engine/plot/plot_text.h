/* plot_text.h: texts of a figure. Their sizes do not depend on what is drawn on, so that a figure is laid out
 * once for .png and .svg. */
#pragma once

#include "engine/plot/plot_font.h"

#define PLOT_TEXT  11 // units of texts, and of titles
#define PLOT_TITLE 13

/* How wide it is, and how high a line of the font is above the letters' foot. */
double plot_text_width(cairo_t *cr, const char *text);
double plot_text_height(cairo_t *cr);

/* What of a text is drawn where it may be so wide: valid UTF-8 in one line, with "…" for what of its middle
 * has no place. NULL is "". Owned by the caller. */
char *plot_text_fit(cairo_t *cr, const char *text, double width);
/* The width that the widest of them takes, `most` at most. */
double plot_text_widest(cairo_t *cr, const char *const *texts, int n, double most);

/* From x (side 0), around it (0.5) or up to it (1), with its middle at y, turned by an angle around that
 * point. */
void plot_text_put(cairo_t *cr, const char *text, double x, double y, double side, double angle);
