/* Encoding of learning pictures; see learn_data.h. */
#include "engine/learn/pictures/learn_data.h"

#include "engine/generate/decode.h"
#include "engine/learn/pictures/learn_frame.h"
#include "engine/tape/transfer.h"

#include <string.h>

bool learn_list_has(const GArray *list, int value)
{
    for (guint i = 0; i < list->len; i++) {
        if (g_array_index(list, int, i) == value) {
            return true;
        }
    }
    return false;
}

struct learn_pictures *learn_pictures_create(const struct vae_config *vae, int size)
{
    struct learn_pictures *p = g_new0(struct learn_pictures, 1);

    // sizes are whole latents (learn_check.c)
    p->factor = autoencoder_factor(vae);
    p->h = p->w = size / p->factor;
    p->c = vae->latent_channels;
    p->list = g_array_new(FALSE, TRUE, sizeof(struct learn_picture));
    return p;
}

// what is encoded is not looked at again
static void drop_pixels(struct learn_picture *one)
{
    g_clear_pointer(&one->image, picture_free);
    g_clear_pointer(&one->marked, picture_free);
    g_clear_pointer(&one->squares, g_free);
}

void learn_pictures_free(struct learn_pictures *p)
{
    if (p == NULL) {
        return;
    }
    for (guint i = 0; i < p->list->len; i++) {
        struct learn_picture *one = &g_array_index(p->list, struct learn_picture, i);
        drop_pixels(one);
        g_free(one->mean);
        g_free(one->deviation);
        for (int j = 0; j < one->n_masks; j++) {
            g_free(one->masks[j].share);
        }
        g_free(one->masks);
        g_clear_pointer(&one->seen, g_checksum_free);
    }
    g_array_unref(p->list);
    g_free(p);
}

/* ---- pixels ---- */

// what the masks mark of the variant's square, on the grid of the latents
static bool mask_variant(const struct learn_source *source, const struct picture_frame *frame,
                         bool mirrored, struct learn_picture *one, int v, GError **error)
{
    const size_t count = (size_t)one->h * one->w;

    for (int i = 0; i < source->n_masks; i++) {
        g_autoptr(picture) square = picture_cut(source->masks[i], frame, error);
        g_autoptr(picture) grid =
            square != NULL ? picture_area_mean(square, one->w, one->h, error) : NULL;
        if (grid == NULL) {
            return false;
        }
        // after the mean, whose cells are the same either way round
        if (mirrored) {
            picture_flip(grid);
        }
        memcpy(one->masks[i].share + v * count, grid->pixels, count * sizeof(float));
    }
    return true;
}

/* Room for a picture in all its variants: v = crop * mirrors + mirrored. The address holds until
 * the next one is appended. */
static struct learn_picture *append(struct learn_pictures *p, const struct learn_source *source,
                                    const struct learn_framing *f)
{
    const int crops = MAX(f->crops, 1), variants = crops * (f->flip ? 2 : 1);
    struct learn_picture one = {.h = f->height / p->factor,
                                .w = f->width / p->factor,
                                .variants = variants,
                                .n_masks = source->n_masks,
                                .crops = crops};
    const int places = one.h * one.w;

    one.masks = g_new0(struct learn_mask, source->n_masks);
    for (int i = 0; i < source->n_masks; i++) {
        one.masks[i].subject = source->subjects[i];
        one.masks[i].places = places;
        one.masks[i].share = g_new0(float, (size_t)variants *places);
    }
    one.squares = g_new(struct picture_frame, crops);
    g_array_append_val(p->list, one);
    return &g_array_index(p->list, struct learn_picture, p->list->len - 1);
}

// all squares of a picture are cut of it in the same size
static bool scale(const struct learn_source *source, const picture *marked,
                  struct learn_picture *one, GError **error)
{
    const int width = one->squares[0].width, height = one->squares[0].height;

