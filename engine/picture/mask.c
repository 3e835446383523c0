/* Masks: grown, shrunk, blurred, measured; see mask.h. All but the distance is done along rows and
 * then along columns; each way costs the same for every radius:
 *
 *   largest   a queue of places whose values fall: the first is the window's (Lemire 2006)
 *   blur      running sums
 *   distance  lower envelope of parabolas (Felzenszwalb and Huttenlocher 2012) */
#include "engine/picture/mask.h"

#include "engine/base/error.h"

#include <float.h>
#include <math.h>
#include <string.h>

picture *mask_read(const char *path, int minimum, GError **error)
{
    picture *mask = picture_read_mask(path, minimum, error);

    if (mask != NULL) {
        mask_clear_veil(mask);
    }
    return mask;
}

void mask_clear_veil(picture *mask)
{
    for (size_t i = 0, n = (size_t)mask->width * mask->height; i < n; i++) {
        // a veil that nobody sees would repaint all of the picture a little
        mask->pixels[i] = mask->pixels[i] < MASK_LEAST ? 0 : mask->pixels[i];
    }
}

bool mask_bounds(const picture *mask, struct mask_box *box)
{
    int x0 = mask->width, y0 = mask->height, x1 = -1, y1 = -1;

    for (int y = 0; y < mask->height; y++) {
        const float *row = mask->pixels + (size_t)y * mask->width;
        for (int x = 0; x < mask->width; x++) {
            if (row[x] >= MASK_LEAST) {
                x0 = MIN(x0, x);
                x1 = MAX(x1, x);
                y0 = MIN(y0, y);
                // rows come in order, so the last one seen is the lowest
                y1 = y;
            }
        }
    }
    *box = (struct mask_box){x0, y0, x1 - x0 + 1, y1 - y0 + 1};
    return x1 >= 0;
}

bool mask_check(const picture *image, const picture *mask, GError **error)
{
    struct mask_box box;

    if (mask->width != image->width || mask->height != image->height) {
        return error_failed(
            error,
            "The mask has %d x %d pixels, its picture %d x %d; give a mask of the picture's size.",
            mask->width, mask->height, image->width, image->height);
    }
    if (!mask_bounds(mask, &box)) {
        return error_failed(
            error, "The mask is empty, so nothing may be painted; make white what may change.");
    }
    return true;
}

/* ---- along lines ---- */

// scratch for the longest line
struct scratch {
    int *places;  // [n]
    double *from; // [n + 1]
};

// out[i] from in[i - radius .. i + radius], or from all of the line
typedef void (*line_function)(const float *in, float *out, int n, int radius,
                              const struct scratch *s);

static void along_lines(picture *m, int radius, line_function f)
{
    // two lines serve rows and columns
    const int most = MAX(m->width, m->height);
    g_autofree float *in = g_new(float, most), *out = g_new(float, most);
    g_autofree int *places = g_new(int, most);
    g_autofree double *from = g_new(double, most + 1);
    const struct scratch scratch = {places, from};

    for (int y = 0; y < m->height; y++) {
        float *row = m->pixels + (size_t)y * m->width;
        f(row, out, m->width, radius, &scratch);
        memcpy(row, out, m->width * sizeof *row);
    }
    for (int x = 0; x < m->width; x++) {
        for (int y = 0; y < m->height; y++) {
            // a column is gathered once, so that the function sees a line whichever way it lies
            in[y] = m->pixels[(size_t)y * m->width + x];
        }
        f(in, out, m->height, radius, &scratch);
        for (int y = 0; y < m->height; y++) {
            m->pixels[(size_t)y * m->width + x] = out[y];
        }
    }
}

static void largest_line(const float *in, float *out, int n, int radius, const struct scratch *s)
{
    int *places = s->places;
    int first = 0, end = 0;

    for (int i = 0; i < n + radius; i++) {
        if (i < n) {
            // what is smaller and further left can never be the largest again
            while (end > first && in[places[end - 1]] <= in[i]) {
                end--;
            }
            places[end++] = i;
        }
        if (i >= radius) {
            // the window of out[i - radius] begins at i - 2 radius
            while (places[first] < i - 2 * radius) {
                first++;
            }
            out[i - radius] = in[places[first]];
        }
    }
}

static void box_line(const float *in, float *out, int n, int radius, const struct scratch *s)
{
    const double size = 2.0 * radius + 1;
    double sum = 0;

    for (int i = -radius; i <= radius; i++) {
        // the ends go on as they are, so that a mask at the border stays white there
        sum += in[CLAMP(i, 0, n - 1)];
    }
    for (int i = 0; i < n; i++) {
        out[i] = (float)(sum / size);
        // one comes in on the right, one goes out on the left: the same cost for every radius
        sum += (double)in[MIN(i + radius + 1, n - 1)] - in[MAX(i - radius, 0)];
    }
}

