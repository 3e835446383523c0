/* What GTK 3 alone does so, in GIMP 3; see dialog_toolkit.h. */
#include "plugin/dialog_toolkit.h"

void toolkit_start(void)
{
    gimp_ui_init("svdiff");
}

int toolkit_screen_height(void)
{
    GdkMonitor *monitor = gdk_display_get_monitor(gdk_display_get_default(), 0);
    GdkRectangle area = {0};

    // none is known before the first one is told of: then the screen counts as low
    if (monitor != NULL) {
        gdk_monitor_get_geometry(monitor, &area);
    }
    return area.height;
}

int toolkit_wanted_height(GtkWidget *widget)
{
    GtkRequisition size;

    gtk_widget_get_preferred_size(widget, &size, NULL);
    return size.height;
}

GtkWidget *toolkit_box(GtkOrientation orientation, int spacing)
{
    return gtk_box_new(orientation, spacing);
}

GtkWidget *toolkit_table(void)
{
    GtkWidget *table = gtk_grid_new();

    gtk_grid_set_row_spacing(GTK_GRID(table), 6);
    gtk_grid_set_column_spacing(GTK_GRID(table), 6);
    return table;
}

// in a grid a widget takes the width that is left only when it asks for it
void toolkit_attach(GtkWidget *table, int row, const char *name, GtkWidget *widget,
                    GtkWidget *inner)
{
    GtkWidget *label = toolkit_label(name);

    gtk_label_set_mnemonic_widget(GTK_LABEL(label), inner);
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_grid_attach(GTK_GRID(table), label, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(table), widget, 1, row, 1, 1);
}

void toolkit_add_scrolled(GtkWidget *scrolled, GtkWidget *widget)
{
    gtk_container_add(GTK_CONTAINER(scrolled), widget); // with a viewport
    // that there is more is seen
    gtk_scrolled_window_set_overlay_scrolling(GTK_SCROLLED_WINDOW(scrolled), FALSE);
}

// GTK 3 hands out a context that is clipped to the area
static gboolean on_draw(GtkWidget *area, cairo_t *cr, void *data)
{
    const struct toolkit_canvas *c = data;

    c->paint(cr, gtk_widget_get_allocated_width(area), gtk_widget_get_allocated_height(area),
             c->user);
    return TRUE;
}

void toolkit_watch_canvas(GtkWidget *area, struct toolkit_canvas *c)
{
    g_signal_connect(area, "draw", G_CALLBACK(on_draw), c);
}

GtkWidget *toolkit_slider(double from, double to, double step)
{
    GtkWidget *slider = gtk_scale_new_with_range(GTK_ORIENTATION_HORIZONTAL, from, to, step);

    gtk_scale_set_draw_value(GTK_SCALE(slider), FALSE);
    return slider;
}

GtkWidget *toolkit_bar(void)
{
    GtkWidget *bar = gtk_progress_bar_new();

    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(bar), TRUE);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(bar), ""); // no percent
    return bar;
}