    one->image = picture_resize(source->image, width, height, error);
    if (one->image != NULL && marked != NULL) {
        one->marked = picture_resize(marked, width, height, error);
    }
    return one->image != NULL && (marked == NULL || one->marked != NULL);
}

// pixels are kept, scaled, until learn_pictures_encode; of masks only their shares
bool learn_pictures_add(struct learn_pictures *p, const struct learn_source *source,
                        const struct learn_framing *f, int index, GError **error)
{
    const int mirrors = f->flip ? 2 : 1;
    g_autoptr(picture) marked = learn_frame_union(source, error);

    if (source->n_masks > 0 && marked == NULL) {
        return false;
    }
    struct learn_picture *one = append(p, source, f);
    for (int v = 0; v < one->variants; v++) {
        struct picture_frame *square = &one->squares[v / mirrors];
        *square = learn_frame(source->image, marked, f, index, v / mirrors);
        if (!mask_variant(source, square, v % mirrors == 1, one, v, error)) {
            return false;
        }
    }
    return scale(source, marked, one, error);
}

picture *learn_pictures_square(const struct learn_pictures *p, int index, GError **error)
{
    const struct learn_picture *one = learn_pictures_at(p, index);
    g_autoptr(picture) square = picture_cut(one->image, &one->squares[0], error);
    g_autoptr(picture) alpha = square != NULL && one->marked != NULL
                                   ? picture_cut(one->marked, &one->squares[0], error)
                                   : NULL;

    if (square == NULL || (one->marked != NULL && alpha == NULL)) {
        return NULL;
    }
    // its colours, and how much of each pixel is marked
    picture *out = picture_create(square->width, square->height, 4, error);
    for (int i = 0; out != NULL && i < square->width * square->height; i++) {
        memcpy(out->pixels + 4 * i, square->pixels + 3 * i, 3 * sizeof(float));
        out->pixels[4 * i + 3] = alpha != NULL ? alpha->pixels[i] : 1;
    }
    return out;
}

/* ---- encoding ---- */

// [h, w, 2 c] = [mean | log variance] -> two arrays, scaled
static void split(const struct learn_pictures *p, int places, const float *moments, double scale,
                  float *mean, float *deviation)
{
    for (int i = 0; i < places; i++) {
        for (int j = 0; j < p->c; j++) {
            const float *at = moments + i * 2 * p->c + j;
            mean[i * p->c + j] = (float)(at[0] * scale);
            deviation[i * p->c + j] = (float)(encode_deviation(at[p->c]) * scale);
        }
    }
}

// one variant into place v of the picture's arrays
/* square [size, size, 3] through the encoder, once for the whole run: steps draw their latents from
 * its moments. */
static bool encode_variant(const struct learn_pictures *p, const kernels *k,
                           const struct autoencoder *a, picture *square, struct learn_picture *one,
                           int v, GError **error)
{
    const double scale = autoencoder_config(a)->scaling_factor;
    const size_t count = (size_t)one->h * one->w * p->c;
    const size_t values = (size_t)square->width * square->height * 3;
    g_autofree float *pixels = g_new(float, values);

    picture_to_signal(square, pixels);
    g_checksum_update(one->seen, (const guchar *)pixels, (gssize)(values * sizeof *pixels));
    g_autofree float *moments =
        encode_moments(k, a, pixels, square->width, square->height, false, error);
    if (moments != NULL) {
        split(p, one->h * one->w, moments, scale, one->mean + v * count,
              one->deviation + v * count);
    }
    return moments != NULL;
}

