/* dialog_squares.h: what will be learned, as people see it. */
#pragma once

#include <gtk/gtk.h>

/* Shows the squares that the worker told (call.h: squares), what is not marked of them pale, as
 * large as fits `side` pixels high and twice as wide. image: a GtkImage. NULL: nothing. */
void dialog_squares_show(GtkWidget *image, GdkPixbuf *squares, int side);
