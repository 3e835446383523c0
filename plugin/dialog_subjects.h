/* dialog_subjects.h: the subjects that a person has learned, with their pictures, and the adapters and
 * embeddings that he brought along (brought.h), to tick. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

/* An entry for "fox:0.8; cat.safetensors", and below it the learned subjects with a tick and a
 * strength each (brought: adapters and embeddings, too). What is ticked is written into the entry, and what is typed there is ticked. */
GtkWidget *dialog_subjects_new(GtkWidget *entry, bool brought);

/* Looks again which there are. */
void dialog_subjects_renew(GtkWidget *entry);
