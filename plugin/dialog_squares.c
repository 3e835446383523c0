/* What will be learned; see dialog_squares.h. */
#include "plugin/dialog_squares.h"

#include <math.h>
#include <stdint.h>

#define PALE 0.25f // of what is not marked, the rest of it is grey
#define GREY 0.5f

// the picture with what is not marked pale, 8 bits
static GdkPixbuf *make_pixbuf(const picture *p)
{
    GdkPixbuf *made = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, p->width, p->height);
    const int stride = gdk_pixbuf_get_rowstride(made);

    for (int y = 0; y < p->height; y++) {
        guchar *out = gdk_pixbuf_get_pixels(made) + (size_t)y * stride;
        const float *in = p->pixels + (size_t)y * p->width * p->channels;
        for (int x = 0; x < p->width; x++, in += p->channels) {
            const float share = PALE + (1 - PALE) * (p->channels == 4 ? in[3] : 1);
            for (int c = 0; c < 3; c++) {
                *out++ = (guchar)lroundf(255 * (GREY + share * (in[c] - GREY)));
            }
        }
    }
    return made;
}

void dialog_squares_show(GtkWidget *image, const picture *squares, int side)
{
    if (squares == NULL) {
        gtk_image_clear(GTK_IMAGE(image));
        return;
    }
    const double scale = MIN((double)side / squares->height, 2.0 * side / squares->width);
    g_autoptr(GdkPixbuf) all = make_pixbuf(squares);
    g_autoptr(GdkPixbuf) fitting =
        gdk_pixbuf_scale_simple(all, MAX(1, (int)(squares->width * scale)),
                                MAX(1, (int)(squares->height * scale)), GDK_INTERP_BILINEAR);
    gtk_image_set_from_pixbuf(GTK_IMAGE(image), fitting);
}
