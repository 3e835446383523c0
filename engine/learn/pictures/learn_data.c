/* Encoding of learning pictures; see learn_data.h. */
#include "engine/learn/pictures/learn_data.h"

#include "engine/generate/decode.h"
#include "engine/learn/pictures/learn_frame.h"

#include <string.h>

struct learn_pictures *learn_pictures_create(void)
{
    struct learn_pictures *p = g_new0(struct learn_pictures, 1);

    p->list = g_array_new(FALSE, TRUE, sizeof(struct learn_picture));
    return p;
}

void learn_pictures_free(struct learn_pictures *p)
{
    if (p == NULL) {
        return;
    }
    for (guint i = 0; i < p->list->len; i++) {
        const struct learn_picture *one = &g_array_index(p->list, struct learn_picture, i);
        g_free(one->mean);
        g_free(one->deviation);
        for (int j = 0; j < one->n_masks; j++) {
            g_free(one->masks[j].share);
        }
        g_free(one->masks);
    }
    g_array_unref(p->list);
    g_clear_pointer(&p->squares, g_ptr_array_unref);
    g_free(p);
}

/* ---- squares that are kept ---- */

void learn_pictures_keep(struct learn_pictures *p, guint n)
{
    p->squares = g_ptr_array_new_with_free_func((GDestroyNotify)picture_free);
    p->n_squares = n;
}

// what is seen of the picture, with what is marked of it as alpha; marked may be NULL: all
static bool keep_square(struct learn_pictures *p, const picture *square, const picture *marked,
                        const struct picture_frame *frame, GError **error)
{
    g_autoptr(picture) alpha = marked != NULL ? picture_cut(marked, frame, error) : NULL;
    const size_t n = (size_t)square->width * square->height;

    if (marked != NULL && alpha == NULL) {
        return false;
    }
    picture *kept = picture_create(square->width, square->height, 4, error);
    for (size_t i = 0; kept != NULL && i < n; i++) {
        memcpy(kept->pixels + 4 * i, square->pixels + 3 * i, 3 * sizeof(float));
        kept->pixels[4 * i + 3] = alpha != NULL ? alpha->pixels[i] : 1;
    }
    if (kept != NULL) {
        g_ptr_array_add(p->squares, kept);
    }
    return kept != NULL;
}

/* ---- encoding ---- */

// [h, w, 2 c] = [mean | log variance] -> two arrays, scaled
static void split(const struct learn_pictures *p, const float *moments, double scale, float *mean,
                  float *deviation)
{
    for (int i = 0; i < p->h * p->w; i++) {
        for (int j = 0; j < p->c; j++) {
            const float *at = moments + i * 2 * p->c + j;
            mean[i * p->c + j] = (float)(at[0] * scale);
            deviation[i * p->c + j] = (float)(encode_deviation(at[p->c]) * scale);
        }
    }
}

// one variant into place v of the picture's arrays
static bool encode_variant(struct learn_pictures *p, const kernels *k, const struct autoencoder *a,
                           picture *square, struct learn_picture *one, int v, GError **error)
{
    const double scale = autoencoder_config(a)->scaling_factor;
    const size_t count = (size_t)p->h * p->w * p->c;
    g_autofree float *pixels = g_new(float, (size_t)square->width * square->height * 3);

    picture_to_signal(square, pixels);
    g_autofree float *moments = encode_moments(k, a, pixels, square->width, square->height, error);
    if (moments != NULL) {
        split(p, moments, scale, one->mean + v * count, one->deviation + v * count);
    }
    return moments != NULL;
}

// what the masks mark of the variant's square, on the grid of the latents
static bool mask_variant(const struct learn_pictures *p, const struct learn_source *source,
                         const struct picture_frame *frame, bool mirrored,
                         struct learn_picture *one, int v, GError **error)
{
    const size_t count = (size_t)p->h * p->w;

    for (int i = 0; i < source->n_masks; i++) {
        g_autoptr(picture) square = picture_cut(source->masks[i], frame, error);
        g_autoptr(picture) grid =
            square != NULL ? picture_area_mean(square, p->w, p->h, error) : NULL;
        if (grid == NULL) {
            return false;
        }
        if (mirrored) {
            picture_flip(grid);
        }
        memcpy(one->masks[i].share + v * count, grid->pixels, count * sizeof(float));
    }
    return true;
}

