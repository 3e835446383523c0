/* Rows of an embedding table.
 *
 *   frozen, full  y = W[id]                       dW[id] += dy
 *   spectral      y = (g * U[id]) Vt              dshift = sum (V^T-side of dy) * U[id]:
 *                                                 p = dy V, dshift = sum over tokens p * U[id]
 *   rows that learn, of any form, add
 *                 row_scale * row[i]              drow[i] += row_scale * dy     where id is row i's
 *
 * Only the rows of the prompt are touched: the table of a real model has 49,408. */
#include "engine/tape/ops.h"

static struct chosen_shape learning_rows(const struct weight *w, const struct tensor *y)
{
    return (struct chosen_shape){
        .t = tensor_rows(y), .c = w->in, .n = w->rows, .factor = w->row_scale};
}

static void spectral_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    const struct weight *w = r->object;
    const int64_t rows = tensor_rows(r->y);
    const struct linear_shape s = {.t = rows, .in = w->in, .out = w->rank};
    cell *p = tape_cells(t, rows * w->rank);
    real *dshift = weight_shift_gradient(t, w);

    k->linear_forward(k, s, r->y->gradient, w->vt, NULL, p);
    k->column_dot(k, k->activation, rows, w->rank, p, r->saved[0], w->gain, 1, dshift);
    weight_shift_take(t, w, dshift);
}

static void embedding_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    const struct weight *w = r->object;

    if (w->form == WEIGHT_FULL) {
        k->embedding_backward(k, tensor_rows(r->y), w->in, r->ids, r->y->gradient, w->dvalue);
    } else if (w->form == WEIGHT_SPECTRAL) {
        spectral_backward(t, r);
    }
    if (w->rows > 0) {
        k->chosen_rows_backward(k, learning_rows(w, r->y), r->ids, w->row_ids, r->y->gradient,
                                w->drow);
    }
}

// returns U[id], [rows, r]
static cell *spectral_rows(struct tape *t, const int32_t *ids, const struct weight *w,
                           struct tensor *y)
{
    const kernels *k = tape_kernels(t);
    const int64_t rows = tensor_rows(y);
    const struct linear_shape s = {.t = rows, .in = w->in, .out = w->rank};
    cell *q = tape_cells(t, rows * w->rank);
    cell *scaled = tape_cells(t, rows * w->rank);

    k->embedding_forward(k, rows, w->rank, ids, w->u.data, q);
    k->scale_columns(k, k->activation, rows, w->rank, q, w->gain, scaled);
    k->zero(k, y->data, tape_bytes(t, tensor_count(y)));
    k->linear_backward_input(k, s, scaled, w->vt, y->data);
    return q;
}

struct tensor *embedding(struct tape *t, const int32_t *ids, int n, int tokens,
                         const struct weight *table)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_tensor(t, n, 1, tokens, table->in);
    cell *q = NULL;

    if (table->form == WEIGHT_SPECTRAL) {
        q = spectral_rows(t, ids, table, y);
    } else {
        k->embedding_forward(k, tensor_rows(y), table->in, ids, table->dense.data, y->data);
    }
    if (table->rows > 0) {
        k->chosen_rows_forward(k, learning_rows(table, y), ids, table->row_ids, table->row,
                               y->data);
    }
    if (tape_wants(t, y, weight_learns(table), NULL, NULL)) {
        tape_record(
            t,
            (struct record){
                .backward = embedding_backward, .y = y, .object = table, .ids = ids, .saved = {q}});
    }
    return y;
}
