/* Small pictures in subject files; see thumbnail.h. What is read comes from anywhere: its size is
 * looked at before there is memory for it. */
#include "engine/subject/thumbnail.h"

#include "engine/base/error.h"
#include "engine/picture/picture_scale.h"
#include "engine/subject/subject_file.h"
#include "engine/svdiff.h"

#include <string.h>

#define LARGEST_TEXT (4u << 20) // characters
#define LARGEST_SIDE 1024       // pixels; other programs' previews may be larger than ours

char *thumbnail_encode(const picture *image, const picture *marked, GError **error)
{
    // the square that is learned, as far as that is known before cropping
    const struct picture_frame frame =
        picture_frame_around(image, marked, THUMBNAIL_SIDE, THUMBNAIL_SIDE);
    g_autoptr(picture) small = picture_cut(image, &frame, error);
    g_autoptr(GBytes) png = small != NULL ? picture_to_png(small, error) : NULL;

    if (png == NULL) {
        return NULL;
    }
    return g_base64_encode(g_bytes_get_data(png, NULL), g_bytes_get_size(png));
}

picture *thumbnail_decode(const char *text, const char *path, GError **error)
{
    g_autofree char *name = g_strconcat("the preview in ", path, NULL);
    g_autofree guchar *png = NULL;
    gsize size = 0;

    if (strlen(text) > LARGEST_TEXT) {
        error_failed(error, "%s: its text is longer than any small picture's; do without it.",
                     name);
        return NULL;
    }
    // what is no base64 gives no PNG, which the next line says
    png = g_base64_decode(text, &size);
    return picture_from_png(png, size, LARGEST_SIDE, name, error);
}

picture *svdiff_subject_preview(const char *file, GError **error)
{
    g_autoptr(subject_file) s = subject_open(file, error);
    const char *text = s != NULL ? subject_metadata(s, THUMBNAIL_KEY) : NULL;

    return text != NULL ? thumbnail_decode(text, file, error) : NULL;
}
