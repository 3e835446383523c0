/* dialog_layers.h: the layers that are composed, a row for each: its picture, what it is, and where
 * it goes, drawn over the image. */
#pragma once

#include "plugin/call.h"

#include <gtk/gtk.h>

/* Rows for the layers of `chosen`, which must stay. They read and write the entries of the prompts
 * and of the places, one part a layer; neither is shown. things: called with what the layers are,
 * "a fox and a cat", now and when it changes; valid during the call only. */
GtkWidget *dialog_layers_new(const struct call *chosen, GtkWidget *prompts, GtkWidget *places,
                             void (*things)(void *user, const char *things), void *user);

/* Has rows for the layers that are chosen now, and their places in the image as it is now; what was
 * said of a layer stays. Whether they are others. */
bool dialog_layers_renew(GtkWidget *layers);
