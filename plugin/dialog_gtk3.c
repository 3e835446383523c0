/* Widgets of GTK 3, in GIMP 3; see dialog_toolkit.h. */
#include "plugin/dialog_toolkit.h"

void toolkit_start(void)
{
    gimp_ui_init("svdiff");
}

int toolkit_screen_height(void)
{
    GdkMonitor *monitor = gdk_display_get_monitor(gdk_display_get_default(), 0);
    GdkRectangle area = {0};

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

GtkWidget *toolkit_column(int spacing)
{
    return gtk_box_new(GTK_ORIENTATION_VERTICAL, spacing);
}

GtkWidget *toolkit_row(int spacing)
{
    return gtk_box_new(GTK_ORIENTATION_HORIZONTAL, spacing);
}

GtkWidget *toolkit_table(void)
{
    GtkWidget *table = gtk_grid_new();

    gtk_grid_set_row_spacing(GTK_GRID(table), 6);
    gtk_grid_set_column_spacing(GTK_GRID(table), 6);
    return table;
}

void toolkit_add_scrolled(GtkWidget *scrolled, GtkWidget *widget)
{
    gtk_container_add(GTK_CONTAINER(scrolled), widget); // with a viewport
    // that there is more is seen
    gtk_scrolled_window_set_overlay_scrolling(GTK_SCROLLED_WINDOW(scrolled), FALSE);
}

void toolkit_attach(GtkWidget *table, int row, const char *name, GtkWidget *widget,
                    GtkWidget *inner)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(name);

    gtk_label_set_xalign(GTK_LABEL(label), 0.0);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), inner);
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_grid_attach(GTK_GRID(table), label, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(table), widget, 1, row, 1, 1);
}

GtkWidget *toolkit_paragraph(int width)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_label_set_xalign(GTK_LABEL(label), 0.0);
    gtk_widget_set_can_focus(label, FALSE);
    gtk_widget_set_size_request(label, width, -1);
    return label;
}

GtkWidget *toolkit_label(const char *text)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0.0);
    return label;
}

GdkPixbuf *toolkit_thumbnail(host_item layer, int side)
{
    return gimp_drawable_get_thumbnail(gimp_drawable_get_by_id(layer), side, side,
                                       GIMP_PIXBUF_SMALL_CHECKS);
}

GdkPixbuf *toolkit_image_thumbnail(host_image image, int width, int height)
{
    g_autoptr(GdkPixbuf) small = gimp_image_get_thumbnail(gimp_image_get_by_id(image), width,
                                                          height, GIMP_PIXBUF_SMALL_CHECKS);

    return small != NULL ? gdk_pixbuf_scale_simple(small, width, height, GDK_INTERP_BILINEAR)
                         : NULL;
}

void toolkit_set_aside(GtkWidget *dialog, GtkWidget *button)
{
    GtkWidget *area = gtk_widget_get_parent(button);

    gtk_button_box_set_child_secondary(GTK_BUTTON_BOX(area), button, TRUE);
}

struct canvas {
    toolkit_paint paint;
    void *user;
};

static gboolean on_draw(GtkWidget *area, cairo_t *cr, void *data)
{
    const struct canvas *c = data;

    c->paint(cr, gtk_widget_get_allocated_width(area), gtk_widget_get_allocated_height(area),
             c->user);
    return TRUE;
}

GtkWidget *toolkit_canvas(int width, int height, toolkit_paint paint, void *user)
{
    GtkWidget *area = gtk_drawing_area_new();
    struct canvas *c = g_new(struct canvas, 1);

    *c = (struct canvas){paint, user};
    gtk_widget_set_size_request(area, width, height);
    g_object_set_data_full(G_OBJECT(area), "svdiff-canvas", c, g_free);
    g_signal_connect(area, "draw", G_CALLBACK(on_draw), c);
    return area;
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
