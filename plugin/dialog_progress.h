/* dialog_progress.h: where a run is, in a dialog: a bar, the picture as it comes, the curve of the
 * loss, the window's title. */
#pragma once

#include "plugin/call.h"

#include <gtk/gtk.h>

struct dialog_progress {
    GtkWindow *window;          // whose title tells the step, which is seen when it is not
    const char *title;          // of the window, when nothing runs
    GtkWidget *bar;             // made by dialog_progress_init
    GtkWidget *preview, *curve; // the same
    GtkWidget *side;            // what is shown when there is something to be seen
};

/* Makes the widgets; window and side are to be set before the first run. */
void dialog_progress_init(struct dialog_progress *p, const char *title);

/* A run begins, or ends: nothing is shown of it but its last picture. */
void dialog_progress_begin(struct dialog_progress *p);
void dialog_progress_end(struct dialog_progress *p);

void dialog_progress_show(struct dialog_progress *p, const struct call_progress *now);
