/* Operations that only move values.
 *
 *   concat         y = [a | b] along the channels   da, db = the columns of dy
 *   concat_tokens  the same along the tokens        da, db = the tokens of dy
 *   wrap           y = x and around it its other side   dx = sum of dy over the copies
 *   upsample       nearest neighbour                dx = sum of dy over the copies
 *   repeat         y = x, x, ..                     dx = the same */
#include "engine/tape/ops.h"

// columns of a tensor of so many rows
static int columns_of(const struct tensor *x, int64_t rows)
{
    return (int)(tensor_count(x) / rows);
}

static void split_to(struct tape *t, struct tensor *x, const struct tensor *y, int64_t rows,
                     int column)
{
    const kernels *k = tape_kernels(t);
    const int own = columns_of(x, rows);
    cell *dx = tape_gradient(t, x);

    if (dx != NULL) {
        k->copy_columns(k, rows, own, kernels_at(k, y->gradient, column), columns_of(y, rows), dx,
                        own, true);
    }
}

static void beside_backward(struct tape *t, const struct record *r)
{
    const int64_t rows = r->number[0];

    split_to(t, r->x[0], r->y, rows, 0);
    split_to(t, r->x[1], r->y, rows, columns_of(r->x[0], rows));
}

// y [rows, ..] = [a | b]
static struct tensor *beside(struct tape *t, struct tensor *a, struct tensor *b, struct tensor *y,
                             int64_t rows)
{
    const kernels *k = tape_kernels(t);
    const int first = columns_of(a, rows), second = columns_of(b, rows), all = first + second;

    k->copy_columns(k, rows, first, a->data, first, y->data, all, false);
    k->copy_columns(k, rows, second, b->data, second, kernels_at(k, y->data, first), all, false);
    if (tape_wants(t, y, false, a, b)) {
        tape_record(t,
                    (struct record){
                        .backward = beside_backward, .y = y, .x = {a, b}, .number = {(int)rows}});
    }
    return y;
}

struct tensor *concat(struct tape *t, struct tensor *a, struct tensor *b)
{
    g_assert(tensor_rows(a) == tensor_rows(b));
    return beside(t, a, b, tape_tensor(t, a->n, a->h, a->w, a->c + b->c), tensor_rows(a));
}

struct tensor *concat_tokens(struct tape *t, struct tensor *a, struct tensor *b)
{
    const int tokens = (int)(tensor_tokens(a) + tensor_tokens(b));

    g_assert(a->n == b->n && a->c == b->c);
    return beside(t, a, b, tape_tensor(t, a->n, 1, tokens, a->c), a->n);
}

// lines of so many values, from and to places of two arrays or of one
struct box {
    int64_t lines;
    int values;
    cell *from, *to;
    int64_t from_line, to_line;
};

/* Of one picture x [h, w, c] and what is around it: the sides first, then whole lines above and below, which have
 * their corners from these. Back: each adds what it was copied to, the last first. */
static void wrap_one(const kernels *k, const struct tensor *shape, struct wrap_margins m, cell *x,
                     cell *y, bool back)
{
    const int c = shape->c, line = shape->w * c, wide = line + (m.left + m.right) * c;
    cell *body = kernels_at(k, y, (int64_t)m.top * wide);
    const struct box boxes[] = {
        {shape->h, line, x, kernels_at(k, body, m.left * c), line, wide},
        {shape->h, m.left * c, kernels_at(k, x, line - m.left * c), body, line, wide},
        {shape->h, m.right * c, x, kernels_at(k, body, m.left * c + line), line, wide},
        {m.top, wide, kernels_at(k, y, (int64_t)shape->h * wide), y, wide, wide},
        {m.bottom, wide, body, kernels_at(k, body, (int64_t)shape->h * wide), wide, wide}};
    const int n = G_N_ELEMENTS(boxes);

    for (int i = 0; i < n; i++) {
        const struct box *b = &boxes[back ? n - 1 - i : i];
        if (b->lines == 0 || b->values == 0) {
            continue;
        }
        if (back) {
            k->copy_columns(k, b->lines, b->values, b->to, b->to_line, b->from, b->from_line, true);
        } else {
            k->copy_columns(k, b->lines, b->values, b->from, b->from_line, b->to, b->to_line,
                            false);
        }
    }
}

static void wrap_all(const kernels *k, const struct tensor *x, const struct tensor *y,
                     struct wrap_margins m, cell *inner, cell *outer, bool back)
{
    for (int i = 0; i < x->n; i++) {
        wrap_one(k, x, m, kernels_at(k, inner, (int64_t)i * x->h * x->w * x->c),
                 kernels_at(k, outer, (int64_t)i * y->h * y->w * y->c), back);
    }
}

static void wrap_backward(struct tape *t, const struct record *r)
{
    const struct wrap_margins m = {r->number[0], r->number[1], r->number[2], r->number[3]};
    cell *dx = tape_gradient(t, r->x[0]);

    if (dx != NULL) {
        // nothing reads dy behind this
        wrap_all(tape_kernels(t), r->x[0], r->y, m, dx, r->y->gradient, true);
    }
}

struct tensor *wrap(struct tape *t, struct tensor *x, struct wrap_margins m)
{
    struct tensor *y = tape_tensor(t, x->n, m.top + x->h + m.bottom, m.left + x->w + m.right, x->c);

    g_assert(MAX(m.top, m.bottom) <= x->h && MAX(m.left, m.right) <= x->w);
    wrap_all(tape_kernels(t), x, y, m, x->data, y->data, false);
    if (tape_wants(t, y, false, x, NULL)) {
        tape_record(t, (struct record){.backward = wrap_backward,
                                       .y = y,
                                       .x = {x},
                                       .number = {m.top, m.left, m.bottom, m.right}});
    }
    return y;
}

static struct upsample_shape shape_of(const struct tensor *x, int out_h, int out_w)
{
    return (struct upsample_shape){
        .n = x->n, .h = x->h, .w = x->w, .c = x->c, .out_h = out_h, .out_w = out_w};
}

static void upsample_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    struct tensor *x = r->x[0];

    k->upsample_backward(k, shape_of(x, r->y->h, r->y->w), r->y->gradient, tape_gradient(t, x));
}

struct tensor *upsample(struct tape *t, struct tensor *x, int out_h, int out_w)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_tensor(t, x->n, out_h, out_w, x->c);

    k->upsample_forward(k, shape_of(x, out_h, out_w), x->data, y->data);
    if (tape_wants(t, y, false, x, NULL)) {
        tape_record(t, (struct record){.backward = upsample_backward, .y = y, .x = {x}});
    }
    return y;
}

static void repeat_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    struct tensor *x = r->x[0];
    cell *dx = tape_gradient(t, x);

    for (int64_t row = 0; dx != NULL && row < tensor_rows(r->y); row += tensor_rows(x)) {
        k->copy_columns(k, tensor_rows(x), x->c, kernels_at(k, r->y->gradient, row * x->c), x->c,
                        dx, x->c, true);
    }
}

struct tensor *repeat(struct tape *t, struct tensor *x, int times)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_tensor(t, times * x->n, x->h, x->w, x->c);

    for (int64_t row = 0; row < tensor_rows(y); row += tensor_rows(x)) {
        k->copy_columns(k, tensor_rows(x), x->c, x->data, x->c, kernels_at(k, y->data, row * x->c),
                        x->c, false);
    }
    if (tape_wants(t, y, false, x, NULL)) {
        tape_record(t, (struct record){.backward = repeat_backward, .y = y, .x = {x}});
    }
    return y;
}