static struct learn_picture *append(struct learn_pictures *p, const struct learn_source *source,
                                    int variants)
{
    const size_t grid = (size_t)p->h * p->w;
    struct learn_picture one = {.variants = variants, .n_masks = source->n_masks};

    one.mean = g_new(float, variants *grid * p->c);
    one.deviation = g_new(float, variants *grid * p->c);
    one.masks = g_new0(struct learn_mask, source->n_masks);
    for (int i = 0; i < source->n_masks; i++) {
        one.masks[i].subject = source->subjects[i];
        one.masks[i].share = g_new0(float, variants *grid);
    }
    g_array_append_val(p->list, one);
    return &g_array_index(p->list, struct learn_picture, p->list->len - 1);
}

static bool add_variant(struct learn_pictures *p, const kernels *k, const struct autoencoder *a,
                        const struct learn_source *source, const picture *marked,
                        const struct picture_frame *frame, bool mirrored, struct learn_picture *one,
                        int v, GError **error)
{
    const bool kept = v == 0 && p->squares != NULL && p->squares->len < p->n_squares;
    g_autoptr(picture) square = picture_cut(source->image, frame, error);

    if (square == NULL || (kept && !keep_square(p, square, marked, frame, error))) {
        return false;
    }
    if (mirrored) {
        picture_flip(square);
    }
    return encode_variant(p, k, a, square, one, v, error) &&
           mask_variant(p, source, frame, mirrored, one, v, error);
}

bool learn_pictures_add(struct learn_pictures *p, const kernels *k, const struct autoencoder *a,
                        const struct learn_source *source, const struct learn_framing *f, int index,
                        GError **error)
{
    const int factor = autoencoder_factor(autoencoder_config(a));
    const int crops = MAX(f->crops, 1), mirrors = f->flip ? 2 : 1;
    g_autoptr(picture) marked = learn_frame_union(source, error);

    if (source->n_masks > 0 && marked == NULL) {
        return false;
    }
    p->h = p->w = f->size / factor;
    p->c = autoencoder_config(a)->latent_channels;
    struct learn_picture *one = append(p, source, crops * mirrors);
    for (int v = 0; v < one->variants; v++) {
        const struct picture_frame frame =
            learn_frame(source->image, marked, f, index, v / mirrors);
        if (!add_variant(p, k, a, source, marked, &frame, v % mirrors == 1, one, v, error)) {
            return false;
        }
    }
    return true;
}

void learn_pictures_add_latents(struct learn_pictures *p, const struct learn_pictures *like,
                                const float *latents, int n)
{
    const size_t count = (size_t)like->h * like->w * like->c;

    p->h = like->h;
    p->w = like->w;
    p->c = like->c;
    for (int i = 0; i < n; i++) {
        const struct learn_picture one = {
            .variants = 1,
            .mean = g_memdup2(latents + i * count, count * sizeof *latents),
            .deviation = g_new0(float, count)};
        g_array_append_val(p->list, one);
    }
}

const struct learn_picture *learn_pictures_at(const struct learn_pictures *p, int index)
{
    return &g_array_index(p->list, struct learn_picture, index);
}

void learn_pictures_latents(const struct learn_pictures *p, int index, int variant,
                            const float *noise, float *latents)
{
    const struct learn_picture *one = learn_pictures_at(p, index);
    const size_t count = (size_t)p->h * p->w * p->c;
    const float *mean = one->mean + variant * count;
    const float *deviation = one->deviation + variant * count;

    for (size_t i = 0; i < count; i++) {
        latents[i] = mean[i] + (noise != NULL ? deviation[i] * noise[i] : 0);
    }
}

double learn_mask_share(const struct learn_pictures *p, const struct learn_mask *mask, int variant)
{
    const int count = p->h * p->w;
    double sum = 0;

    for (int i = 0; i < count; i++) {
        sum += mask->share[variant * count + i];
    }
    return sum / count;
}

double learn_mask_mean(const struct learn_pictures *p, const struct learn_mask *mask, int variants)
{
    double sum = 0;

    for (int v = 0; v < variants; v++) {
        sum += learn_mask_share(p, mask, v);
    }
    return sum / variants;
}
