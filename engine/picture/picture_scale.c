/* Scaling and cutting by two passes of weighted sums, rows first; see picture_scale.h.
 *
 * New pixel i of n, from m old ones, scale s = m / n, is centred on c = (i + 1/2) s. Old pixel j
 * counts with
 *   triangle  max(0, 1 - |x|), x = (j + 1/2 - c) / max(s, 1),  normalised to sum 1  (Pillow's Resample.c)
 *   cubic     Keys' with a = -1/2 of the same x, the same
 *   area      the length of [j, j + 1] within [i s, (i + 1) s], over s */
#include "engine/picture/picture_scale.h"
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

// the weights of `count` new pixels in one direction; each has `room` places and uses n[i]
struct taps {
    int count, room;
    int *first, *n;  // [count]
    double *weights; // [count, room]
};

static void taps_finish(struct taps *t)
{
    g_free(t->first);
    g_free(t->n);
    g_free(t->weights);
}

// reach: of the filter, in new pixels on either side
static bool taps_init(struct taps *t, int count, double scale, int reach)
{
    *t = (struct taps){.count = count, .room = (int)ceil(reach * MAX(scale, 1.0)) * 2 + 1};
    t->first = g_try_new(int, count);
    t->n = g_try_new(int, count);
    t->weights = g_try_malloc_n((size_t)count * t->room, sizeof(double));
    return t->first && t->n && t->weights;
}

static double triangle(double x)
{
    return MAX(0.0, 1 - fabs(x));
}

static double cubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    return x < 1   ? ((a + 2) * x - (a + 3)) * x * x + 1
           : x < 2 ? (((x - 5) * x + 8) * x - 4) * a
                   : 0;
}

static void filter_taps(struct taps *t, int old, double scale, double start, int reach,
                        double (*filter)(double x))
{
    // when the picture grows the filter stays as wide as old pixels are: it interpolates
    const double wide = MAX(scale, 1.0), support = reach * wide;

    for (int i = 0; i < t->count; i++) {
        const double centre = (start + i + 0.5) * scale;
        const int first = MAX(0, (int)(centre - support + 0.5));
        const int end = MIN(old, (int)(centre + support + 0.5));
        double *weights = t->weights + (size_t)i * t->room, sum = 0;

        for (int j = first; j < end; j++) {
            weights[j - first] = filter((j - centre + 0.5) / wide);
            sum += weights[j - first];
        }
        for (int j = first; j < end && sum > 0; j++) {
            // at the border a part of the filter is missing
            weights[j - first] /= sum;
        }
        t->first[i] = first;
        t->n[i] = end - first;
    }
}

static void triangle_taps(struct taps *t, int old, double scale, double start)
{
    filter_taps(t, old, scale, start, 1, triangle);
}

// as Pillow has them for bytes: in steps of 2^-22
static void cubic_taps(struct taps *t, int old, double scale, double start)
{
    const double one = 1 << 22;

    filter_taps(t, old, scale, start, 2, cubic);
    for (int i = 0; i < t->count; i++) {
        for (int j = 0; j < t->n[i]; j++) {
            double *weight = &t->weights[(size_t)i * t->room + j];
            *weight = round(*weight * one) / one;
        }
    }
}

static void area_taps(struct taps *t, int old, double scale, double start)
{
    for (int i = 0; i < t->count; i++) {
        const double low = (start + i) * scale, high = (start + i + 1) * scale;
        const int first = MIN(old - 1, (int)low);
        const int end = MIN(old, (int)ceil(high));

        for (int j = first; j < end; j++) {
            const double length = MIN(high, j + 1.0) - MAX(low, (double)j);
            t->weights[(size_t)i * t->room + (j - first)] = MAX(0.0, length) / scale;
        }
        t->first[i] = first;
        t->n[i] = end - first;
    }
}

