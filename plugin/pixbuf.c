/* Pictures of 8 bits; see pixbuf.h. */
#include "plugin/pixbuf.h"

#include "plugin/words.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/picture/picture_exchange.h"

#include <math.h>

#define TEXT "tEXt::" // before the key of a text, where gdk-pixbuf is told of one

GdkPixbuf *pixbuf_of(const svdiff_picture *p)
{
    GdkPixbuf *made = gdk_pixbuf_new(GDK_COLORSPACE_RGB, p->channels == 4, 8, p->width, p->height);
    // of a row, which a pixbuf pads and a picture does not
    const size_t n = (size_t)p->width * p->channels;

    for (int y = 0; y < p->height; y++) {
        guchar *out = gdk_pixbuf_get_pixels(made) + (size_t)y * gdk_pixbuf_get_rowstride(made);
        for (size_t i = 0; i < n; i++) {
            out[i] = (guchar)lrintf(CLAMP(p->pixels[y * n + i], 0.0f, 1.0f) * 255);
        }
    }
    return made;
}

// [height, width, channels], 0 to 1
svdiff_picture *pixbuf_picture(const GdkPixbuf *pixbuf, GError **error)
{
    picture *p = picture_create(gdk_pixbuf_get_width(pixbuf), gdk_pixbuf_get_height(pixbuf),
                                gdk_pixbuf_get_n_channels(pixbuf), error);
    const size_t n = p != NULL ? (size_t)p->width * p->channels : 0;

    for (int y = 0; p != NULL && y < p->height; y++) {
        const guchar *row =
            gdk_pixbuf_read_pixels(pixbuf) + (size_t)y * gdk_pixbuf_get_rowstride(pixbuf);
        for (size_t i = 0; i < n; i++) {
            p->pixels[y * n + i] = row[i] / 255.0f;
        }
    }
    return p;
}

// a problem of another library, as a sentence of ours; frees it
static void refuse(const char *format, const char *path, GError *problem, GError **error)
{
    error_failed(error, format, path, problem->message);
    g_error_free(problem);
}

// gdk-pixbuf makes the bytes; they become a file as all files of ours do, whole or not at all
bool pixbuf_write(const char *path, GdkPixbuf *pixbuf, const struct pixbuf_text *texts, int n,
                  GError **error)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autofree char **values = g_new0(char *, n + 1);
    g_autofree char *bytes = NULL;
    GError *problem = NULL;
    gsize size;

    for (int i = 0; i < n; i++) {
        g_ptr_array_add(keys, g_strconcat(TEXT, texts[i].key, NULL));
        values[i] = (char *)texts[i].value;
    }
    g_ptr_array_add(keys, NULL);
    if (!gdk_pixbuf_save_to_bufferv(pixbuf, &bytes, &size, "png", (char **)keys->pdata, values,
                                    &problem)) {
        refuse(_("%s cannot be written: %s"), path, problem, error);
        return false;
    }
    return atomic_file_store(path, bytes, size, error);
}

GdkPixbuf *pixbuf_read(const char *path, GError **error)
{
    GError *problem = NULL;
    GdkPixbuf *pixbuf = gdk_pixbuf_new_from_file(path, &problem);

    if (pixbuf == NULL) {
        refuse(_("%s cannot be read: %s"), path, problem, error);
    }
    return pixbuf;
}

const char *pixbuf_text(GdkPixbuf *pixbuf, const char *key)
{
    g_autofree char *option = g_strconcat(TEXT, key, NULL);

    return gdk_pixbuf_get_option(pixbuf, option);
}
