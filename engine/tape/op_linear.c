/* Linear layers and convolutions in the four forms of a weight.
 *
 *   frozen, full  y = W x + b                  dx = W^T dy, dW = dy x^T, db = sum dy
 *   spectral      q = Vt x, y = U (g q) + b    p = U^T dy, dshift = sum p q where g > 0,
 *                                              dx = V (g p)
 *   low-rank      q = s A x, y = W x + b + B q dB = dy q^T, dq = s B^T dy, dA = dq x^T,
 *                                              dx = W^T dy + A^T dq
 *
 * A convolution with W [out, kh, kw, in] is the same with Vt and A as convolutions of r outputs
 * followed by U and B as linear layers, so both share this file: struct span is the one place
 * that knows which of the two it is. */
#include "engine/tape/ops.h"

/* How a matrix of `out` rows is applied to x: as a linear layer over the channels or as a
 * convolution. */
struct span {
    bool convolves;
    int64_t rows; // of the output
    struct conv_shape conv;
};

static struct span span_linear(const struct tensor *x, const struct weight *w)
{
    return (struct span){.rows = tensor_rows(x), .conv = {.c = w->in}};
}

static struct span span_conv(const struct tensor *x, const struct weight *w, struct conv_geometry g)
{
    if (w->kh == 1 && w->kw == 1 && g.stride == 1 && g.out_h == x->h && g.out_w == x->w) {
        return span_linear(x, w);
    }
    return (struct span){.convolves = true,
                         .rows = (int64_t)x->n * g.out_h * g.out_w,
                         .conv = {.n = x->n,
                                  .h = x->h,
                                  .w = x->w,
                                  .c = x->c,
                                  .out_h = g.out_h,
                                  .out_w = g.out_w,
                                  .kh = w->kh,
                                  .kw = w->kw,
                                  .stride = g.stride,
                                  .pad_top = g.pad_top,
                                  .pad_left = g.pad_left}};
}

static struct linear_shape as_linear(const struct span *s, int out)
{
    return (struct linear_shape){.t = s->rows, .in = s->conv.c, .out = out};
}

static struct conv_shape as_conv(const struct span *s, int out)
{
    struct conv_shape c = s->conv;
    c.out = out;
    return c;
}

// y [rows, out] = matrix x + bias
static void span_forward(struct tape *t, const struct span *s, int out, const cell *x,
                         struct kernels_weight matrix, const real *bias, cell *y)
{
    const kernels *k = tape_kernels(t);

    if (s->convolves) {
        k->conv_forward(k, as_conv(s, out), x, matrix, bias, y);
    } else {
        k->linear_forward(k, as_linear(s, out), x, matrix, bias, y);
    }
}

// dx += matrix^T dy
static void span_backward_input(struct tape *t, const struct span *s, int out, const cell *dy,
                                struct kernels_weight matrix, cell *dx)
{
    const kernels *k = tape_kernels(t);

    if (s->convolves) {
        k->conv_backward_input(k, as_conv(s, out), dy, matrix, dx);
    } else {
        k->linear_backward_input(k, as_linear(s, out), dy, matrix, dx);
    }
}

// dmatrix += dy x^T
static void span_backward_weight(struct tape *t, const struct span *s, int out, const cell *dy,
                                 const cell *x, real *dmatrix)
{
    const kernels *k = tape_kernels(t);

    if (s->convolves) {
        k->conv_backward_weight(k, as_conv(s, out), dy, x, dmatrix);
    } else {
        k->linear_backward_weight(k, as_linear(s, out), dy, x, dmatrix);
    }
}

// the second factor: y [rows, out] = x [rows, r] factor^T, or back
static struct linear_shape second_factor(const struct span *s, const struct weight *w)
{
    return (struct linear_shape){.t = s->rows, .in = w->rank, .out = w->out};
}

/* ---- forward ---- */

// returns q [rows, r] = Vt x, which the way back needs
static cell *spectral_forward(struct tape *t, const struct span *s, const struct weight *w,
                              const struct tensor *x, struct tensor *y)
{
    const kernels *k = tape_kernels(t);
    cell *q = tape_cells(t, s->rows * w->rank);
    cell *scaled = tape_cells(t, s->rows * w->rank);

    span_forward(t, s, w->rank, x->data, w->vt, NULL, q);
    k->scale_columns(k, k->activation, s->rows, w->rank, q, w->gain, scaled);
    k->linear_forward(k, second_factor(s, w), scaled, w->u, w->bias, y->data);
    return q;
}

