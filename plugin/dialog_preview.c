/* A place for pictures; see dialog_preview.h. The worker's previews have one pixel where the
 * picture will have eight a side or so: they are shown larger, with smooth edges. */
#include "plugin/dialog_preview.h"

GtkWidget *dialog_preview_new(int side)
{
    GtkWidget *image = gtk_image_new();

    gtk_widget_set_size_request(image, side, side);
    return image;
}

// as large as fits a square; takes nothing, gives a new one
static GdkPixbuf *fit(const GdkPixbuf *p, int side)
{
    const int width = gdk_pixbuf_get_width(p), height = gdk_pixbuf_get_height(p);
    const int longer = MAX(width, height);

    return gdk_pixbuf_scale_simple(p, MAX(1, width * side / longer), MAX(1, height * side / longer),
                                   GDK_INTERP_BILINEAR);
}

bool dialog_preview_show(GtkWidget *preview, const char *file)
{
    g_autoptr(GdkPixbuf) read = gdk_pixbuf_new_from_file(file, NULL);
    int side;

    if (read == NULL) {
        return false;
    }
    gtk_widget_get_size_request(preview, &side, NULL);
    g_autoptr(GdkPixbuf) shown = fit(read, side);
    gtk_image_set_from_pixbuf(GTK_IMAGE(preview), shown);
    return true;
}
