/* dialog_toolkit.h: what the dialog needs of GTK and what GTK 2 and GTK 3 do not do alike. One
 * implementation for each, dialog_gtk2.c and dialog_gtk3.c. Widgets come floating, as GTK makes
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
#define TOOLKIT_LOW 720 // pixels: on lower screens everything is smaller

/* The least height that a widget is content with, at the width that it wants. */
int toolkit_wanted_height(GtkWidget *widget);

/* A column or row, `spacing` pixels between its parts. */
GtkWidget *toolkit_column(int spacing);
GtkWidget *toolkit_row(int spacing);

/* Two columns: names with mnemonics, and what they name; `inner` is what the mnemonic leads to, the
 * widget itself or one in it. */
GtkWidget *toolkit_table(void);
void toolkit_attach(GtkWidget *table, int row, const char *name, GtkWidget *widget,
                    GtkWidget *inner);

/* Puts a widget that does not scroll by itself into a scrolled window. */
void toolkit_add_scrolled(GtkWidget *scrolled, GtkWidget *widget);

/* A text that wraps at `width` pixels, to be set and to be copied from, without the focus. */
GtkWidget *toolkit_paragraph(int width);

/* A name with a mnemonic, at the left. */
GtkWidget *toolkit_label(const char *text);

/* What a layer shows, at most `side` pixels a side. g_object_unref it. */
GdkPixbuf *toolkit_thumbnail(host_item layer, int side);

/* What an image shows in so many pixels; NULL when it cannot be had. g_object_unref it. */
GdkPixbuf *toolkit_image_thumbnail(host_image image, int width, int height);

/* Puts a button of the dialog to the other side, beside Help. */
void toolkit_set_aside(GtkWidget *dialog, GtkWidget *button);

/* A place that `paint` fills, in pixels of its own size. */
typedef void (*toolkit_paint)(cairo_t *cr, int width, int height, void *user);
GtkWidget *toolkit_canvas(int width, int height, toolkit_paint paint, void *user);

/* A slider from left to right, without its number. */
GtkWidget *toolkit_slider(double from, double to, double step);

/* A bar that shows a text. */
GtkWidget *toolkit_bar(void);
