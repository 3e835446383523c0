/* Latents to pictures and back; see decode.h.
 *
 * Tiles of TILE latents begin every TILE - OVERLAP; where they overlap, the weight of each falls linearly to its
 * edge, and the sum is divided by the sum of the weights. Where the picture's edges fit together, they are no
 * edges: tiles lie all around it, the last over the first. */
#include "engine/generate/decode.h"

#include "engine/base/error.h"
#include "engine/picture/picture_scale.h"

#include <math.h>
#include <string.h>

#define WHOLE   96 // latents a side up to which a picture is decoded at once
#define TILE    64
#define OVERLAP 16

struct decoder {
    const kernels *k;
    const struct autoencoder *a;
    int h, w, c, factor;
    bool around;                 // tiles go over the picture's edges
    int tile_h, tile_w;          // latents of one run
    struct tape_options options; // of the tape, as measured
    struct tape *tape;           // NULL before the first picture
};

struct run {
    const struct decoder *d;
    const float *latents; // [tile_h, tile_w, c], divided by the scaling factor
    float *pixels;        // NULL while measuring
};

static void decode(void *user, struct tape *t)
{
    const struct run *r = user;
    struct tensor *z = tape_input(t, r->latents, 1, r->d->tile_h, r->d->tile_w, r->d->c, false);
    struct tensor *y = autoencoder_decode(t, r->d->a, z);

    if (r->pixels != NULL) {
        tape_download(t, y, r->pixels);
    }
}

struct decoder *decoder_create(const kernels *k, struct autoencoder *a, int h, int w, unsigned ways,
                               size_t freed, GError **error)
{
    // tiles only where a whole picture would need too much: a seam is never as good as none
    const bool whole = h <= WHOLE && w <= WHOLE && !(ways & DECODER_TILED);
    const bool wraps = ways & DECODER_WRAPS;
    struct decoder *d = g_new0(struct decoder, 1);

    *d = (struct decoder){.k = k,
                          .a = a,
                          .h = h,
                          .w = w,
                          .c = autoencoder_config(a)->latent_channels,
                          .factor = autoencoder_factor(autoencoder_config(a)),
                          .around = wraps && !whole,
                          .tile_h = whole   ? h
                                    : wraps ? TILE
                                            : MIN(h, TILE),
                          .tile_w = whole   ? w
                                    : wraps ? TILE
                                            : MIN(w, TILE)};
    // the tape is sized by a run of the true code, of whatever values
    g_autofree float *zeros = g_new0(float, (size_t)d->tile_h * d->tile_w * d->c);
    struct run r = {.d = d, .latents = zeros};
    d->options = tape_measure(k, (struct tape_options){.wraps = wraps && whole}, decode, &r);
    if (!tape_check_memory(k, d->options, freed, error)) {
        g_clear_pointer(&d, decoder_free);
    }
    return d;
}

void decoder_free(struct decoder *d)
{
    if (d != NULL) {
        tape_free(d->tape);
        g_free(d);
    }
}

// weight of position i in a tile of n: 1 inside, falling over the overlap where a neighbour is
static float ramp(int i, int n, int overlap, bool before, bool after)
{
    // half a pixel: the weight belongs to the middle of one
    const float from_start = before ? (i + 0.5f) / overlap : 1;
    const float from_end = after ? (n - i - 0.5f) / overlap : 1;

    return MIN(1.0f, MIN(from_start, from_end));
}

static void blend(const struct decoder *d, const float *tile, int top, int left, float *sum,
                  float *weight)
{
    const int f = d->factor, width = d->w * f, height = d->h * f;
    const int tile_h = d->tile_h * f, tile_w = d->tile_w * f, overlap = OVERLAP * f;

    for (int y = 0; y < tile_h; y++) {
        const float fade_y =
            ramp(y, tile_h, overlap, top > 0 || d->around, top + d->tile_h < d->h || d->around);
        for (int x = 0; x < tile_w; x++) {
            const float fade = fade_y * ramp(x, tile_w, overlap, left > 0 || d->around,
                                             left + d->tile_w < d->w || d->around);
            // behind the edge lies the other side
            const size_t at = (size_t)((top * f + y) % height) * width + (left * f + x) % width;
            // divided by later, so that the weights of tiles need not sum to 1
            weight[at] += fade;
            for (int c = 0; c < 3; c++) {
                sum[at * 3 + c] += fade * tile[((size_t)y * tile_w + x) * 3 + c];
            }
        }
    }
}

static void cut(const struct decoder *d, const float *latents, int top, int left, float *tile)
{
    const double scale = 1 / autoencoder_config(d->a)->scaling_factor;

    for (int y = 0; y < d->tile_h; y++) {
        const float *row = latents + (size_t)((top + y) % d->h) * d->w * d->c;
        for (int i = 0; i < d->tile_w * d->c; i++) {
            // diffusers scales latents to unit variance; the autoencoder has them as they were
            tile[(size_t)y * d->tile_w * d->c + i] =
                (float)(row[(left * d->c + i) % (d->w * d->c)] * scale);
        }
    }
}

// where tiles begin along a side: the last one ends at its end
static int tile_start(const struct decoder *d, int number, int tile, int side)
{
    return d->around ? number * (TILE - OVERLAP) : MIN(number * (TILE - OVERLAP), side - tile);
}

