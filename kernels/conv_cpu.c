/* conv_cpu.c: convolutions. With plain weights: gathered rows (im2col_cpu.h) in chunks that fit the
 * workspace, and matrix products; one copy of the weight serves both directions. A 1x1 kernel with
 * stride 1 is a linear layer over the pixels and gathers nothing. */
#include "kernels/cpu.h"
#include "kernels/im2col_cpu.h"

#include <string.h>

static bool is_linear(struct conv_shape s)
{
    return s.kh == 1 && s.kw == 1 && s.stride == 1 && s.pad_top == 0 && s.pad_left == 0 &&
           s.out_h == s.h && s.out_w == s.w;
}

static struct linear_shape as_linear(struct conv_shape s)
{
    return (struct linear_shape){.t = (int64_t)s.n * s.h * s.w, .in = s.c, .out = s.out};
}

// the chunk of output rows that begins at first; count 0 at the end
static struct im2col_chunk chunk_at(struct conv_shape s, int64_t first, size_t value)
{
    const int64_t rows = (int64_t)s.n * s.out_h;

    return (struct im2col_chunk){first, MIN(im2col_rows(s, CPU_WORKSPACE, value), rows - first)};
}

// the chunk's pixels as rows of a linear layer over the gathered columns
static struct linear_shape product_shape(struct conv_shape s, struct im2col_chunk chunk)
{
    return (struct linear_shape){
        .t = chunk.count * s.out_w, .in = (int)im2col_columns(s), .out = s.out};
}

// value of y where the chunk begins
static int64_t chunk_start(struct conv_shape s, struct im2col_chunk chunk)
{
    return chunk.first * s.out_w * s.out;
}

static void conv_forward(const kernels *k, struct conv_shape s, const real *x,
                         struct kernels_weight w, const real *bias, real *y)
{
    float *columns = cpu_device(k)->workspace;

    if (is_linear(s)) {
        k->linear_forward(k, as_linear(s), x, w, bias, y);
        return;
    }
    for (struct im2col_chunk c = chunk_at(s, 0, sizeof *columns); c.count > 0;
         c = chunk_at(s, c.first + c.count, sizeof *columns)) {
        im2col_gather(s, k->threads, c, x, columns);
        k->linear_forward(k, product_shape(s, c), columns, w, bias, y + chunk_start(s, c));
    }
}

static void conv_backward_input(const kernels *k, struct conv_shape s, const real *dy,
                                struct kernels_weight w, real *dx)
{
    float *columns = cpu_device(k)->workspace;

    if (is_linear(s)) {
        k->linear_backward_input(k, as_linear(s), dy, w, dx);
        return;
    }
    for (struct im2col_chunk c = chunk_at(s, 0, sizeof *columns); c.count > 0;
         c = chunk_at(s, c.first + c.count, sizeof *columns)) {
        const struct linear_shape p = product_shape(s, c);

        memset(columns, 0, (size_t)(p.t * p.in) * sizeof *columns);
        k->linear_backward_input(k, p, dy + chunk_start(s, c), w, columns);
        im2col_scatter(s, k->threads, c, columns, dx);
    }
}

static void conv_backward_weight(const kernels *k, struct conv_shape s, const real *dy,
                                 const real *x, real *dw)
{
    float *columns = cpu_device(k)->workspace;

    if (is_linear(s)) {
        k->linear_backward_weight(k, as_linear(s), dy, x, dw);
        return;
    }
    for (struct im2col_chunk c = chunk_at(s, 0, sizeof *columns); c.count > 0;
         c = chunk_at(s, c.first + c.count, sizeof *columns)) {
        im2col_gather(s, k->threads, c, x, columns);
        k->linear_backward_weight(k, product_shape(s, c), dy + chunk_start(s, c), columns, dw);
    }
}

void cpu_fill_conv(kernels *k)
{
    k->conv_forward = conv_forward;
    k->conv_backward_input = conv_backward_input;
    k->conv_backward_weight = conv_backward_weight;
}
