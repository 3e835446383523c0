/* conv_cpu.c: convolutions, from one plain copy of the weight for both directions. Four ways:
 *  - a 1x1 kernel with stride 1 is a linear layer over the pixels;
 *  - a 3x3 kernel with stride 1 and many pixels: Winograd's way (conv_winograd_cpu.c);
 *  - others with many pixels: oneDNN's direct code (conv_direct_cpu.c);
 *  - few pixels and many channels: gathered rows (im2col_cpu.h) and matrix products, in chunks that
 *    stay in cache. */
#include "kernels/conv_cpu.h"
#include "kernels/im2col_cpu.h"

#define CHUNK ((size_t)16 << 20) // bytes of gathered rows at a time

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
static struct im2col_chunk chunk_at(struct conv_shape s, int64_t first)
{
    const int64_t rows = (int64_t)s.n * s.out_h;

    return (struct im2col_chunk){first, MIN(im2col_rows(s, CHUNK), rows - first)};
}

static bool chunk_next(struct conv_shape s, struct im2col_chunk *chunk)
{
    *chunk = chunk_at(s, chunk->first + chunk->count);
    return chunk->count > 0;
}

// the chunk's pixels as rows of a product with the weight as a matrix [out, kh kw c]
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

// room for the columns of the largest chunk; NULL where one output row is too large
static void *take_columns(struct conv_shape s, enum kernels_type type, struct onednn_room *room)
{
    const int64_t count = product_shape(s, chunk_at(s, 0)).t * im2col_columns(s);

    return cpu_take(room, (size_t)count * kernels_size(type));
}

static bool gathered_forward(const kernels *k, struct conv_shape s, const cell *x,
                             struct kernels_weight w, const float *bias, cell *y)
{
    struct onednn_room room = cpu_workspace(k);
    cell *columns = take_columns(s, k->activation, &room);
    struct im2col_chunk c = {0};

    while (columns && chunk_next(s, &c)) {
        const struct linear_shape p = product_shape(s, c);
        const struct gemm_shape product = {.m = p.t, .n = p.out, .k = p.in, .transpose_b = true};
        cell *to = kernels_at(k, y, chunk_start(s, c));

        im2col_gather(k, s, c, x, columns);
        if (!cpu_product(k, product, columns, w, bias, k->activation, to, room)) {
            return false;
        }
    }
    return columns != NULL;
}

static void conv_forward(const kernels *k, struct conv_shape s, const cell *x,
                         struct kernels_weight w, const real *bias, cell *y)
{
    if (is_linear(s)) {
        k->linear_forward(k, as_linear(s), x, w, bias, y);
    } else if (s.n > 0 && !conv_winograd_forward(k, s, x, w, bias, y) &&
               !conv_direct_forward(k, s, x, w, bias, y) &&
               !gathered_forward(k, s, x, w, bias, y)) {
        cpu_device(k)->reference.conv_forward(k, s, x, w, bias, y);
    }
}

// the columns are float: what comes together in a value of dx is rounded once
static bool gathered_backward(const kernels *k, struct conv_shape s, const cell *dy,
                              struct kernels_weight w, cell *dx)
{
    struct onednn_room room = cpu_workspace(k);
    float *columns = take_columns(s, KERNELS_F32, &room);
    struct im2col_chunk c = {0};

    while (columns && chunk_next(s, &c)) {
        const struct linear_shape p = product_shape(s, c);
        const struct gemm_shape product = {.m = p.t, .n = p.in, .k = p.out};
        const cell *from = kernels_at(k, dy, chunk_start(s, c));

        if (!cpu_product(k, product, from, w, NULL, KERNELS_F32, columns, room)) {
            return false; // the first chunk already: nothing was added
        }
        im2col_scatter(k, s, c, columns, dx);
    }
    return columns != NULL;
}

static void conv_backward_input(const kernels *k, struct conv_shape s, const cell *dy,
                                struct kernels_weight w, cell *dx)
{
    if (is_linear(s)) {
        k->linear_backward_input(k, as_linear(s), dy, w, dx);
    } else if (s.n > 0 && !conv_winograd_backward(k, s, dy, w, dx) &&
               !conv_direct_backward(k, s, dy, w, dx) && !gathered_backward(k, s, dy, w, dx)) {
        cpu_device(k)->reference.conv_backward_input(k, s, dy, w, dx);
    }
}

static void conv_backward_weight(const kernels *k, struct conv_shape s, const cell *dy,
                                 const cell *x, real *dw)
{
    struct onednn_room room = cpu_workspace(k);
    cell *columns = take_columns(s, k->activation, &room);
    struct im2col_chunk c = {0};

    if (is_linear(s)) {
        k->linear_backward_weight(k, as_linear(s), dy, x, dw);
        return;
    }
    if (!columns) {
        cpu_device(k)->reference.conv_backward_weight(k, s, dy, x, dw);
        return;
    }
    while (chunk_next(s, &c)) {
        const cell *from = kernels_at(k, dy, chunk_start(s, c));

        im2col_gather(k, s, c, x, columns);
        cpu_linear_gradient(k, product_shape(s, c), from, columns, dw, room);
    }
}

void cpu_fill_conv(kernels *k)
{
    k->conv_forward = conv_forward;
    k->conv_backward_input = conv_backward_input;
    k->conv_backward_weight = conv_backward_weight;
}
