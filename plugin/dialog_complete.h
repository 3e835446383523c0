/* dialog_complete.h: prompts that complete themselves: to the names of learned subjects, and to
 * prompts that were used before. */
#pragma once

#include <gtk/gtk.h>

/* Completes what is typed into a prompt, the entry of a dialog_history_new. subjects: the entry of
 * the subjects that are used, to which one that is chosen is added; NULL: names are not offered. */
void dialog_complete_attach(GtkWidget *prompt, GtkWidget *subjects);