// s times x [rows, r]
static cell *times_factor(struct tape *t, const struct span *s, const struct weight *w,
                          const cell *x)
{
    const kernels *k = tape_kernels(t);
    cell *y = tape_cells(t, s->rows * w->rank);

    k->zero(k, y, tape_bytes(t, s->rows * w->rank));
    k->accumulate(k, k->activation, s->rows * w->rank, w->factor, x, y);
    return y;
}

// returns q [rows, r] = s A x; where it does not act y is that of W alone, to the bit
static cell *low_rank_forward(struct tape *t, const struct span *s, const struct weight *w,
                              const struct tensor *x, struct tensor *y)
{
    const kernels *k = tape_kernels(t);

    span_forward(t, s, w->out, x->data, w->dense, w->bias, y->data);
    if (w->factor == 0) {
        return NULL;
    }
    cell *product = tape_cells(t, s->rows * w->rank);
    cell *added = tape_cells(t, s->rows * w->out);
    span_forward(t, s, w->rank, x->data, w->down_used, NULL, product);
    cell *q = times_factor(t, s, w, product);
    k->linear_forward(k, second_factor(s, w), q, w->up_used, NULL, added);
    k->accumulate(k, k->activation, s->rows * w->out, 1, added, y->data);
    return q;
}

static cell *weight_forward(struct tape *t, const struct span *s, const struct weight *w,
                            const struct tensor *x, struct tensor *y)
{
    if (w->form == WEIGHT_SPECTRAL) {
        return spectral_forward(t, s, w, x, y);
    }
    if (w->form == WEIGHT_LOW_RANK) {
        return low_rank_forward(t, s, w, x, y);
    }
    span_forward(t, s, w->out, x->data, w->dense, w->bias, y->data);
    return NULL;
}

/* ---- backward ---- */

// dshift and, in dp, g * p; q is Vt x
static void spectral_backward(struct tape *t, const struct span *s, const struct weight *w,
                              const cell *q, const struct tensor *y, cell *dx)
{
    const kernels *k = tape_kernels(t);
    cell *p = tape_cells(t, s->rows * w->rank);
    real *dshift = weight_shift_gradient(t, w);

    k->zero(k, p, tape_bytes(t, s->rows * w->rank));
    k->linear_backward_input(k, second_factor(s, w), y->gradient, w->u, p);
    if (dx == NULL) {
        k->column_dot(k, k->activation, s->rows, w->rank, p, q, w->gain, 1, dshift);
    } else {
        k->shift_backward(k, s->rows, w->rank, q, w->gain, p, dshift);
        span_backward_input(t, s, w->rank, p, w->vt, dx);
    }
    weight_shift_take(t, w, dshift);
}

static void low_rank_backward(struct tape *t, const struct span *s, const struct weight *w,
                              const cell *q, const struct tensor *x, const struct tensor *y,
                              cell *dx)
{
    const kernels *k = tape_kernels(t);
    cell *product = tape_cells(t, s->rows * w->rank);

    k->linear_backward_weight(k, second_factor(s, w), y->gradient, q, w->dup);
    k->zero(k, product, tape_bytes(t, s->rows * w->rank));
    k->linear_backward_input(k, second_factor(s, w), y->gradient, w->up_used, product);
    const cell *dq = times_factor(t, s, w, product);
    span_backward_weight(t, s, w->rank, dq, x->data, w->ddown);
    if (dx != NULL) {
        span_backward_input(t, s, w->out, y->gradient, w->dense, dx);
        span_backward_input(t, s, w->rank, dq, w->down_used, dx);
    }
}

/* Keys and values of Custom Diffusion: the first token, which begins every text, keeps its own. Of a
 * text [n, 1, t, out] its gradient goes no further. */
