/* What GTK 2 and GTK 3 do alike; see dialog_toolkit.h. It is compiled once for each GIMP. */
#include "plugin/dialog_toolkit.h"

#include "plugin/host_ids.h"

#include <string.h>

#define LOW   720 // pixels
#define GROWS "svdiff-grows"

bool toolkit_is_low(void)
{
    return toolkit_screen_height() < LOW;
}

/* ---- where widgets are ---- */

// a mark that the box looks for, because rows and columns list widgets alone
GtkWidget *toolkit_grows(GtkWidget *widget)
{
    g_object_set_data(G_OBJECT(widget), GROWS, widget);
    return widget;
}

static void add_all(GtkWidget *box, va_list widgets)
{
    for (GtkWidget *widget; (widget = va_arg(widgets, GtkWidget *)) != NULL;) {
        const bool grows = g_object_get_data(G_OBJECT(widget), GROWS) != NULL;
        gtk_box_pack_start(GTK_BOX(box), widget, grows, TRUE, 0);
    }
}

void toolkit_add(GtkWidget *box, ...)
{
    va_list widgets;

    va_start(widgets, box);
    add_all(box, widgets);
    va_end(widgets);
}

GtkWidget *toolkit_column(int spacing, ...)
{
    GtkWidget *box = toolkit_box(GTK_ORIENTATION_VERTICAL, spacing);
    va_list widgets;

    va_start(widgets, spacing);
    add_all(box, widgets);
    va_end(widgets);
    return box;
}

GtkWidget *toolkit_row(int spacing, ...)
{
    GtkWidget *box = toolkit_box(GTK_ORIENTATION_HORIZONTAL, spacing);
    va_list widgets;

    va_start(widgets, spacing);
    add_all(box, widgets);
    va_end(widgets);
    return box;
}

GtkWidget *toolkit_scrolled(GtkWidget *inside)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);

    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    toolkit_add_scrolled(scrolled, inside);
    return scrolled;
}

// the window's own gtk_widget_show_all is not for it
GtkWidget *toolkit_hidden(GtkWidget *widget)
{
    // what is in it first: shown later, it is whole
    gtk_widget_show_all(widget);
    gtk_widget_hide(widget);
    gtk_widget_set_no_show_all(widget, TRUE);
    return widget;
}

/* ---- widgets ---- */

// "xalign" is GtkMisc's in GTK 2 and GtkLabel's in GTK 3
GtkWidget *toolkit_label(const char *text)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(text);

    g_object_set(label, "xalign", 0.0, NULL);
    return label;
}

/* Without the focus: GTK would else select all of it when the window opens, and Tab would stop
 * there. */
GtkWidget *toolkit_paragraph(int width)
{
    GtkWidget *label = toolkit_label("");

    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_widget_set_can_focus(label, FALSE);
    gtk_widget_set_size_request(label, width, -1);
    return label;
}

void toolkit_ellipsize(GtkWidget *label, int characters)
{
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    if (characters > 0) {
        gtk_label_set_width_chars(GTK_LABEL(label), characters);
    }
}

void toolkit_set_entry(GtkWidget *entry, int characters)
{
    gtk_entry_set_width_chars(GTK_ENTRY(entry), characters);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
}

GtkWidget *toolkit_entry(int characters)
{
    GtkWidget *entry = gtk_entry_new();

    toolkit_set_entry(entry, characters);
    return entry;
}

const char *toolkit_text(GtkWidget *entry)
{
    return gtk_entry_get_text(GTK_ENTRY(entry));
}

void toolkit_set_text(GtkWidget *entry, const char *text)
{
    gtk_entry_set_text(GTK_ENTRY(entry), text);
}

GtkWidget *toolkit_button(const char *name, const char *help, GCallback clicked, void *user)
{
    // a label with a mnemonic names what is beside it, too
    GtkWidget *button = strchr(name, '_') != NULL ? gtk_button_new_with_mnemonic(name)
                                                  : gtk_button_new_with_label(name);

    gtk_widget_set_tooltip_text(button, help);
    g_signal_connect_swapped(button, "clicked", clicked, user);
    return button;
}

GdkPixbuf *toolkit_thumbnail(host_item layer, int side)
{
    return gimp_drawable_get_thumbnail(DRAWABLE(layer), side, side, GIMP_PIXBUF_SMALL_CHECKS);
}

// GIMP keeps the shape and rounds: the map wants just so many pixels
GdkPixbuf *toolkit_image_thumbnail(host_image image, int width, int height)
{
    g_autoptr(GdkPixbuf) small =
        gimp_image_get_thumbnail(IMAGE(image), width, height, GIMP_PIXBUF_SMALL_CHECKS);

    return small != NULL ? gdk_pixbuf_scale_simple(small, width, height, GDK_INTERP_BILINEAR)
                         : NULL;
}

GtkWidget *toolkit_canvas(int width, int height, toolkit_paint paint, void *user)
{
    GtkWidget *area = gtk_drawing_area_new();
    struct toolkit_canvas *c = g_new(struct toolkit_canvas, 1);

    *c = (struct toolkit_canvas){paint, user};
    gtk_widget_set_size_request(area, width, height);
    g_object_set_data_full(G_OBJECT(area), "svdiff-canvas", c, g_free);
    toolkit_watch_canvas(area, c);
    return area;
}
