/* dialog_subjects.h: the subjects that a person has learned, with their pictures, and the adapters and
 * embeddings that he brought along (brought.h), to tick. */
#pragma once

#include <gtk/gtk.h>

// what the list has, of these
enum { LISTED_SUBJECTS = 1, LISTED_BROUGHT = 2 };

/* An entry for "fox:0.8; cat.safetensors", and below it what is listed with a tick and a strength each. What is
 * ticked is written into the entry, and what is typed there is ticked. */
GtkWidget *dialog_subjects_new(GtkWidget *entry, unsigned listed);

/* Looks again which there are. */
void dialog_subjects_renew(GtkWidget *entry);