void mask_invert(picture *mask)
{
    for (size_t i = 0, n = (size_t)mask->width * mask->height; i < n; i++) {
        mask->pixels[i] = 1 - mask->pixels[i];
    }
}

void mask_dilate(picture *mask, int radius)
{
    if (radius > 0) {
        along_lines(mask, radius, largest_line);
    }
}

void mask_erode(picture *mask, int radius)
{
    // what is black grows into what is white
    mask_invert(mask);
    mask_dilate(mask, radius);
    mask_invert(mask);
}

// sums of ones and zeros that only nearly cancel
static void round_ends(picture *m)
{
    for (size_t i = 0, n = (size_t)m->width * m->height; i < n; i++) {
        const float value = m->pixels[i];
        m->pixels[i] = value < 1e-5f ? 0 : value > 1 - 1e-5f ? 1 : value;
    }
}

void mask_blur(picture *mask, int width)
{
    // three boxes of radii that add up to half the width are nearly a Gaussian, and end
    const int radius = width / 6;
    const int rest = (width - 6 * radius) / 2; // of half the width

    for (int pass = 0; pass < 3; pass++) {
        const int r = radius + (pass < rest ? 1 : 0);
        if (r > 0) {
            along_lines(mask, r, box_line);
        }
    }
    round_ends(mask);
}

void mask_threshold(picture *mask, float level)
{
    for (size_t i = 0, n = (size_t)mask->width * mask->height; i < n; i++) {
        mask->pixels[i] = mask->pixels[i] >= level ? 1 : 0;
    }
}

/* ---- distance ---- */

// where the parabolas that stand on p and q (p < q) cross
static double crossing(const float *f, int p, int q)
{
    return ((f[q] + (double)q * q) - (f[p] + (double)p * p)) / (2.0 * (q - p));
}

/* out[i] = smallest of in[j] + (i - j)^2; places: where the parabolas of the envelope stand, from:
 * from where on each is the lowest. FLT_MAX stands for infinity. */
static void parabolas(const float *in, float *out, int n, int radius, const struct scratch *s)
{
    int *places = s->places, last = -1;
    double *from = s->from;

    for (int i = 0; i < n; i++) {
        // a place that nothing is known of stands at infinity: it is never the lowest
        if (in[i] == FLT_MAX) {
            continue;
        }
        // parabolas that the new one hides go
        while (last >= 0 && crossing(in, places[last], i) <= from[last]) {
            last--;
        }
        from[last + 1] = last < 0 ? -DBL_MAX : crossing(in, places[last], i);
        places[++last] = i;
    }
    // second walk: k is the parabola that is lowest at i, and only ever moves right
    for (int i = 0, k = 0; i < n; i++) {
        while (k < last && from[k + 1] < i) {
            k++;
        }
        const double apart = last < 0 ? 0 : (double)i - places[k];
        out[i] = last < 0 ? FLT_MAX : (float)(in[places[k]] + apart * apart);
    }
}

picture *mask_depth(const picture *mask, GError **error)
{
    const size_t n = (size_t)mask->width * mask->height;
    picture *depth = picture_create(mask->width, mask->height, 1, error);

    if (depth == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        // 0 where the mask is black: the distance is measured to there
        depth->pixels[i] = mask->pixels[i] > 0 ? FLT_MAX : 0;
    }
    // squares of the distance along the row become those in both directions along the columns
    along_lines(depth, 0, parabolas);
    for (size_t i = 0; i < n; i++) {
        depth->pixels[i] = depth->pixels[i] == FLT_MAX ? FLT_MAX : sqrtf(depth->pixels[i]);
    }
    return depth;
}

/* ---- parts ---- */

void mask_cells(const picture *mask, int h, int w, float *out)
{
    const int tall = mask->height / h, wide = mask->width / w;

    g_assert(mask->height == h * tall && mask->width == w * wide);
    memset(out, 0, (size_t)h * w * sizeof *out);
    for (int y = 0; y < mask->height; y++) {
        for (int x = 0; x < mask->width; x++) {
            // a cell of latents may change if any of its pixels may
            float *cell = out + (size_t)(y / tall) * w + x / wide;
            *cell = MAX(*cell, mask->pixels[(size_t)y * mask->width + x]);
        }
    }
}

picture *mask_crop(const picture *p, const struct mask_box *box, GError **error)
{
    picture *part = picture_create(box->width, box->height, p->channels, error);
    const size_t row = (size_t)box->width * p->channels;

    for (int y = 0; part != NULL && y < box->height; y++) {
        const size_t at = ((size_t)(box->y + y) * p->width + box->x) * p->channels;
        memcpy(part->pixels + y * row, p->pixels + at, row * sizeof(float));
    }
    return part;
}
