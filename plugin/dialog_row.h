/* dialog_row.h: one thing that goes somewhere, as a row: the colour in which its place is drawn,
 * its picture, its words, and its place. */
#pragma once

#include "plugin/host.h"

#include <gtk/gtk.h>

#define ROW_PICTURE_SIDE 28 // pixels

struct dialog_row {
    GtkWidget *box;     // all of it
    GtkWidget *picture; // GtkImage, not shown until it has one
    GtkWidget *words;   // GtkEntry
    GtkWidget *place;   // dialog_places_new
};

/* Makes the row with this number. none: as in dialog_places_new. changed: called when the words or
 * the place are. */
void dialog_row_init(struct dialog_row *row, int number, host_image image, const char *none,
                     void (*changed)(void *user), void *user);

const char *dialog_row_words(const struct dialog_row *row);
