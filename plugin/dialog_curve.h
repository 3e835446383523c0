/* dialog_curve.h: the loss of the steps so far, as a curve. */
#pragma once

#include <gtk/gtk.h>

/* An empty curve; the text under the pointer says what it is. */
GtkWidget *dialog_curve_new(int width, int height);

/* Begins anew. */
void dialog_curve_clear(GtkWidget *curve);

/* Adds the loss of a step of all steps; a step that is there already is passed over. */
void dialog_curve_add(GtkWidget *curve, int step, int steps, double loss);