/* One sum: out[c] = sum over k of weights[k] in[k step + c]; of bytes the nearest one. */
static void weigh(const float *in, size_t step, const double *weights, int n, int channels,
                  bool bytes, float *out)
{
    for (int c = 0; c < channels; c++) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            sum += weights[k] * in[k * step + c];
        }
        out[c] = (float)(bytes ? CLAMP(floor(sum + 0.5), 0.0, 255.0) : sum);
    }
}

// columns first..: [rows of p from y0, columns of t, channels]
static void pass_along_rows(const picture *p, int y0, const struct taps *t, bool bytes,
                            picture *out)
{
    for (int y = 0; y < out->height; y++) {
        const float *row = p->pixels + (size_t)(y0 + y) * p->width * p->channels;
        float *to = out->pixels + (size_t)y * out->width * p->channels;

        for (int x = 0; x < out->width; x++) {
            weigh(row + (size_t)t->first[x] * p->channels, p->channels,
                  t->weights + (size_t)x * t->room, t->n[x], p->channels, bytes,
                  to + x * p->channels);
        }
    }
}

static void pass_along_columns(const picture *p, int y0, const struct taps *t, bool bytes,
                               picture *out)
{
    const size_t stride = (size_t)p->width * p->channels;

    for (int y = 0; y < out->height; y++) {
        const float *from = p->pixels + (t->first[y] - y0) * stride;

        for (size_t i = 0; i < stride; i++) {
            weigh(from + i, stride, t->weights + (size_t)y * t->room, t->n[y], 1, bytes,
                  out->pixels + y * stride + i);
        }
    }
}

// both passes; between them lie only the old rows that the new ones need
static picture *resample(const picture *p, const struct taps *columns, const struct taps *rows,
                         bool bytes, GError **error)
{
    const int last = rows->count - 1;
    // a cut at the bottom of a large picture does not scale the top
    const int y0 = rows->first[0], y1 = rows->first[last] + rows->n[last];
    g_autoptr(picture) half = picture_create(columns->count, y1 - y0, p->channels, error);
    picture *out = half ? picture_create(columns->count, rows->count, p->channels, error) : NULL;

    if (out) {
        pass_along_rows(p, y0, columns, bytes, half);
        pass_along_columns(half, y0, rows, bytes, out);
    }
    return out;
}

// fills t with the weights of new pixels start, start + 1 ..., which is whole unless edges lie elsewhere (picture_resize_around)
typedef void (*taps_function)(struct taps *t, int old, double scale, double start);

// what is made of a picture: width x height new pixels
struct grid {
    double scale_x, scale_y; // old pixels in a new one
    double x, y;             // the first of them, in new pixels from the picture's corner
    int width, height;
};

// a filter, as far as it reaches, and whether values are bytes after each pass
struct way {
    taps_function fill;
    int reach;
    bool bytes;
};
static const struct way by_triangle = {triangle_taps, 1, false}, by_area = {area_taps, 1, false},
                        by_cubic = {cubic_taps, 2, true};

static picture *scale_grid(const picture *p, const struct grid *g, const struct way *way,
                           GError **error)
{
    struct taps columns = {0}, rows = {0};
    picture *out = NULL;

    if (taps_init(&columns, g->width, g->scale_x, way->reach) &&
        taps_init(&rows, g->height, g->scale_y, way->reach)) {
        // weights are of the scaled picture's own places, so that a cut equals cutting afterwards
        way->fill(&columns, p->width, g->scale_x, g->x);
        way->fill(&rows, p->height, g->scale_y, g->y);
        out = resample(p, &columns, &rows, way->bytes, error);
    } else {
        error_failed(error,
                     "there is no memory to scale a picture to %d x %d pixels; use a smaller size.",
                     g->width, g->height);
    }
    taps_finish(&columns);
    taps_finish(&rows);
    return out;
}

static struct grid grid_of(const picture *p, const struct picture_frame *f)
{
    g_assert(f->x >= 0 && f->y >= 0 && f->crop_width > 0 && f->crop_height > 0);
    g_assert(f->x + f->crop_width <= f->width && f->y + f->crop_height <= f->height);
    return (struct grid){.scale_x = (double)p->width / f->width,
                         .scale_y = (double)p->height / f->height,
                         .x = f->x,
                         .y = f->y,
                         .width = f->crop_width,
                         .height = f->crop_height};
}

