/* dialog_gallery.h: the pictures that were made, here or before, to choose from.
 *
 * They are those of the history (history.h). A run's are layers already; each can be added again,
 * and thrown away. */
#pragma once

#include "plugin/dialog_target.h"

#include <gtk/gtk.h>
#include <stdbool.h>

struct dialog_gallery;

// what the dialog does for it
struct dialog_gallery_calls {
    /* Takes the settings of a picture. */
    void (*settings)(void *user, const char *text);
    void (*say)(void *user, const char *sentence);
    void *user;
};

/* All that are kept; not shown while there are none. They are added to the
 * image of the target, which must stay; NULL: none are shown, nothing is made here.
 * The chosen picture is shown large in `preview`, a place of dialog_preview_new. */
struct dialog_gallery *dialog_gallery_new(GtkWidget *preview, struct dialog_target *target,
                                          const struct dialog_gallery_calls *calls);
void dialog_gallery_free(struct dialog_gallery *g); // the widgets belong to their window

GtkWidget *dialog_gallery_widget(const struct dialog_gallery *g);

/* Whether there is something to choose from. */
bool dialog_gallery_has_any(const struct dialog_gallery *g);

/* Looks which pictures are kept now, and chooses the newest. */
void dialog_gallery_renew(struct dialog_gallery *g);
