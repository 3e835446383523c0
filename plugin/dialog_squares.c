/* What will be learned; see dialog_squares.h. */
#include "plugin/dialog_squares.h"

#include <math.h>

#define PALE 0.25f // of what is not marked, the rest of it is grey
#define GREY 0.5f

// the picture with what is not marked pale
static GdkPixbuf *make_pale(const GdkPixbuf *p)
{
    const int width = gdk_pixbuf_get_width(p), height = gdk_pixbuf_get_height(p);
    const int channels = gdk_pixbuf_get_n_channels(p);
    GdkPixbuf *made = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, width, height);

    for (int y = 0; y < height; y++) {
        guchar *out = gdk_pixbuf_get_pixels(made) + (size_t)y * gdk_pixbuf_get_rowstride(made);
        const guchar *in = gdk_pixbuf_read_pixels(p) + (size_t)y * gdk_pixbuf_get_rowstride(p);
        for (int x = 0; x < width; x++, in += channels) {
            const float share = PALE + (1 - PALE) * (channels == 4 ? in[3] / 255.0f : 1);
            for (int c = 0; c < 3; c++) {
                *out++ = (guchar)lroundf(255 * (GREY + share * (in[c] / 255.0f - GREY)));
            }
        }
    }
    return made;
}

void dialog_squares_show(GtkWidget *image, GdkPixbuf *squares, int side)
{
    if (squares == NULL) {
        gtk_image_clear(GTK_IMAGE(image));
        return;
    }
    const int width = gdk_pixbuf_get_width(squares), height = gdk_pixbuf_get_height(squares);
    const double scale = MIN((double)side / height, 2.0 * side / width);
    g_autoptr(GdkPixbuf) all = make_pale(squares);
    g_autoptr(GdkPixbuf) fitting = gdk_pixbuf_scale_simple(
        all, MAX(1, (int)(width * scale)), MAX(1, (int)(height * scale)), GDK_INTERP_BILINEAR);
    gtk_image_set_from_pixbuf(GTK_IMAGE(image), fitting);
}
