/* dialog_palette.h: an indexed image has no place for a picture's colours: a copy of it in RGB is
 * offered, on which the dialog then goes on. */
#pragma once

#include "plugin/dialog_target.h"
#include "plugin/dialog_toolkit.h"

/* Whether the target can be painted on: it is not indexed, or the person let a copy be made, which
 * is shown, and which the target then is. parent: the dialog's window. */
bool dialog_palette_good(struct dialog_target *t, GtkWidget *parent);