static void stop_first(struct tape *t, const struct weight *w, const struct tensor *y)
{
    const kernels *k = tape_kernels(t);

    for (int i = 0; i < y->n && w->first_stays; i++) {
        const int64_t at = (int64_t)i * tensor_tokens(y) * w->out;
        k->zero(k, kernels_at(k, y->gradient, at), tape_bytes(t, w->out));
    }
}

static void weight_backward(struct tape *t, const struct span *s, const struct record *r)
{
    const struct weight *w = r->object;

    stop_first(t, w, r->y);
    struct tensor *x = r->x[0], *y = r->y;
    cell *dx = tape_gradient(t, x);
    const cell *q = r->saved[0];

    switch (w->form) {
    case WEIGHT_SPECTRAL:
        spectral_backward(t, s, w, q, y, dx);
        break;
    case WEIGHT_LOW_RANK:
        low_rank_backward(t, s, w, q, x, y, dx);
        break;
    case WEIGHT_FULL:
        span_backward_weight(t, s, w->out, y->gradient, x->data, w->dvalue);
        weight_bias_backward(t, w, s->rows, y->gradient);
        if (dx != NULL) {
            span_backward_input(t, s, w->out, y->gradient, w->dense, dx);
        }
        break;
    case WEIGHT_FROZEN:
        if (dx != NULL) {
            span_backward_input(t, s, w->out, y->gradient, w->dense, dx);
        }
        break;
    }
}

/* ---- the two ops ---- */

static void linear_backward(struct tape *t, const struct record *r)
{
    const struct span s = span_linear(r->x[0], r->object);
    weight_backward(t, &s, r);
}

struct tensor *linear(struct tape *t, struct tensor *x, const struct weight *w)
{
    const struct span s = span_linear(x, w);
    struct tensor *y = tape_tensor(t, x->n, x->h, x->w, w->out);

    g_assert(x->c == w->in && w->kh == 1 && w->kw == 1);
    cell *q = weight_forward(t, &s, w, x, y);
    if (tape_wants(t, y, weight_learns(w), x, NULL)) {
        tape_record(t,
                    (struct record){
                        .backward = linear_backward, .y = y, .x = {x}, .object = w, .saved = {q}});
    }
    return y;
}

static void conv_backward(struct tape *t, const struct record *r)
{
    const struct conv_geometry g = {.stride = r->number[0],
                                    .pad_top = r->number[1],
                                    .pad_left = r->number[2],
                                    .out_h = r->y->h,
                                    .out_w = r->y->w};
    const struct span s = span_conv(r->x[0], r->object, g);
    weight_backward(t, &s, r);
}

// the other side of x in the place of the zeros around it
static struct tensor *pad_around(struct tape *t, struct tensor *x, const struct weight *w,
                                 struct conv_geometry *g)
{
    const struct wrap_margins m = {
        .top = g->pad_top,
        .left = g->pad_left,
        .bottom = MAX(0, (g->out_h - 1) * g->stride + w->kh - g->pad_top - x->h),
        .right = MAX(0, (g->out_w - 1) * g->stride + w->kw - g->pad_left - x->w)};

    g->pad_top = g->pad_left = 0;
    return wrap(t, x, m);
}

struct tensor *conv(struct tape *t, struct tensor *x, const struct weight *w,
                    struct conv_geometry g)
{
    if (tape_wraps(t) && (w->kh > 1 || w->kw > 1)) {
        x = pad_around(t, x, w, &g);
    }
    const struct span s = span_conv(x, w, g);
    struct tensor *y = tape_tensor(t, x->n, g.out_h, g.out_w, w->out);

    g_assert(x->c == w->in);
    cell *q = weight_forward(t, &s, w, x, y);
    if (tape_wants(t, y, weight_learns(w), x, NULL)) {
        tape_record(t, (struct record){.backward = conv_backward,
                                       .y = y,
                                       .x = {x},
                                       .object = w,
                                       .saved = {q},
                                       .number = {g.stride, g.pad_top, g.pad_left}});
    }
    return y;
}

struct tensor *conv_same(struct tape *t, struct tensor *x, const struct weight *w)
{
    return conv(t, x, w,
                (struct conv_geometry){.stride = 1,
                                       .pad_top = w->kh / 2,
                                       .pad_left = w->kw / 2,
                                       .out_h = x->h,
                                       .out_w = x->w});
}
