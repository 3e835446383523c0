/* dialog_rows.h: things that go somewhere: for each a row with the colour in which its place is
 * drawn, its picture, its words and its place; and the image, small, with the places over it.
 *
 * Rows follow an entry that scripts know, and the entry follows the rows: `writing` says that one
 * is just written from the other, and nothing is called back then. */
#pragma once

#include "plugin/call.h"

#include <gtk/gtk.h>

#define ROW_PICTURE_SIDE 28 // pixels

struct dialog_row {
    GtkWidget *box;     // all of it
    GtkWidget *picture; // GtkImage, not shown until it has one
    GtkWidget *words;   // GtkEntry
    GtkWidget *place;   // dialog_places_new
};

struct dialog_rows {
    GtkWidget *map, *scrolled; // to be put into the window
    GArray *list;              // struct dialog_row
    bool writing;
    char **names; // of the places that can be chosen, as they were when the rows were made

    const struct call *chosen;
    const char *none;
    GtkWidget *column; // of the rows, in `scrolled`
    void (*changed)(void *user);
    void *user;
};

/* No rows yet, for the image of `chosen`, which must stay. none: what stands first for no place,
 * NULL: there must be one. changed: called when a person changes words or place of a row. */
void dialog_rows_init(struct dialog_rows *r, const struct call *chosen, const char *none,
                      void (*changed)(void *user), void *user);
void dialog_rows_finish(struct dialog_rows *r); // the widgets belong to their window

/* Adds a row; valid until the next one is added. */
struct dialog_row *dialog_rows_add(struct dialog_rows *r, const char *words, const char *place);
const struct dialog_row *dialog_rows_at(const struct dialog_rows *r, guint i);

/* Takes all rows away, and looks which places there are now. */
void dialog_rows_clear(struct dialog_rows *r);

/* Whether there are other places than the rows were made with. */
bool dialog_rows_are_old(const struct dialog_rows *r);

/* Writes into a row, or into the entry, without a call back. */
void dialog_rows_say(struct dialog_rows *r, guint i, const char *words, const char *place);
void dialog_rows_write(struct dialog_rows *r, GtkWidget *entry, const char *text);

/* Draws the image with the places of all rows, and makes room for the rows. */
void dialog_rows_show(const struct dialog_rows *r);

const char *dialog_row_words(const struct dialog_row *row);
const char *dialog_row_place(const struct dialog_row *row);
