/* dialog_map.h: the image, small, with places drawn over it, each in a colour of its own. */
#pragma once

#include "plugin/call.h"

#include <gtk/gtk.h>

/* Of the image of `chosen`, which must stay as long as the widget. */
GtkWidget *dialog_map_new(const struct call *chosen);

/* Draws n places by name, what they are said to show beside each other, and the image anew. A name
 * of no place is passed over. */
void dialog_map_show(GtkWidget *map, const char *const *places, const char *const *texts, int n);

/* The colour of the place with this number, red, green and blue. */
void dialog_map_colour(int number, double colour[3]);
