/* Operations that only move values.
 *
 *   concat    y = [a | b] along the channels   da, db = the columns of dy
 *   upsample  nearest neighbour                dx = sum of dy over the copies
 *   repeat    y = x, x, ..                     dx = the same */
#include "engine/tape/ops.h"

static void split_to(struct tape *t, struct tensor *x, const struct tensor *y, int column)
{
    const kernels *k = tape_kernels(t);
    cell *dx = tape_gradient(t, x);

    if (dx != NULL) {
        k->copy_columns(k, tensor_rows(x), x->c, kernels_at(k, y->gradient, column), y->c, dx, x->c,
                        true);
    }
}

static void concat_backward(struct tape *t, const struct record *r)
{
    split_to(t, r->x[0], r->y, 0);
    split_to(t, r->x[1], r->y, r->x[0]->c);
}

struct tensor *concat(struct tape *t, struct tensor *a, struct tensor *b)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_tensor(t, a->n, a->h, a->w, a->c + b->c);

    g_assert(tensor_rows(a) == tensor_rows(b));
    k->copy_columns(k, tensor_rows(a), a->c, a->data, a->c, y->data, y->c, false);
    k->copy_columns(k, tensor_rows(b), b->c, b->data, b->c, kernels_at(k, y->data, a->c), y->c,
                    false);
    if (tape_wants(t, y, false, a, b)) {
        tape_record(t, (struct record){.backward = concat_backward, .y = y, .x = {a, b}});
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
