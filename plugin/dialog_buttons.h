/* dialog_buttons.h: the window of a procedure's dialog, with its buttons. */
#pragma once

#include "plugin/procedures.h"

#include <gtk/gtk.h>

// responses besides GTK_RESPONSE_OK, which starts a run, and GTK_RESPONSE_CLOSE
enum {
    DIALOG_STOP = 1, // stop and keep
    DIALOG_SETTINGS, // take those of the layer
    DIALOG_RESET,    // to the defaults
    DIALOG_PAINT,    // what was learned
};

/* A window without content, in front of GIMP's. */
GtkWidget *dialog_buttons_new(const struct procedure *p);

/* Shows a button, or hides it; not every procedure has each. */
void dialog_buttons_show(GtkWidget *window, int response, bool shown);

/* Something runs, or not any more: Close is Cancel meanwhile, and nothing is offered of the run
 * before. */
void dialog_buttons_running(GtkWidget *window, bool running);
