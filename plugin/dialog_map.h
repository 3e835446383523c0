/* dialog_map.h: the image, small, with places drawn over it, each in a colour of its own. */
#pragma once

#include "plugin/call.h"

#include <gtk/gtk.h>

/* Of the image of `chosen`, which must stay as long as the widget. */
GtkWidget *dialog_map_new(const struct call *chosen);

/* Takes the image as it is now, without places. */
void dialog_map_clear(GtkWidget *map);

/* Draws a place by name in the colour of this number, and what it is said to show. A name of no
 * place is passed over, as "" is. */
void dialog_map_add(GtkWidget *map, const char *place, const char *text, int number);

/* The colour of the place with this number, red, green and blue. */
void dialog_map_colour(int number, double colour[3]);