static int tile_number(const struct decoder *d, int tile, int side)
{
    if (d->around) {
        return (side + TILE - OVERLAP - 1) / (TILE - OVERLAP);
    }
    // rounded up: the last tile may overlap more than the others
    return tile >= side ? 1 : 1 + (side - tile + TILE - OVERLAP - 1) / (TILE - OVERLAP);
}

static void run_tile(struct decoder *d, const float *latents, int top, int left, float *sum,
                     float *weight)
{
    g_autofree float *tile = g_new(float, (size_t)d->tile_h * d->tile_w * d->c);
    g_autofree float *pixels =
        g_new(float, (size_t)d->tile_h * d->tile_w * d->factor * d->factor * 3);
    // all tiles are of one size, so that one tape serves them
    struct run r = {.d = d, .latents = tile, .pixels = pixels};

    cut(d, latents, top, left, tile);
    tape_reset(d->tape);
    decode(&r, d->tape);
    blend(d, pixels, top, left, sum, weight);
}

picture *decoder_run(struct decoder *d, const float *latents, struct trace *trace, GError **error)
{
    const int height = d->h * d->factor, width = d->w * d->factor;
    const size_t count = (size_t)height * width;
    // a picture of 16384 pixels a side has 3 GB of them: asked for, not taken
    g_autofree float *sum = g_try_new0(float, count * 3);
    g_autofree float *weight = g_try_new0(float, count);

    if (sum == NULL || weight == NULL) {
        error_failed(error, "There is no memory for a picture of %dx%d; choose a smaller size.",
                     width, height);
        return NULL;
    }
    if (d->tape == NULL) {
        d->tape = tape_create(d->k, d->options, error);
    }
    if (d->tape == NULL) {
        return NULL;
    }
    for (int i = 0; i < tile_number(d, d->tile_h, d->h); i++) {
        for (int j = 0; j < tile_number(d, d->tile_w, d->w); j++) {
            run_tile(d, latents, tile_start(d, i, d->tile_h, d->h),
                     tile_start(d, j, d->tile_w, d->w), sum, weight);
        }
    }
    // on a device the work is only begun until here
    if (!tape_sync(d->tape, error)) {
        return NULL;
    }
    for (size_t i = 0; i < count * 3; i++) {
        const float value = sum[i] / weight[i / 3];
        // numbers of 16 bits can overflow, which a black picture would not tell
        if (!isfinite(value)) {
            error_failed(error, "The model gave values that are no numbers; check the model's "
                                "files or use --precision f32.");
            return NULL;
        }
        sum[i] = CLAMP(value, -1.0f, 1.0f);
    }
    trace_add_image(trace, sum, 1, height, width, 3, "image");
    return picture_from_signal(sum, width, height, error);
}

/* ---- the other way ---- */

struct encoding {
    const struct autoencoder *a;
    const float *pixels; // [height, width, 3]
    int width, height;
    float *moments; // NULL while measuring
};

static void encode(void *user, struct tape *t)
{
    const struct encoding *e = user;
    struct tensor *x = tape_input(t, e->pixels, 1, e->height, e->width, 3, false);
    struct tensor *y = autoencoder_encode(t, e->a, x);

    if (e->moments != NULL) {
        tape_download(t, y, e->moments);
    }
}

float *encode_moments(const kernels *k, const struct autoencoder *a, const float *pixels, int width,
                      int height, bool wraps, GError **error)
{
    const struct vae_config *config = autoencoder_config(a);
    const int factor = autoencoder_factor(config);
    struct encoding e = {.a = a, .pixels = pixels, .width = width, .height = height};
    struct tape *t =
        tape_create_measured(k, (struct tape_options){.wraps = wraps}, encode, &e, error);

    if (t != NULL) {
        // twice the channels: means, then logarithms of variances
        e.moments = g_new(float, (size_t)(width / factor) * (height / factor) * 2 *
                                     config->latent_channels);
        encode(&e, t);
        if (!tape_sync(t, error)) {
            g_clear_pointer(&e.moments, g_free);
        }
        tape_free(t);
    }
    return e.moments;
}

float encode_deviation(float log_variance)
{
    // half of the variance's logarithm is the deviation's
    return expf(0.5f * CLAMP(log_variance, -30.0f, 20.0f));
}

float *encode_picture(const kernels *k, const struct autoencoder *a, const picture *p, int width,
                      int height, bool wraps, const float *noise, GError **error)
{
    const struct vae_config *config = autoencoder_config(a);
    const int factor = autoencoder_factor(config), c = config->latent_channels;
    const size_t tokens = (size_t)(width / factor) * (height / factor);
    g_autofree float *pixels = picture_signal(p, width, height, wraps, error);
    g_autofree float *moments =
        pixels != NULL ? encode_moments(k, a, pixels, width, height, wraps, error) : NULL;

    if (moments == NULL) {
        return NULL;
    }
    float *latents = g_new(float, tokens *c);
    for (size_t i = 0; i < tokens * c; i++) {
        // channels last: the 2 c moments of a place lie together
        const float *at = moments + i / c * 2 * c + i % c;
        const float added = noise != NULL ? encode_deviation(at[c]) * noise[i] : 0;
        latents[i] = (float)((at[0] + added) * config->scaling_factor);
    }
    return latents;
}
