/* dialog_history.h: the prompts that were used before, to choose from. */
#pragma once

#include <gtk/gtk.h>

/* An entry with a list of the texts that dialog_history_keep kept under a name; *entry receives the
 * entry in it, which has the value. */
GtkWidget *dialog_history_new(const char *name, GtkWidget **entry);

/* Keeps the text that the entry of a history says now, in front of the others. */
void dialog_history_keep(GtkWidget *entry);
