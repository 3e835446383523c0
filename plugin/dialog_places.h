/* dialog_places.h: choosing a place of the image; see spot.h. */
#pragma once

#include "plugin/host.h"

#include <gtk/gtk.h>

/* A list of the places of an image; `none`: what stands first for no place, NULL: one must be. */
GtkWidget *dialog_places_new(host_image image, const char *none);

/* The chosen place by name, "" for none; one that is not there is added. */
void dialog_places_set(GtkWidget *places, const char *name);
const char *dialog_places_get(GtkWidget *places);
