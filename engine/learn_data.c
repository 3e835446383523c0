/* Encoding of learning pictures; see learn_data.h. */
#include "engine/learn_data.h"

#include "engine/error.h"
#include "engine/noise.h"
#include "engine/picture_scale.h"
#include "engine/tape.h"

#include <math.h>
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
    }
    g_array_unref(p->list);
    g_free(p);
}

struct encoding {
    const struct autoencoder *autoencoder;
    const float *pixels; // [size, size, 3]
    int size;
    float *moments; // [h, w, 2 c], NULL while measuring
};

static void encode(void *user, struct tape *t)
{
    const struct encoding *e = user;
    struct tensor *x = tape_input(t, e->pixels, 1, e->size, e->size, 3, false);
    struct tensor *moments = autoencoder_encode(t, e->autoencoder, x);

    if (e->moments != NULL) {
        tape_download(t, moments, e->moments);
    }
}

// [h, w, 2 c] = [mean | log variance] -> two arrays, scaled; diffusers clamps the log to -30..20
static void split(const struct learn_pictures *p, const float *moments, double scale, float *mean,
                  float *deviation)
{
    for (int i = 0; i < p->h * p->w; i++) {
        for (int j = 0; j < p->c; j++) {
            const float log_variance = CLAMP(moments[i * 2 * p->c + p->c + j], -30.0f, 20.0f);
            mean[i * p->c + j] = (float)(moments[i * 2 * p->c + j] * scale);
            deviation[i * p->c + j] = (float)(expf(0.5f * log_variance) * scale);
        }
    }
}

static struct picture_frame frame_of(const picture *image, const struct learn_framing *f, int index,
                                     int crop)
{
    struct picture_frame frame = picture_frame_centre(image->width, image->height, f->size);

    if (f->crops > 0) {
        const uint64_t number = (uint64_t)index * 1024 + (uint64_t)crop;
        const double x = noise_uniform(f->seed, NOISE_CROP, number, 0);
        const double y = noise_uniform(f->seed, NOISE_CROP, number, 1);
        frame.x = (int)(x * (frame.width - frame.crop_width + 1));
        frame.y = (int)(y * (frame.height - frame.crop_height + 1));
    }
    return frame;
}

// one variant into place v of the picture's arrays
static bool encode_variant(struct learn_pictures *p, const kernels *k, struct encoding *e,
                           picture *square, struct learn_picture *one, int v, GError **error)
{
    const double scale = autoencoder_config(e->autoencoder)->scaling_factor;
    const size_t count = (size_t)p->h * p->w * p->c;
    g_autofree float *pixels = g_new(float, (size_t)e->size * e->size * 3);
    g_autofree float *moments = g_new(float, 2 * count);

    picture_to_signal(square, pixels);
    e->pixels = pixels;
    e->moments = NULL;
    struct tape *t = tape_create_measured(k, (struct tape_options){0}, encode, e, error);
    if (t == NULL) {
        return false;
    }
    e->moments = moments;
    encode(e, t);
    tape_free(t);
    split(p, moments, scale, one->mean + v * count, one->deviation + v * count);
    return true;
}

bool learn_pictures_add(struct learn_pictures *p, const kernels *k, const struct autoencoder *a,
                        const picture *image, const struct learn_framing *f, int index,
                        GError **error)
{
    const int factor = autoencoder_factor(autoencoder_config(a));
    const int crops = MAX(f->crops, 1), mirrors = f->flip ? 2 : 1;
    struct encoding e = {.autoencoder = a, .size = f->size};

    p->h = p->w = f->size / factor;
    p->c = autoencoder_config(a)->latent_channels;
    const size_t count = (size_t)p->h * p->w * p->c;
    const struct learn_picture empty = {.variants = crops * mirrors,
                                        .mean = g_new(float, crops *mirrors *count),
                                        .deviation = g_new(float, crops *mirrors *count)};
    g_array_append_val(p->list, empty);
    struct learn_picture *one = &g_array_index(p->list, struct learn_picture, p->list->len - 1);
    for (int v = 0; v < one->variants; v++) {
        const struct picture_frame frame = frame_of(image, f, index, v / mirrors);
        g_autoptr(picture) square = picture_cut(image, &frame, error);
        if (square == NULL) {
            return false;
        }
        if (v % mirrors == 1) {
            picture_flip(square);
        }
        if (!encode_variant(p, k, &e, square, one, v, error)) {
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

void learn_pictures_latents(const struct learn_pictures *p, int index, int variant,
                            const float *noise, float *latents)
{
    const struct learn_picture *one = &g_array_index(p->list, struct learn_picture, index);
    const size_t count = (size_t)p->h * p->w * p->c;
    const float *mean = one->mean + variant * count;
    const float *deviation = one->deviation + variant * count;

    for (size_t i = 0; i < count; i++) {
        latents[i] = mean[i] + (noise != NULL ? deviation[i] * noise[i] : 0);
    }
}
