/* im2col_cpu.c: see im2col_cpu.h. Gathering is split over the rows of the matrix, sending back over
 * the rows of dx, so that no two threads write the same place. */
#include "kernels/im2col_cpu.h"

#include "kernels/clones.h"

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

void im2col_gather(const kernels *k, struct conv_shape s, struct im2col_chunk chunk, const cell *x,
                   cell *columns)
{
    const int64_t width = (int64_t)s.kw * s.c;
    const size_t size = kernels_size(k->activation);

#pragma omp parallel for collapse(2) num_threads(k->threads) schedule(static)
    for (int64_t row = 0; row < chunk.count; row++) {
        for (int ox = 0; ox < s.out_w; ox++) {
            char *to = (char *)kernels_at(k, columns, (row * s.out_w + ox) * s.kh * width);

            for (int i = 0; i < s.kh; i++, to += (size_t)width * size) {
                const struct window w = window_at(s, chunk.first + row, ox, i);
                const int64_t from = (int64_t)w.from * s.c;
                const size_t first = (size_t)from * size;
                const size_t last = MAX((size_t)w.to * (size_t)s.c * size, first);

                memset(to, 0, first);
                memcpy(to + first, kernels_at(k, x, w.start + from), last - first);
                memset(to + last, 0, (size_t)width * size - last);
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

#define COLUMNS 64 // channels summed at a time, a multiple of a cache line

// one pixel of dx: row y, column x of picture n; channels from .. from + count of it
struct pixel {
    int64_t n;
    int y, x, from, count;
};

// dx [to .. to + count] += all of the chunk that came from the pixel
CPU_LOOP void collect_loop(enum kernels_type type, struct conv_shape s, struct im2col_chunk chunk,
                           const float *columns, struct pixel p, cell *dx, int64_t to)
{
    float sum[COLUMNS];

    for (int c = 0; c < p.count; c++) {
        sum[c] = cell_get(type, dx, to + c);
    }
    for (int i = 0; i < s.kh; i++) {
        const int oy = output_at(p.y, s.pad_top, i, s.stride, s.out_h);
        const int64_t row = p.n * s.out_h + oy - chunk.first;

        if (oy < 0 || row < 0 || row >= chunk.count) {
            continue;
        }
        for (int j = 0; j < s.kw; j++) {
            const int ox = output_at(p.x, s.pad_left, j, s.stride, s.out_w);
            const int64_t position = ((row * s.out_w + ox) * s.kh + i) * s.kw + j;
            const float *from = columns + position * s.c + p.from;

            for (int c = 0; ox >= 0 && c < p.count; c++) {
                sum[c] += from[c];
            }
        }
    }
    for (int c = 0; c < p.count; c++) {
        cell_set(type, dx, to + c, sum[c]);
    }
}

CPU_CLONES static void collect_pixel(enum kernels_type type, struct conv_shape s,
                                     struct im2col_chunk chunk, const float *columns,
                                     struct pixel p, cell *dx, int64_t to)
{
    for (p.from = 0; p.from < s.c; p.from += COLUMNS) {
        p.count = MIN(COLUMNS, s.c - p.from);
        CPU_BY_TYPE(collect_loop, type, s, chunk, columns, p, dx, to + p.from);
    }
}

void im2col_scatter(const kernels *k, struct conv_shape s, struct im2col_chunk chunk,
                    const float *columns, cell *dx)
{
    // the rows of dx (n, y) that the chunk's output rows reach
    const int64_t last = chunk.first + chunk.count - 1;
    const int64_t low = (chunk.first % s.out_h) * s.stride - s.pad_top;
    const int64_t high = (last % s.out_h) * s.stride - s.pad_top + s.kh - 1;
    const int64_t from = chunk.first / s.out_h * s.h + CLAMP(low, 0, s.h);
    const int64_t to = last / s.out_h * s.h + CLAMP(high + 1, 0, s.h);

#pragma omp parallel for collapse(2) num_threads(k->threads) schedule(static)
    for (int64_t row = from; row < to; row++) {
        for (int x = 0; x < s.w; x++) {
            const struct pixel p = {.n = row / s.h, .y = (int)(row % s.h), .x = x};

            collect_pixel(k->activation, s, chunk, columns, p, dx, (row * s.w + x) * s.c);
        }
    }
}
