/* dialog_gallery.h: the pictures that were made while a dialog is open, to choose from.
 *
 * They are layers already; those that are not chosen can be taken out of their image again. */
#pragma once

#include "plugin/call.h"

#include <gtk/gtk.h>

struct dialog_gallery;

/* An empty one, not shown until it has a picture. The chosen picture is shown large in `preview`, a
 * place of dialog_preview_new. */
struct dialog_gallery *dialog_gallery_new(GtkWidget *preview);
void dialog_gallery_free(struct dialog_gallery *g); // the widgets belong to their window

GtkWidget *dialog_gallery_widget(const struct dialog_gallery *g);

/* Adds the layers of a run and chooses the first. */
void dialog_gallery_add(struct dialog_gallery *g, const struct call_result *made);
