/* dialog_number.h: a number as a field: a slider where one helps, digits, and a way back to what is
 * used where nobody says a number.
 *
 * Arguments whose 0 or less stands for something (procedures.h: own) show the number that will be
 * used, ticked as "the model's own"; another number unticks it, ticking it brings it back. */
#pragma once

#include "plugin/procedures.h"

#include <gtk/gtk.h>

/* What has the number of the argument: a spin button. */
GtkWidget *dialog_number_new(const struct argument *p);

/* What is around it, to be put into the window. */
GtkWidget *dialog_number_widget(GtkWidget *number);

/* The argument's value: what stands for the model's own is 0 or less. */
void dialog_number_set(GtkWidget *number, double value);
double dialog_number_get(GtkWidget *number);

/* Says what the model's own number is; nothing is called for that. */
void dialog_number_own(GtkWidget *number, double value);

/* Has a function called when a person changed the value. */
void dialog_number_watch(GtkWidget *number, void (*changed)(void *user), void *user);
