/* dialog_history.h: the prompts that were used before, and some to start from, to choose from. */
#pragma once

#include <gtk/gtk.h>

/* The entry of a list of the texts that dialog_history_keep kept under a name, which must stay. */
GtkWidget *dialog_history_new(const char *name);

/* What is around the entry: to be shown. */
GtkWidget *dialog_history_widget(GtkWidget *entry);

/* Puts prompts to start from above those that were used; they take the place of those offered
 * before. */
void dialog_history_offer(GtkWidget *entry, char **prompts);

/* Keeps the text that the entry of a history says now, in front of the others. */
void dialog_history_keep(GtkWidget *entry);
