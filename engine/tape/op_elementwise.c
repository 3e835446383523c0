/* Operations on single values: activations, the gated GELU of the feed-forward, sums.
 *
 *   activate  y = f(x)                 dx = f'(x) dy
 *   geglu     y = value * gelu(gate)   dvalue = gelu(gate) dy, dgate = value gelu'(gate) dy
 *   add       y = a + b                da = dy, db = dy
 *   add_row   y = x + row              dx = dy, drow = sum of dy over the tokens */
#include "engine/tape/ops.h"

static void activate_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    struct tensor *x = r->x[0];

    k->activation_backward(k, (enum activation)r->number[0], tensor_count(x), x->data,
                           r->y->gradient, tape_gradient(t, x));
}

struct tensor *activate(struct tape *t, struct tensor *x, enum activation a)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_like(t, x);

    k->activation_forward(k, a, tensor_count(x), x->data, y->data);
    if (tape_wants(t, y, false, x, NULL)) {
        tape_record(t, (struct record){
                           .backward = activate_backward, .y = y, .x = {x}, .number = {(int)a}});
    }
    return y;
}

static void geglu_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    struct tensor *x = r->x[0];

    k->geglu_backward(k, tensor_rows(x), r->y->c, x->data, r->y->gradient, tape_gradient(t, x));
}

struct tensor *geglu(struct tape *t, struct tensor *x)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_tensor(t, x->n, x->h, x->w, x->c / 2);

    k->geglu_forward(k, tensor_rows(x), y->c, x->data, y->data);
    if (tape_wants(t, y, false, x, NULL)) {
        tape_record(t, (struct record){.backward = geglu_backward, .y = y, .x = {x}});
    }
    return y;
}

static void add_to(struct tape *t, struct tensor *x, const struct tensor *y)
{
    const kernels *k = tape_kernels(t);
    cell *dx = tape_gradient(t, x);

    if (dx != NULL) {
        k->accumulate(k, k->activation, tensor_count(x), 1, y->gradient, dx);
    }
}

static void add_backward(struct tape *t, const struct record *r)
{
    add_to(t, r->x[0], r->y);
    add_to(t, r->x[1], r->y);
}

struct tensor *add(struct tape *t, struct tensor *a, struct tensor *b)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_like(t, a);

    g_assert(tensor_count(a) == tensor_count(b) && a->c == b->c);
    k->add(k, tensor_count(a), a->data, b->data, y->data);
    if (tape_wants(t, y, false, a, b)) {
        tape_record(t, (struct record){.backward = add_backward, .y = y, .x = {a, b}});
    }
    return y;
}

static void add_row_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    cell *drow = tape_gradient(t, r->x[1]);

    add_to(t, r->x[0], r->y);
    if (drow != NULL) {
        k->add_row_backward(k, r->y->n, tensor_tokens(r->y), r->y->c, r->y->gradient, drow);
    }
}

struct tensor *add_row(struct tape *t, struct tensor *x, struct tensor *row)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_like(t, x);

    g_assert(row->n == x->n && row->c == x->c && tensor_tokens(row) == 1);
    k->add_row_forward(k, x->n, tensor_tokens(x), x->c, x->data, row->data, y->data);
    if (tape_wants(t, y, false, x, row)) {
        tape_record(t, (struct record){.backward = add_row_backward, .y = y, .x = {x, row}});
    }
    return y;
}
