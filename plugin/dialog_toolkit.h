/* dialog_toolkit.h: what the dialogs are built of: dialog_toolkit.c, and dialog_gtk2.c and
 * dialog_gtk3.c for what GTK 2 and GTK 3 do not do alike. Widgets come floating, as GTK makes
 * them. */
#pragma once

#include "plugin/host.h"

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

/* What a person sees, in words: G_MESSAGES_DEBUG=svdiff prints it. */
#define toolkit_tell(...) g_log("svdiff", G_LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Must be called before any widget is made. */
void toolkit_start(void);

/* Pixels of the screen, or of the first of several, from top to bottom. */
int toolkit_screen_height(void);

/* Whether the screen is so low that everything is smaller. */
bool toolkit_is_low(void);

/* The least height that a widget is content with, at the width that it wants. */
int toolkit_wanted_height(GtkWidget *widget);

/* ---- where widgets are ---- */

/* An empty column or row, `spacing` pixels between its parts. */
GtkWidget *toolkit_box(GtkOrientation orientation, int spacing);

/* The same with widgets in it, from the top or the left; NULL ends them. toolkit_add adds more. */
GtkWidget *toolkit_column(int spacing, ...) G_GNUC_NULL_TERMINATED;
GtkWidget *toolkit_row(int spacing, ...) G_GNUC_NULL_TERMINATED;
void toolkit_add(GtkWidget *box, ...) G_GNUC_NULL_TERMINATED;

/* The widget, which will take the place that is left in its column or row. */
GtkWidget *toolkit_grows(GtkWidget *widget);

/* Two columns: names with mnemonics, and what they name; `inner` is what the mnemonic leads to, the
 * widget itself or one in it. */
GtkWidget *toolkit_table(void);
void toolkit_attach(GtkWidget *table, int row, const char *name, GtkWidget *widget,
                    GtkWidget *inner);

/* A window onto a widget that does not scroll by itself, which moves up and down in it. */
GtkWidget *toolkit_scrolled(GtkWidget *inside);

/* Puts the widget into a scrolled window. */
void toolkit_add_scrolled(GtkWidget *scrolled, GtkWidget *widget);

/* The widget, which is not seen, with what is in it, until gtk_widget_show. */
GtkWidget *toolkit_hidden(GtkWidget *widget);

/* ---- widgets ---- */

/* A text that wraps at `width` pixels, to be set and to be copied from, without the focus. */
GtkWidget *toolkit_paragraph(int width);

/* A name with a mnemonic, at the left. */
GtkWidget *toolkit_label(const char *text);

/* Shortens the text of a label that is longer than so many characters; 0: than its place. */
void toolkit_ellipsize(GtkWidget *label, int characters);

/* A line to type into, so many characters wide (-1: as GTK wants it), where Enter is the button
 * that starts; the second makes one of an entry that is there. */
GtkWidget *toolkit_entry(int characters);
void toolkit_set_entry(GtkWidget *entry, int characters);

/* What an entry says; borrowed. */
const char *toolkit_text(GtkWidget *entry);
void toolkit_set_text(GtkWidget *entry, const char *text);

/* A button with a mnemonic, if its name has one; help: shown at the pointer, NULL: none. clicked is
 * called with user, and the button. */
GtkWidget *toolkit_button(const char *name, const char *help, GCallback clicked, void *user);

/* What a layer shows, at most `side` pixels a side. g_object_unref it. */
GdkPixbuf *toolkit_thumbnail(host_item layer, int side);

/* What an image shows in so many pixels; NULL when it cannot be had. g_object_unref it. */
GdkPixbuf *toolkit_image_thumbnail(host_image image, int width, int height);

/* A place that `paint` fills, in pixels of its own size. */
typedef void (*toolkit_paint)(cairo_t *cr, int width, int height, void *user);
GtkWidget *toolkit_canvas(int width, int height, toolkit_paint paint, void *user);

/* Has a canvas's `paint` called whenever its area is to be drawn. */
struct toolkit_canvas {
    toolkit_paint paint;
    void *user;
};
void toolkit_watch_canvas(GtkWidget *area, struct toolkit_canvas *c);

/* A slider from left to right, without its number. */
GtkWidget *toolkit_slider(double from, double to, double step);

/* A bar that shows a text. */
GtkWidget *toolkit_bar(void);