// colours times alpha, so that what cannot be seen does not bleed into what can
static picture *multiplied(const picture *p, GError **error)
{
    picture *out = picture_create(p->width, p->height, 4, error);

    for (size_t i = 0, n = (size_t)p->width * p->height; out && i < n; i++) {
        const float *from = p->pixels + 4 * i;
        for (int c = 0; c < 4; c++) {
            out->pixels[4 * i + c] = c == 3 ? from[3] : from[c] * from[3];
        }
    }
    return out;
}

static picture *scale_colours(const picture *p, const struct grid *g, GError **error)
{
    g_autoptr(picture) solid = NULL;
    picture *out;

    if (p->channels != 4) {
        return scale_grid(p, g, &by_triangle, error);
    }
    solid = multiplied(p, error);
    out = solid ? scale_grid(solid, g, &by_triangle, error) : NULL;
    if (out) {
        picture_unmultiply(out);
    }
    return out;
}

picture *picture_cut(const picture *p, const struct picture_frame *frame, GError **error)
{
    const struct grid grid = grid_of(p, frame);

    return scale_colours(p, &grid, error);
}

picture *picture_cut_cubic(const picture *p, const struct picture_frame *frame, GError **error)
{
    const struct grid grid = grid_of(p, frame);
    g_autoptr(picture) bytes = picture_copy(p, error);
    const size_t n = (size_t)p->width * p->height * p->channels;

    if (bytes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        bytes->pixels[i] = floorf(255 * bytes->pixels[i] + 0.5f);
    }
    picture *out = scale_grid(bytes, &grid, &by_cubic, error);
    for (size_t i = 0; out != NULL && i < (size_t)out->width * out->height * out->channels; i++) {
        out->pixels[i] /= 255;
    }
    return out;
}

static struct picture_frame whole(int width, int height)
{
    return (struct picture_frame){
        .width = width, .height = height, .crop_width = width, .crop_height = height};
}

picture *picture_resize(const picture *p, int width, int height, GError **error)
{
    const struct picture_frame frame = whole(width, height);

    return picture_cut(p, &frame, error);
}

// with that many pixels of the other side behind each edge
static picture *go_on_around(const picture *p, int beside, int above, GError **error)
{
    picture *out = picture_create(p->width + 2 * beside, p->height + 2 * above, p->channels, error);

    for (int y = 0; out != NULL && y < out->height; y++) {
        // at least one whole turn is added: a small picture may be taken round more than once
        const int row = (y - above % p->height + p->height) % p->height;
        const float *from = p->pixels + (size_t)row * p->width * p->channels;
        for (int x = 0; x < out->width; x++) {
            const int column = (x - beside % p->width + p->width) % p->width;
            memcpy(out->pixels + ((size_t)y * out->width + x) * p->channels,
                   from + (size_t)column * p->channels, p->channels * sizeof(float));
        }
    }
    return out;
}

picture *picture_resize_around(const picture *p, int width, int height, GError **error)
{
    const struct picture_frame frame = whole(width, height);
    struct grid grid = grid_of(p, &frame);
    // as far as a triangle reaches from the outermost new pixels, and one for rounding
    const int beside = (int)ceil(MAX(grid.scale_x, 1.0)) + 1;
    const int above = (int)ceil(MAX(grid.scale_y, 1.0)) + 1;
    g_autoptr(picture) larger = go_on_around(p, beside, above, error);

    // the same new pixels: their places are counted from the larger picture's corner
    grid.x += beside / grid.scale_x;
    grid.y += above / grid.scale_y;
    return larger != NULL ? scale_colours(larger, &grid, error) : NULL;
}

picture *picture_area_mean(const picture *p, int width, int height, GError **error)
{
    const struct picture_frame frame = whole(width, height);
    const struct grid grid = grid_of(p, &frame);

    return scale_grid(p, &grid, &by_area, error);
}

