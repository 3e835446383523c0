/* plot_font.h: the font of a figure's texts, and others for the signs that it has not. */
#pragma once

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>

/* The figure's own font from here on, DejaVu Sans by name: it comes with fontconfig, and what is there by default
 * may be a font of pictures. size: of a line, in units of cr. */
void plot_font(cairo_t *cr, double size, bool bold);

/* The bytes at the beginning of a text that one font draws, which is cr's from here on: its own, which is the
 * figure's, or for signs that this has not the one of all that are installed that has most of them. */
size_t plot_font_choose(cairo_t *cr, const char *text);
