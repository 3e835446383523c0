/* im2col_cpu.c: see im2col_cpu.h. Gathering is split over the rows of the matrix, sending back over
 * the rows of dx, so that no two threads write the same place. */
#include "kernels/im2col_cpu.h"

#include <string.h>

int64_t im2col_columns(struct conv_shape s)
{
    return (int64_t)s.kh * s.kw * s.c;
}

int64_t im2col_rows(struct conv_shape s, size_t bytes)
{
    const size_t row = (size_t)im2col_columns(s) * (size_t)s.out_w * sizeof(float);

    return MAX((int64_t)(bytes / row), 1);
}

/* The values of x under row i of the kernel at output pixel (row, ox), for all of its columns j:
 * start: value of x at j = 0, may lie outside; from .. to: the j that lie inside. Empty where the
 * whole row lies outside. */
struct window {
    int64_t start;
    int from, to;
};

static struct window window_at(struct conv_shape s, int64_t row, int ox, int i)
{
    const int64_t n = row / s.out_h;
    const int y = (int)(row % s.out_h) * s.stride + i - s.pad_top;
    const int x = ox * s.stride - s.pad_left;

    if (y < 0 || y >= s.h) {
        return (struct window){0};
    }
    return (struct window){
        .start = ((n * s.h + y) * s.w + x) * s.c,
        .from = CLAMP(-x, 0, s.kw),
        .to = CLAMP(s.w - x, 0, s.kw),
    };
}

void im2col_gather(struct conv_shape s, int threads, struct im2col_chunk chunk, const float *x,
                   float *columns)
{
    const int64_t width = (int64_t)s.kw * s.c;

#pragma omp parallel for collapse(2) num_threads(threads) schedule(static)
    for (int64_t row = 0; row < chunk.count; row++) {
        for (int ox = 0; ox < s.out_w; ox++) {
            float *to = columns + (row * s.out_w + ox) * s.kh * width;

            for (int i = 0; i < s.kh; i++, to += width) {
                const struct window w = window_at(s, chunk.first + row, ox, i);
                const int64_t first = (int64_t)w.from * s.c;
                const int64_t last = MAX((int64_t)w.to * s.c, first);

                memset(to, 0, (size_t)first * sizeof *to);
                memcpy(to + first, x + w.start + first, (size_t)(last - first) * sizeof *to);
                memset(to + last, 0, (size_t)(width - last) * sizeof *to);
            }
        }
    }
}

// the output position that meets input position `at` through kernel position i, or -1
static int output_at(int at, int pad, int i, int stride, int limit)
{
    const int position = at + pad - i;

    if (position < 0 || position % stride != 0 || position / stride >= limit) {
        return -1;
    }
    return position / stride;
}

// dx [c] of input pixel (n, y, x) += all of the chunk that came from it
static void collect_pixel(struct conv_shape s, struct im2col_chunk chunk, const float *columns,
                          int64_t n, int y, int x, float *dx)
{
    for (int i = 0; i < s.kh; i++) {
        const int oy = output_at(y, s.pad_top, i, s.stride, s.out_h);
        const int64_t row = n * s.out_h + oy - chunk.first;

        if (oy < 0 || row < 0 || row >= chunk.count) {
            continue;
        }
        for (int j = 0; j < s.kw; j++) {
            const int ox = output_at(x, s.pad_left, j, s.stride, s.out_w);
            const int64_t position = ((row * s.out_w + ox) * s.kh + i) * s.kw + j;

            for (int c = 0; ox >= 0 && c < s.c; c++) {
                dx[c] += columns[position * s.c + c];
            }
        }
    }
}

void im2col_scatter(struct conv_shape s, int threads, struct im2col_chunk chunk,
                    const float *columns, float *dx)
{
    // the rows of dx (n, y) that the chunk's output rows reach
    const int64_t last = chunk.first + chunk.count - 1;
    const int64_t low = (chunk.first % s.out_h) * s.stride - s.pad_top;
    const int64_t high = (last % s.out_h) * s.stride - s.pad_top + s.kh - 1;
    const int64_t from = chunk.first / s.out_h * s.h + CLAMP(low, 0, s.h);
    const int64_t to = last / s.out_h * s.h + CLAMP(high + 1, 0, s.h);

#pragma omp parallel for collapse(2) num_threads(threads) schedule(static)
    for (int64_t row = from; row < to; row++) {
        for (int x = 0; x < s.w; x++) {
            collect_pixel(s, chunk, columns, row / s.h, (int)(row % s.h), x,
                          dx + (row * s.w + x) * s.c);
        }
    }
}
