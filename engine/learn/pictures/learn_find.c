/* Where an unmarked subject probably is; see learn_find.h. */
#include "engine/learn/pictures/learn_find.h"

#include <math.h>

#define FAR    0.12 // of a channel's range
#define STRIP  32   // an end is the mean of a side's 32nd part
#define SPECK  0.02 // of a row or column: less of it is none of the subject
#define MIDDLE 0.8  // a side, where nothing is found
#define LEAST  0.05 // a side, of a box that is believed

// one row or column: `n` pixels, `step` floats apart
struct line {
    const float *first;
    int n;
    size_t step;
};

static struct line row_of(const picture *p, int y)
{
    return (struct line){p->pixels + 3 * (size_t)y * p->width, p->width, 3};
}

static struct line column_of(const picture *p, int x)
{
    return (struct line){p->pixels + 3 * (size_t)x, p->height, 3 * (size_t)p->width};
}

// the mean colours of both ends
static void measure_ends(const struct line *l, float ends[2][3])
{
    const int strip = MAX(1, l->n / STRIP);

    for (int c = 0; c < 3; c++) {
        ends[0][c] = ends[1][c] = 0;
        for (int i = 0; i < strip; i++) {
            ends[0][c] += l->first[(size_t)i * l->step + c] / (float)strip;
            ends[1][c] += l->first[(size_t)(l->n - 1 - i) * l->step + c] / (float)strip;
        }
    }
}

static bool is_far(const struct line *l, int i, const float ends[2][3])
{
    const float share = ((float)i + 0.5f) / (float)l->n;

    for (int c = 0; c < 3; c++) {
        const float even = ends[0][c] + share * (ends[1][c] - ends[0][c]);
        if (fabs(l->first[(size_t)i * l->step + c] - even) > FAR) {
            return true;
        }
    }
    return false;
}

// how many of the subject's pixels each column and each row has
static void count(const picture *p, int *columns, int *rows)
{
    g_autofree float *along = g_new(float, 6 * (size_t)p->width);
    float ends[2][3];

    for (int x = 0; x < p->width; x++) {
        const struct line l = column_of(p, x);
        measure_ends(&l, (float(*)[3])(along + 6 * (size_t)x));
    }
    for (int y = 0; y < p->height; y++) {
        const struct line row = row_of(p, y);
        measure_ends(&row, ends);
        for (int x = 0; x < p->width; x++) {
            const struct line column = column_of(p, x);
            const bool far = is_far(&row, x, (const float(*)[3])ends) &&
                             is_far(&column, y, (const float(*)[3])(along + 6 * (size_t)x));
            columns[x] += far;
            rows[y] += far;
        }
    }
}

// from the first to behind the last line that has more than specks; false when none has
static bool find_range(const int *counts, int n, int across, double *first, double *end)
{
    const int least = MAX(1, (int)(SPECK * across));
    int low = 0, high = n;

    while (low < n && counts[low] < least) {
        low++;
    }
    while (high > low && counts[high - 1] < least) {
        high--;
    }
    *first = low;
    *end = high;
    // a busy background fills the picture, a flat one may hold specks alone: neither is believed
    return high - low >= LEAST * n && high - low <= MIDDLE * n;
}

static struct layout_box middle(const picture *p)
{
    const double half = MIDDLE * MIN(p->width, p->height) / 2;
    const double cx = p->width / 2.0, cy = p->height / 2.0;

    return (struct layout_box){cx - half, cy - half, cx + half, cy + half};
}

struct layout_box learn_find_subject(const picture *image)
{
    g_autofree int *columns = g_new0(int, image->width);
    g_autofree int *rows = g_new0(int, image->height);
    struct layout_box box;

    count(image, columns, rows);
    const bool found = find_range(columns, image->width, image->height, &box.left, &box.right) &&
                       find_range(rows, image->height, image->width, &box.top, &box.bottom);
    return found ? box : middle(image);
}