static bool encode_one(const struct learn_pictures *p, const kernels *k,
                       const struct autoencoder *a, struct learn_picture *one, GError **error)
{
    const size_t count = (size_t)one->variants * one->h * one->w * p->c;
    // v counts mirror images first: squares[v / mirrors], mirrored for odd ones of two
    const int mirrors = one->variants / one->crops;

    one->mean = g_new(float, count);
    one->deviation = g_new(float, count);
    one->seen = g_checksum_new(G_CHECKSUM_SHA256);
    for (int v = 0; v < one->variants; v++) {
        g_autoptr(picture) square = picture_cut(one->image, &one->squares[v / mirrors], error);
        if (square == NULL) {
            return false;
        }
        if (v % mirrors == 1) {
            picture_flip(square);
        }
        if (!encode_variant(p, k, a, square, one, v, error)) {
            return false;
        }
    }
    drop_pixels(one);
    return true;
}

bool learn_pictures_encode(struct learn_pictures *p, const kernels *k, const struct autoencoder *a,
                           GError **error)
{
    for (guint i = 0; i < p->list->len; i++) {
        struct learn_picture *one = &g_array_index(p->list, struct learn_picture, i);
        // those without pixels are encoded already
        if (one->image != NULL && !encode_one(p, k, a, one, error)) {
            return false;
        }
    }
    return true;
}

void learn_pictures_add_latents(struct learn_pictures *p, const float *latents, int n)
{
    const size_t count = (size_t)p->h * p->w * p->c;

    for (int i = 0; i < n; i++) {
        const struct learn_picture one = {
            .h = p->h,
            .w = p->w,
            .variants = 1,
            .mean = g_memdup2(latents + i * count, count * sizeof *latents),
            // known latents are no distribution
            .deviation = g_new0(float, count)};
        g_array_append_val(p->list, one);
    }
}

const struct learn_picture *learn_pictures_at(const struct learn_pictures *p, int index)
{
    return &g_array_index(p->list, struct learn_picture, index);
}

guint learn_pictures_shape(const struct learn_pictures *p, int h, int w)
{
    for (guint i = 0; i < p->list->len; i++) {
        const struct learn_picture *one = learn_pictures_at(p, (int)i);
        if (one->h == h && one->w == w) {
            return i;
        }
    }
    return 0;
}

/* ---- on a device ---- */

// of a variant
static int64_t values_of(const struct learn_pictures *p, const struct learn_picture *one)
{
    return (int64_t)one->h * one->w * p->c;
}

int64_t learn_pictures_place(struct learn_pictures *p, int64_t from)
{
    for (guint i = 0; i < p->list->len; i++) {
        struct learn_picture *one = &g_array_index(p->list, struct learn_picture, i);
        one->place = from;
        // the means of all variants, then their deviations
        from += 2 * one->variants * values_of(p, one);
    }
    return from;
}

void learn_pictures_send(const struct learn_pictures *p, const kernels *k, real *moments)
{
    for (guint i = 0; i < p->list->len; i++) {
        const struct learn_picture *one = learn_pictures_at(p, (int)i);
        const int64_t count = one->variants * values_of(p, one);
        transfer_upload(k, moments + one->place, one->mean, count);
        transfer_upload(k, moments + one->place + count, one->deviation, count);
    }
}

int64_t learn_pictures_mean(const struct learn_pictures *p, int index, int variant)
{
    const struct learn_picture *one = learn_pictures_at(p, index);

    return one->place + variant * values_of(p, one);
}

int64_t learn_pictures_deviation(const struct learn_pictures *p, int index, int variant)
{
    const struct learn_picture *one = learn_pictures_at(p, index);

    return one->place + (one->variants + variant) * values_of(p, one);
}

// shares are of areas, so the mean is what part of the square the subject covers
double learn_mask_share(const struct learn_mask *mask, int variant)
{
    const int count = mask->places;
    double sum = 0;

    for (int i = 0; i < count; i++) {
        sum += mask->share[variant * count + i];
    }
    return sum / count;
}

double learn_mask_mean(const struct learn_mask *mask, int variants)
{
    double sum = 0;

    for (int v = 0; v < variants; v++) {
        sum += learn_mask_share(mask, v);
    }
    return sum / variants;
}
