/* Widgets of GTK 2, in GIMP 2.10; see dialog_toolkit.h. */
#include "plugin/dialog_toolkit.h"

void toolkit_start(void)
{
    gimp_ui_init("svdiff", FALSE);
}

int toolkit_screen_height(void)
{
    GdkRectangle monitor;

    gdk_screen_get_monitor_geometry(gdk_screen_get_default(), 0, &monitor);
    return monitor.height;
}

int toolkit_wanted_height(GtkWidget *widget)
{
    GtkRequisition size;

    gtk_widget_size_request(widget, &size);
    return size.height;
}

GtkWidget *toolkit_column(int spacing)
{
    return gtk_vbox_new(FALSE, spacing);
}

GtkWidget *toolkit_row(int spacing)
{
    return gtk_hbox_new(FALSE, spacing);
}

GtkWidget *toolkit_table(void)
{
    GtkWidget *table = gtk_table_new(1, 2, FALSE);

    gtk_table_set_row_spacings(GTK_TABLE(table), 6);
    gtk_table_set_col_spacings(GTK_TABLE(table), 6);
    return table;
}

void toolkit_attach(GtkWidget *table, int row, const char *name, GtkWidget *widget,
                    GtkWidget *inner)
{
    GtkWidget *label =
        gimp_table_attach_aligned(GTK_TABLE(table), 0, row, name, 0.0, 0.5, widget, 1, FALSE);

    gtk_label_set_mnemonic_widget(GTK_LABEL(label), inner);
}

void toolkit_add_scrolled(GtkWidget *scrolled, GtkWidget *widget)
{
    gtk_scrolled_window_add_with_viewport(GTK_SCROLLED_WINDOW(scrolled), widget);
    // what gets the focus scrolls into view
    gtk_container_set_focus_vadjustment(
        GTK_CONTAINER(widget), gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scrolled)));
    gtk_viewport_set_shadow_type(GTK_VIEWPORT(gtk_bin_get_child(GTK_BIN(scrolled))),
                                 GTK_SHADOW_NONE);
}

GtkWidget *toolkit_paragraph(int width)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_widget_set_can_focus(label, FALSE);
    gtk_misc_set_alignment(GTK_MISC(label), 0.0, 0.5);
    gtk_widget_set_size_request(label, width, -1);
    return label;
}

GtkWidget *toolkit_label(const char *text)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(text);

    gtk_misc_set_alignment(GTK_MISC(label), 0.0, 0.5);
    return label;
}

GdkPixbuf *toolkit_thumbnail(host_item layer, int side)
{
    return gimp_drawable_get_thumbnail(layer, side, side, GIMP_PIXBUF_SMALL_CHECKS);
}

GdkPixbuf *toolkit_image_thumbnail(host_image image, int width, int height)
{
    g_autoptr(GdkPixbuf) small =
        gimp_image_get_thumbnail(image, width, height, GIMP_PIXBUF_SMALL_CHECKS);

    return small != NULL ? gdk_pixbuf_scale_simple(small, width, height, GDK_INTERP_BILINEAR)
                         : NULL;
}

void toolkit_set_aside(GtkWidget *dialog, GtkWidget *button)
{
    gtk_button_box_set_child_secondary(
        GTK_BUTTON_BOX(gtk_dialog_get_action_area(GTK_DIALOG(dialog))), button, TRUE);
}

struct canvas {
    toolkit_paint paint;
    void *user;
};

static gboolean on_expose(GtkWidget *area, GdkEventExpose *event, void *data)
{
    const struct canvas *c = data;
    cairo_t *cr = gdk_cairo_create(event->window);
    GtkAllocation size;

    gtk_widget_get_allocation(area, &size);
    c->paint(cr, size.width, size.height, c->user);
    cairo_destroy(cr);
    return TRUE;
}

GtkWidget *toolkit_canvas(int width, int height, toolkit_paint paint, void *user)
{
    GtkWidget *area = gtk_drawing_area_new();
    struct canvas *c = g_new(struct canvas, 1);

    *c = (struct canvas){paint, user};
    gtk_widget_set_size_request(area, width, height);
    g_object_set_data_full(G_OBJECT(area), "svdiff-canvas", c, g_free);
    g_signal_connect(area, "expose-event", G_CALLBACK(on_expose), c);
    return area;
}

GtkWidget *toolkit_slider(double from, double to, double step)
{
    GtkWidget *slider = gtk_hscale_new_with_range(from, to, step);

    gtk_scale_set_draw_value(GTK_SCALE(slider), FALSE);
    return slider;
}

GtkWidget *toolkit_bar(void)
{
    return gtk_progress_bar_new();
}
