/* Reading the pictures and masks of all subjects.
 *
 * A picture that several subjects have, each with a mask of its own, is one picture with several
 * masks; any other is that of one subject. What each mask marks is said. */
#include "engine/learn/mixing/learn_compose.h"

#include "engine/base/error.h"
#include "engine/learn/pictures/learn_bucket.h"
#include "engine/learn/pictures/learn_frame.h"
#include "engine/learn/pictures/learn_place.h"
#include "engine/picture/mask.h"
#include "engine/picture/picture_fill.h"
#include "engine/subject/thumbnail.h"

#include <string.h>

#define CROPS 8 // squares that are cut of a picture with --crop random

// less of the square than this is nothing
#define LEAST_SHARE 1e-6

// one picture that is to be encoded
struct plan {
    const char *file, *caption; // borrowed; caption NULL: none
    GPtrArray *masks;           // files, borrowed
    GArray *subjects;           // int: whose they are; without masks the one that has the picture
};

static void plan_clear(void *plan)
{
    const struct plan *p = plan;

    g_ptr_array_unref(p->masks);
    g_array_unref(p->subjects);
}

// the same path, however it is written
static bool same_file(const char *a, const char *b)
{
    g_autofree char *first = g_canonicalize_filename(a, NULL);
    g_autofree char *second = g_canonicalize_filename(b, NULL);

    return strcmp(first, second) == 0;
}

// the picture with masks of other subjects that this one joins, or a new one
static struct plan *find_plan(GArray *plans, const char *file, const char *mask, int subject)
{
    for (guint i = 0; i < plans->len && mask != NULL; i++) {
        struct plan *p = &g_array_index(plans, struct plan, i);
        if (p->masks->len > 0 && !learn_list_has(p->subjects, subject) &&
            same_file(p->file, file)) {
            return p;
        }
    }
    const struct plan empty = {.file = file,
                               .masks = g_ptr_array_new(),
                               .subjects = g_array_new(FALSE, FALSE, sizeof(int))};
    g_array_append_val(plans, empty);
    return &g_array_index(plans, struct plan, plans->len - 1);
}

/* Which pictures there are, in the order of the subjects: an array of struct plan, whose files are
 * the options'. */
static GArray *make_plans(const struct svdiff_learn_options *o)
{
    GArray *plans = g_array_new(FALSE, FALSE, sizeof(struct plan));

    g_array_set_clear_func(plans, plan_clear);
    for (int i = 0; i < o->n_subjects; i++) {
        const struct svdiff_subject *s = &o->subjects[i];
        for (int j = 0; s->images[j] != NULL; j++) {
            const char *mask = s->masks != NULL ? s->masks[j] : NULL;
            struct plan *p = find_plan(plans, s->images[j], mask, i);
            g_array_append_val(p->subjects, i);
            // what one subject's caption says of a picture holds for no other
            p->caption = s->captions != NULL && p->subjects->len == 1 ? s->captions[j] : NULL;
            if (mask != NULL) {
                g_ptr_array_add(p->masks, (char *)mask);
            }
        }
    }
    return plans;
}

/* ---- one picture ---- */

// NULL with a sentence when it does not fit its picture
static picture *read_mask(const char *file, const char *image_file, const picture *image,
                          GError **error)
{
    g_autoptr(picture) mask = mask_read(file, 1, error);
    struct mask_box box;

    if (mask == NULL) {
        return NULL;
    }
    if (mask->width != image->width || mask->height != image->height) {
        error_failed(error,
                     "The mask %s has %d x %d pixels, its picture %s has %d x %d; make the mask as "
                     "large as the picture.",
                     file, mask->width, mask->height, image_file, image->width, image->height);
        return NULL;
    }
    if (!mask_bounds(mask, &box)) {
        error_failed(error,
                     "The mask %s is empty: nothing of %s is white. Paint the subject white, or "
                     "leave --mask out.",
                     file, image_file);
        return NULL;
    }
    return g_steal_pointer(&mask);
}

// those of a plan, in its order; an array that owns them, NULL with an error
static GPtrArray *read_masks(const struct plan *p, const picture *image, GError **error)
{
    g_autoptr(GPtrArray) masks = g_ptr_array_new_with_free_func((GDestroyNotify)picture_free);

    for (guint i = 0; i < p->masks->len; i++) {
        picture *mask = read_mask(p->masks->pdata[i], p->file, image, error);
        if (mask == NULL) {
            return NULL;
        }
        g_ptr_array_add(masks, mask);
    }
    return g_steal_pointer(&masks);
}

// says how much of the learning squares each mask marks; false when that is nothing
static bool say_shares(const struct lesson *l, const struct plan *p, GError **error)
{
    const struct learn_picture *one =
        learn_pictures_at(l->pictures, (int)l->pictures->list->len - 1);
    char percent[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = 0; i < one->n_masks; i++) {
        const double mean = learn_mask_mean(&one->masks[i], one->variants);
        double least = 1;
        for (int v = 0; v < one->variants; v++) {
            least = MIN(least, learn_mask_share(&one->masks[i], v));
        }
        // a random crop, too, has to show something of the subject
        if (least < LEAST_SHARE) {
            return error_failed(error,
                                "What the mask %s marks is not in the square that is learned of "
                                "%s; cut the picture to its subject.",
                                (char *)p->masks->pdata[i], p->file);
        }
        g_ascii_formatd(percent, sizeof percent, "%.1f", 100 * mean);
        session_note(l->session, "%s marks %s %% of what is learned of %s.",
                     (char *)p->masks->pdata[i], percent, p->file);
    }
    return true;
}

