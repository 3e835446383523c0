/* dialog_preview.h: the picture as it comes, in a dialog. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

/* An empty place for pictures, `side` pixels a side. */
GtkWidget *dialog_preview_new(int side);

/* Shows the picture of a file, as large as fits; false, and nothing changes, if there is none. */
bool dialog_preview_show(GtkWidget *preview, const char *file);
