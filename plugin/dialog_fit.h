/* dialog_fit.h: a part of a window that scrolls where the window would not fit its screen. */
#pragma once

#include "plugin/dialog_toolkit.h"

/* Takes what shall scroll, gives what is to be packed into the window. */
GtkWidget *dialog_fit_new(GtkWidget *inside);

/* Before the window is shown, so that it begins with the height that it needs. */
void dialog_fit_begin(GtkWidget *fit);

/* Scrolls until the widget in it is at its top, as far as that goes. */
void dialog_fit_show(GtkWidget *fit, GtkWidget *widget);
