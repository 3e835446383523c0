/* Pictures with margins; see canvas.h. */
#include "engine/picture/canvas.h"

#include "engine/base/error.h"
#include "engine/picture/picture_origin.h"

#include <string.h>

bool canvas_parse(const char *option, const char *text, struct canvas_margins *m, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    const guint n = g_strv_length(words);
    int *const sides[] = {&m->left, &m->top, &m->right, &m->bottom};
    bool good = n == 1 || n == 4;

    for (guint i = 0; i < 4 && good; i++) {
        guint64 value = 0;
        // one number is that of all four sides
        good = g_ascii_string_to_unsigned(words[n == 1 ? 0 : i], 10, 0, PICTURE_SIDE_MAX, &value,
                                          NULL);
        *sides[i] = (int)value;
    }
    if (good && m->left + m->top + m->right + m->bottom > 0) {
        return true;
    }
    return error_usage(error,
                       "%s is '%s'; it can be the pixels of all four sides, 64, or of each, "
                       "LEFT,TOP,RIGHT,BOTTOM: 0,0,64,0.",
                       option, text);
}

static picture *make(int width, int height, int channels, const struct canvas_margins *m,
                     GError **error)
{
    // in 64 bits: a side and its two margins may exceed an int
    const int64_t w = (int64_t)width + m->left + m->right;
    const int64_t h = (int64_t)height + m->top + m->bottom;

    if (w > PICTURE_SIDE_MAX || h > PICTURE_SIDE_MAX) {
        error_failed(error,
                     "With its margins the picture would have %" G_GINT64_FORMAT
                     " x %" G_GINT64_FORMAT " pixels; %d a side are the most.",
                     w, h, PICTURE_SIDE_MAX);
        return NULL;
    }
    return picture_create((int)w, (int)h, channels, error);
}

// what the margins are around, its own samples, too, has margins
static bool extend_origin(const picture *p, const struct canvas_margins *m, picture *out,
                          GError **error)
{
    if (p->origin == NULL || p->origin->own == NULL) {
        out->origin = picture_origin_ref(p->origin);
        return true;
    }
    picture *own = canvas_extend(p->origin->own, m, error);
    out->origin = own != NULL ? picture_origin_with(p->origin, own) : NULL;
    return own != NULL;
}

picture *canvas_extend(const picture *p, const struct canvas_margins *m, GError **error)
{
    picture *out = make(p->width, p->height, 4, m, error);

    if (out == NULL) {
        return NULL;
    }
    // a margin is clear, so that painting knows it as a place without a picture
    memset(out->pixels, 0, (size_t)out->width * out->height * 4 * sizeof(float));
    for (int y = 0; y < p->height; y++) {
        float *to = out->pixels + 4 * ((size_t)(y + m->top) * out->width + m->left);
        const float *from = p->pixels + (size_t)y * p->width * p->channels;
        for (int x = 0; x < p->width; x++) {
            memcpy(to + 4 * x, from + x * p->channels, 3 * sizeof *to);
            // what had no alpha is opaque
            to[4 * x + 3] = p->channels == 4 ? from[4 * x + 3] : 1;
        }
    }
    if (!extend_origin(p, m, out, error)) {
        g_clear_pointer(&out, picture_free);
    }
    return out;
}

picture *canvas_extend_mask(int width, int height, const picture *mask,
                            const struct canvas_margins *m, GError **error)
{
    picture *out = make(width, height, 1, m, error);

    if (out == NULL) {
        return NULL;
    }
    for (size_t i = 0, n = (size_t)out->width * out->height; i < n; i++) {
        // the margins are to be painted: white; the rest is written over below
        out->pixels[i] = 1;
    }
    for (int y = 0; y < height; y++) {
        float *to = out->pixels + (size_t)(y + m->top) * out->width + m->left;
        memset(to, 0, width * sizeof *to);
        if (mask != NULL) {
            memcpy(to, mask->pixels + (size_t)y * width, width * sizeof *to);
        }
    }
    return out;
}

picture *canvas_clear(const picture *p, GError **error)
{
    picture *out = picture_create(p->width, p->height, 1, error);

    for (size_t i = 0, n = (size_t)p->width * p->height; out != NULL && i < n; i++) {
        out->pixels[i] = p->channels == 4 ? 1 - p->pixels[4 * i + 3] : 0;
    }
    return out;
}
