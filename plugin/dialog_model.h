/* dialog_model.h: choosing a model, with what the chosen file or folder is. */
#pragma once

#include <gtk/gtk.h>

/* The entry for a path, beside it buttons that open a file or a folder, and below it what svdiff
 * info says of it. */
GtkWidget *dialog_model_new(GtkWidget *entry);
