/* What GTK 2 alone does so, in GIMP 2.10; see dialog_toolkit.h. */
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

// asking for it does not change what the widget has
int toolkit_wanted_height(GtkWidget *widget)
{
    GtkRequisition size;

    gtk_widget_size_request(widget, &size);
    return size.height;
}

GtkWidget *toolkit_box(GtkOrientation orientation, int spacing)
{
    return orientation == GTK_ORIENTATION_VERTICAL ? gtk_vbox_new(FALSE, spacing)
                                                   : gtk_hbox_new(FALSE, spacing);
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
    // a table cannot scroll by itself
    gtk_scrolled_window_add_with_viewport(GTK_SCROLLED_WINDOW(scrolled), widget);
    // what gets the focus scrolls into view
    gtk_container_set_focus_vadjustment(
        GTK_CONTAINER(widget), gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scrolled)));
    gtk_viewport_set_shadow_type(GTK_VIEWPORT(gtk_bin_get_child(GTK_BIN(scrolled))),
                                 GTK_SHADOW_NONE);
}

// the area has a window of its own, so that its corner is at 0, 0
static gboolean on_expose(GtkWidget *area, GdkEventExpose *event, void *data)
{
    const struct toolkit_canvas *c = data;
    cairo_t *cr = gdk_cairo_create(event->window);
    GtkAllocation size;

    gtk_widget_get_allocation(area, &size);
    c->paint(cr, size.width, size.height, c->user);
    cairo_destroy(cr);
    return TRUE;
}

void toolkit_watch_canvas(GtkWidget *area, struct toolkit_canvas *c)
{
    g_signal_connect(area, "expose-event", G_CALLBACK(on_expose), c);
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
