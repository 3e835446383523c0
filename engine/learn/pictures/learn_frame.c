/* Framing of learning pictures; see learn_frame.h. */
#include "engine/learn/pictures/learn_frame.h"

#include "engine/base/noise.h"
#include "engine/learn/pictures/learn_find.h"

#include <math.h>

picture *learn_frame_union(const struct learn_source *source, GError **error)
{
    if (source->n_masks == 0) {
        return NULL;
    }
    // the square is around all subjects of the picture, whoever is learned from it
    picture *all = picture_create(source->image->width, source->image->height, 1, error);
    const size_t count = (size_t)source->image->width * source->image->height;
    for (size_t i = 0; all != NULL && i < count; i++) {
        all->pixels[i] = 0;
        for (int j = 0; j < source->n_masks; j++) {
            all->pixels[i] = MAX(all->pixels[i], source->masks[j]->pixels[i]);
        }
    }
    return all;
}

static bool box_above(const picture *mask, float least, struct layout_box *box)
{
    // each edge begins at the opposite one, so that nothing at all has a width below 0
    *box = (struct layout_box){.left = mask->width, .top = mask->height};
    for (int y = 0; y < mask->height; y++) {
        for (int x = 0; x < mask->width; x++) {
            if (mask->pixels[(size_t)y * mask->width + x] > least) {
                box->left = MIN(box->left, x);
                box->right = MAX(box->right, x + 1);
                box->top = MIN(box->top, y);
                box->bottom = MAX(box->bottom, y + 1);
            }
        }
    }
    return box->right > 0;
}

bool learn_frame_box(const picture *mask, struct layout_box *box)
{
    // a faint edge beside white says nothing, faint marks alone are all that there is
    return box_above(mask, 0.5f, box) || box_above(mask, 0, box);
}

/* Where a cut of `cut` pixels begins that keeps low .. high of `length`, moved by u of 0..1 between
 * the first and the last such place. */
static int random_start(double u, int length, int cut, double low, double high)
{
    // of a subject that is larger than the cut the places that show nothing else
    const double last = length - cut;
    const double a = CLAMP(high - cut, 0, last), b = CLAMP(low, 0, last);
    const int from = (int)ceil(MIN(a, b)), to = (int)floor(MAX(a, b));

    return to > from ? from + MIN((int)(u * (to - from + 1)), to - from) : MIN(from, (int)last);
}

struct picture_frame learn_frame(const picture *image, const picture *marked,
                                 const struct learn_framing *f, int index, int crop)
{
    struct picture_frame frame =
        picture_frame_around(image, f->crops > 0 ? NULL : marked, f->width, f->height);
    struct layout_box box;

    if (f->crops > 0) {
        // numbers that no other picture has: a picture has far fewer than 1024 crops
        const uint64_t number = (uint64_t)index * 1024 + (uint64_t)crop;
        const double x = noise_uniform(f->seed, NOISE_CROP, number, 0);
        const double y = noise_uniform(f->seed, NOISE_CROP, number, 1);
        if (marked == NULL || !learn_frame_box(marked, &box)) {
            frame.x = (int)(x * (frame.width - frame.crop_width + 1));
            frame.y = (int)(y * (frame.height - frame.crop_height + 1));
            return frame;
        }
        // the box is of the picture as it is, the frame of the scaled one
        const double scale_x = (double)frame.width / image->width;
        const double scale_y = (double)frame.height / image->height;
        frame.x =
            random_start(x, frame.width, frame.crop_width, box.left * scale_x, box.right * scale_x);
        frame.y = random_start(y, frame.height, frame.crop_height, box.top * scale_y,
                               box.bottom * scale_y);
    } else if (marked == NULL && f->find) {
        box = learn_find_subject(image);
        picture_frame_move(&frame, image->width, image->height, (box.left + box.right) / 2,
                           (box.top + box.bottom) / 2);
    }
    return frame;
}
