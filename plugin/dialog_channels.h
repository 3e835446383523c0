/* dialog_channels.h: the channels of an image, to choose one. */
#pragma once

#include "plugin/host.h"

#include <gtk/gtk.h>

/* A list of none (HOST_NONE), which is chosen, and the channels: a GimpIntComboBox of their ids. */
GtkWidget *dialog_channels_new(host_image image);

/* The chosen one, or HOST_NONE. */
host_item dialog_channels_get(GtkWidget *list);

/* Looks which channels the image has now, or another image; the chosen one stays if it is there. */
void dialog_channels_renew(GtkWidget *list, host_image image);
