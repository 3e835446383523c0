/* Placing pictures for mixing; see learn_place.h. */
#include "engine/learn/pictures/learn_place.h"

#include "engine/learn/pictures/learn_find.h"
#include "engine/learn/pictures/learn_frame.h"

#include <math.h>

#define FILL 0.95 // of the target, at most

// where the subject is, in pixels of the image
static struct layout_box subject_box(const picture *image, const picture *mask)
{
    struct layout_box box;

    return mask != NULL && learn_frame_box(mask, &box) ? box : learn_find_subject(image);
}

struct move {
    int width, height; // of the scaled picture
    int x, y;          // of its corner in the square
};

/* The largest scale at which the subject's box fits the target, within the limit: alone is the
 * scale at which the picture covers the frame. */
static struct move find_move(const picture *image, struct layout_box from,
                             const struct learn_placing *p)
{
    const struct layout_box *to = &p->target;
    const double alone = (double)MIN(p->width, p->height) / MIN(image->width, image->height);
    const double fit_x = FILL * p->width * (to->right - to->left) / (from.right - from.left);
    const double fit_y = FILL * p->height * (to->bottom - to->top) / (from.bottom - from.top);
    const double scale = MIN(p->limit * alone, MIN(fit_x, fit_y));
    struct move m = {.width = MAX(1, (int)lrint(image->width * scale)),
                     .height = MAX(1, (int)lrint(image->height * scale))};
    // the middles of box and target meet, to whole pixels
    const double cx = (from.left + from.right) / 2 * m.width / image->width;
    const double cy = (from.top + from.bottom) / 2 * m.height / image->height;

    m.x = (int)lrint(p->width * (to->left + to->right) / 2 - cx);
    m.y = (int)lrint(p->height * (to->top + to->bottom) / 2 - cy);
    return m;
}

// extend: beyond the picture its nearest pixels go on, else there is 0
static picture *move_picture(const picture *image, const struct move *m,
                             const struct learn_placing *p, bool extend, GError **error)
{
    g_autoptr(picture) scaled = picture_resize(image, m->width, m->height, error);
    picture *out =
        scaled != NULL ? picture_create(p->width, p->height, image->channels, error) : NULL;
    const int channels = image->channels;

    for (int i = 0; out != NULL && i < p->width * p->height; i++) {
        const int x = i % p->width - m->x, y = i / p->width - m->y;
        const int near_x = CLAMP(x, 0, m->width - 1), near_y = CLAMP(y, 0, m->height - 1);
        const float *from = scaled->pixels + ((size_t)near_y * m->width + near_x) * channels;
        const bool inside = x == near_x && y == near_y;
        for (int c = 0; c < channels; c++) {
            out->pixels[(size_t)i * channels + c] = inside || extend ? from[c] : 0;
        }
    }
    return out;
}

bool learn_place(const picture *image, const picture *mask, const struct learn_placing *p,
                 picture **placed, picture **placed_mask, GError **error)
{
    const struct move m = find_move(image, subject_box(image, mask), p);

    // a mask tells where the subject is, even if nobody wants it back
    const bool masked = mask != NULL && placed_mask != NULL;
    picture *moved_mask = masked ? move_picture(mask, &m, p, false, error) : NULL;

    if (placed_mask != NULL) {
        *placed_mask = moved_mask;
    }
    *placed = masked && moved_mask == NULL ? NULL : move_picture(image, &m, p, true, error);
    if (*placed == NULL && moved_mask != NULL) {
        g_clear_pointer(placed_mask, picture_free);
    }
    return *placed != NULL;
}
