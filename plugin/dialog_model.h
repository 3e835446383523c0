/* dialog_model.h: choosing a model, with what the chosen file or folder is. */
#pragma once

#include <gtk/gtk.h>
#include <json-glib/json-glib.h>

/* Gets what runs of the model take where nothing else is asked for, as svdiff info says it
 * ("defaults"); valid during the call. */
typedef void (*dialog_model_told)(void *user, JsonObject *defaults);

/* The entry for a path, beside it buttons that open a file or a folder, and below it what svdiff
 * info says of it. told is called whenever another model is chosen, and once in the beginning. */
GtkWidget *dialog_model_new(GtkWidget *entry, dialog_model_told told, void *user);