struct picture_frame picture_frame_fill(int width, int height, int crop_width, int crop_height)
{
    // whether it is the wider one of the two
    const bool wide = (int64_t)width * crop_height >= (int64_t)height * crop_width;
    struct picture_frame f = {.crop_width = crop_width, .crop_height = crop_height};

    // cut off, as torchvision's Resize does
    f.width = wide ? (int)((int64_t)crop_height * width / height) : crop_width;
    f.height = wide ? crop_height : (int)((int64_t)crop_width * height / width);
    // an odd rest goes where Python's round() puts it: to the even side
    f.x = (int)lrint((f.width - crop_width) / 2.0);
    f.y = (int)lrint((f.height - crop_height) / 2.0);
    return f;
}

struct picture_frame picture_frame_centre(int width, int height, int size)
{
    return picture_frame_fill(width, height, size, size);
}

void picture_frame_move(struct picture_frame *f, int width, int height, double cx, double cy)
{
    const double x = cx * f->width / width - f->crop_width / 2.0;
    const double y = cy * f->height / height - f->crop_height / 2.0;

    f->x = (int)lrint(CLAMP(x, 0.0, (double)(f->width - f->crop_width)));
    f->y = (int)lrint(CLAMP(y, 0.0, (double)(f->height - f->crop_height)));
}

bool picture_mask_centre(const picture *mask, double *cx, double *cy)
{
    double sum = 0, sum_x = 0, sum_y = 0;

    g_assert(mask->channels == 1);
    for (int y = 0; y < mask->height; y++) {
        for (int x = 0; x < mask->width; x++) {
            const double value = mask->pixels[(size_t)y * mask->width + x];
            sum += value;
            sum_x += value * (x + 0.5);
            sum_y += value * (y + 0.5);
        }
    }
    if (sum <= 0) {
        return false;
    }
    *cx = sum_x / sum;
    *cy = sum_y / sum;
    return true;
}

struct picture_frame picture_frame_around(const picture *p, const picture *marked, int crop_width,
                                          int crop_height)
{
    struct picture_frame frame = picture_frame_fill(p->width, p->height, crop_width, crop_height);
    double cx, cy;

    if (marked != NULL && picture_mask_centre(marked, &cx, &cy)) {
        picture_frame_move(&frame, p->width, p->height, cx, cy);
    }
    return frame;
}

void picture_flip(picture *p)
{
    const size_t pixel = p->channels * sizeof(float);
    float swap[4];

    for (int y = 0; y < p->height; y++) {
        float *row = p->pixels + (size_t)y * p->width * p->channels;
        for (int x = 0; x < p->width / 2; x++) {
            float *left = row + x * p->channels;
            float *right = row + (p->width - 1 - x) * p->channels;
            // whole pixels change places, of any number of channels
            memcpy(swap, left, pixel);
            memcpy(left, right, pixel);
            memcpy(right, swap, pixel);
        }
    }
}

void picture_to_signal(const picture *p, float *out)
{
    const size_t n = (size_t)p->width * p->height * 3;

    g_assert(p->channels == 3);
    for (size_t i = 0; i < n; i++) {
        out[i] = 2 * p->pixels[i] - 1;
    }
}

float *picture_signal(const picture *p, int width, int height, bool around, GError **error)
{
    static const float white[3] = {1, 1, 1};
    g_autoptr(picture) scaled = around ? picture_resize_around(p, width, height, error)
                                       : picture_resize(p, width, height, error);

    if (scaled == NULL) {
        return NULL;
    }
    picture_flatten(scaled, white);
    float *signal = g_new(float, (size_t)width *height * 3);
    picture_to_signal(scaled, signal);
    return signal;
}

picture *picture_from_signal(const float *in, int width, int height, GError **error)
{
    picture *p = picture_create(width, height, 3, error);
    const size_t n = (size_t)width * height * 3;

    for (size_t i = 0; p && i < n; i++) {
        const float value = (in[i] + 1) / 2;
        p->pixels[i] = isnan(value) ? value : CLAMP(value, 0.0f, 1.0f);
    }
    return p;
}
