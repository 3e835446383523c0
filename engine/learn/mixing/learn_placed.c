/* What mixing needs of each picture: the same placed in every region where its subject can come to
 * be, and the regions that the user drew. */
#include "engine/learn/mixing/learn_compose.h"

#include "engine/base/error.h"
#include "engine/learn/pictures/learn_frame.h"
#include "engine/learn/pictures/learn_place.h"
#include "engine/picture/mask.h"

// a region that the user drew may ask for more than the learning pictures show
#define DRAWN_LIMIT 2

// with whom is drawn at every row; here counts whether anybody can be
bool lesson_mixes(const struct lesson *l, int subject)
{
    for (int i = 0; i < lesson_subjects(l) && l->options->cut_mix > 0; i++) {
        if (lesson_can_mix(l, subject, i)) {
            return true;
        }
    }
    return false;
}

/* ---- regions ---- */

// the box and the middle of a region in parts of the square
static bool measure_region(const picture *region, struct lesson_subject *s)
{
    const double w = region->width, h = region->height;
    struct layout_box *box = &s->region_box;

    if (!learn_frame_box(region, box) || !picture_mask_centre(region, &s->region_x, &s->region_y)) {
        return false;
    }
    *box = (struct layout_box){box->left / w, box->top / h, box->right / w, box->bottom / h};
    s->region_x /= w;
    s->region_y /= h;
    return true;
}

static bool read_region(const char *file, int n, struct lesson_subject *s, GError **error)
{
    g_autoptr(picture) region = mask_read(file, 1, error);

    if (region == NULL) {
        return false;
    }
    if (!measure_region(region, s)) {
        return error_failed(error,
                            "The region %s is empty: nothing of it is white. Paint the place of "
                            "the subject white, or leave --region out.",
                            file);
    }
    // the unmix loss and the trace see regions on the latents' grid alone
    g_autoptr(picture) grid = picture_area_mean(region, n, n, error);
    if (grid == NULL) {
        return false;
    }
    s->region = g_memdup2(grid->pixels, (size_t)n * n * sizeof(float));
    return true;
}

bool lesson_read_regions(struct lesson *l, int n, GError **error)
{
    for (int i = 0; i < l->options->n_subjects; i++) {
        const char *file = l->options->subjects[i].region;
        struct lesson_subject *s = lesson_subject(l, i);
        if (file != NULL && !read_region(file, n, s, error)) {
            return false;
        }
    }
    return true;
}

/* ---- placed pictures ---- */

// one picture on its way into all the places of its subject
struct placing {
    struct learn_placing in;
    GPtrArray *places;
    bool flip;
    int subject;
    enum place place;
};

static bool add_one(const struct placing *p, const picture *image, const picture *mask,
                    GError **error)
{
    picture *placed, *placed_mask;

    if (!learn_place(image, mask, &p->in, &placed, &placed_mask, error)) {
        return false;
    }
    struct learn_placed_picture *one = g_new(struct learn_placed_picture, 1);
    *one = (struct learn_placed_picture){
        .subject = p->subject, .place = p->place, .image = placed, .mask = placed_mask};
    // which owns the copies
    g_ptr_array_add(p->places, one);
    return true;
}

static picture *mirrored(const picture *p, GError **error)
{
    picture *turned = picture_copy(p, error);

    if (turned != NULL) {
        picture_flip(turned);
    }
    return turned;
}

// first as it is, then mirrored
static bool add_place(const struct placing *p, const picture *image, const picture *mask,
                      GError **error)
{
    if (!add_one(p, image, mask, error)) {
        return false;
    }
    if (!p->flip) {
        return true;
    }
    g_autoptr(picture) turned = mirrored(image, error);
    g_autoptr(picture) turned_mask = mask != NULL ? mirrored(mask, error) : NULL;
    return turned != NULL && (mask == NULL || turned_mask != NULL) &&
           add_one(p, turned, turned_mask, error);
}

bool lesson_place(const struct lesson *l, struct learn_mixtures *m, const picture *image,
                  const picture *mask, int subject, GError **error)
{
    const struct lesson_subject *s = lesson_subject(l, subject);
    struct placing p = {
        .in = {.width = l->options->size, .height = l->options->size, .target = s->region_box},
        .places = m->places,
        .flip = l->options->flip,
        .subject = subject};
    enum place first_place;

    if (!lesson_mixes(l, subject)) {
        return true;
    }
    // a region that the user drew is the only place, and may be larger than a half
    if (s->region != NULL) {
        p.in.limit = DRAWN_LIMIT;
        return add_place(&p, image, mask, error);
    }
    // else every place that a layout can give the subject, whichever is drawn later
    p.in.limit = LEARN_PLACE_SHARED;
    const int places = layout_places(l->options->cut_mix_layouts, &first_place);
    for (int i = 0; i < places; i++) {
        p.place = (enum place)((int)first_place + i);
        p.in.target = layout_place_box(p.place);
        if (!add_place(&p, image, mask, error)) {
            return false;
        }
    }
    return true;
}
