/* dialog_regions.h: where things go in a picture, chosen: a row for each with its picture, its
 * words and its place, and the image, small, with the places drawn over it. */
#pragma once

#include "plugin/call.h"

#include <gtk/gtk.h>

/* Rows for the text of `entry` ("left half=a fox; PLACE=TEXT"), which they read and write; it is
 * not shown. subjects: the entry of the ticked ones, which new rows are about. `chosen` must stay
 * as long as the widget. */
GtkWidget *dialog_regions_new(const struct call *chosen, GtkWidget *entry, GtkWidget *subjects);

/* Looks again which places there are, channels and layers. */
void dialog_regions_renew(GtkWidget *entry);