// for mixing, once for each subject in the picture
static bool add_placed(const struct lesson *l, const struct plan *p, const picture *image,
                       const GPtrArray *masks, GError **error)
{
    for (guint i = 0; i < p->subjects->len; i++) {
        const picture *mask = i < masks->len ? masks->pdata[i] : NULL;
        const int subject = g_array_index(p->subjects, int, i);
        if (!lesson_place(l, l->mixed, image, mask, subject, error)) {
            return false;
        }
    }
    return true;
}

// the first picture stands for the subject in its file
static bool keep_thumbnail(struct lesson *l, const struct learn_source *source, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(picture) marked = learn_frame_union(source, &problem);

    if (problem == NULL) {
        l->thumbnail = thumbnail_encode(source->image, marked, &problem);
    }
    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return true;
}

// the picture as it is learned, on white; in its subject's box, if it has one
static picture *read_image(const struct lesson *l, const struct plan *p, GError **error)
{
    static const float white[3] = {1, 1, 1};
    const struct layout_box *box = l->options->subjects[g_array_index(p->subjects, int, 0)].box;
    const int size = l->options->size;
    g_autoptr(picture) image = picture_read(p->file, 2, error);
    g_autoptr(picture) alpha = NULL;
    picture *placed;

    if (image != NULL && box != NULL && image->channels == 4) {
        alpha = picture_alpha(image, error);
    }
    if (image == NULL || (box != NULL && image->channels == 4 && alpha == NULL)) {
        return NULL;
    }
    if (picture_warning(image) != NULL) {
        session_warn(l->session, "%s", picture_warning(image));
    }
    picture_flatten(image, white);
    if (box == NULL) {
        return g_steal_pointer(&image);
    }
    const struct learn_placing in = {
        .width = size, .height = size, .target = *box, .limit = LEARN_PLACE_SHARED};
    return learn_place(image, alpha, &in, &placed, NULL, error) ? placed : NULL;
}

/* Reads a picture with its masks, keeps it to be encoded, says what is marked, and places it for
 * mixing. */
static bool add_picture(struct lesson *l, const struct plan *p, GError **error)
{
    struct learn_framing f = {.width = l->options->size,
                              .height = l->options->size,
                              .flip = l->options->flip,
                              .crops = l->options->random_crop ? CROPS : 0,
                              .seed = l->options->seed,
                              .find = l->options->find_subject};
    const int index = (int)l->pictures->list->len;
    g_autoptr(picture) image = read_image(l, p, error);
    g_autoptr(GPtrArray) masks = image != NULL ? read_masks(p, image, error) : NULL;

    if (masks == NULL) {
        return false;
    }
    if (l->options->buckets) {
        const struct learn_bucket b = learn_bucket_of(l->pictures->h, image->width, image->height);
        f.width = b.w * l->pictures->factor;
        f.height = b.h * l->pictures->factor;
    }
    const struct learn_source source = {.image = image,
                                        .n_masks = (int)masks->len,
                                        .masks = (const picture *const *)masks->pdata,
                                        .subjects = (const int *)p->subjects->data};
    return (index > 0 || keep_thumbnail(l, &source, error)) &&
           learn_pictures_add(l->pictures, &source, &f, index, error) && say_shares(l, p, error) &&
           add_placed(l, p, image, masks, error);
}

// the list of subjects, each with the numbers of its pictures
static void own_pictures(struct lesson *l, const GArray *plans)
{
    for (int i = 0; i < l->options->n_subjects; i++) {
        const struct lesson_subject one = {.pictures = g_array_new(FALSE, FALSE, sizeof(int)),
                                           .prior_pictures =
                                               g_array_new(FALSE, FALSE, sizeof(int))};
        g_array_append_val(l->subjects, one);
        for (int j = 0; j < (int)plans->len; j++) {
            if (learn_list_has(g_array_index(plans, struct plan, j).subjects, i)) {
                g_array_append_val(one.pictures, j);
            }
        }
    }
}

bool lesson_read_pictures(struct lesson *l, GError **error)
{
    g_autoptr(GArray) plans = make_plans(l->options);

    // before any picture: regions and places belong to subjects
    own_pictures(l, plans);
    bool done = lesson_read_regions(l, l->pictures->w, error);
    for (guint i = 0; i < plans->len && done; i++) {
        const struct plan *p = &g_array_index(plans, struct plan, i);
        // its [V] is replaced once the subject has its word (learn_prompts.c)
        g_ptr_array_add(l->captions, g_strdup(p->caption));
        done = add_picture(l, p, error);
    }
    return done;
}
