/* Scaled dot-product attention over heads (Vaswani et al. 2017).
 *
 *   forward   P = softmax(q k^T / sqrt(d)), y = P v; only the log of each row's sum is kept
 *   backward  dP = dy v^T, dS = P * (dP - rowsum(dy * y)), dq = dS k / sqrt(d),
 *             dk = dS^T q / sqrt(d), dv = P^T dy; the kernel recomputes P from the kept logs */
#include "engine/tape/ops.h"

#include <math.h>

static struct attention_shape shape_of(const struct tensor *q, const struct tensor *k, int heads,
                                       bool causal)
{
    const int d = q->c / heads;

    return (struct attention_shape){.n = q->n,
                                    .heads = heads,
                                    .tq = (int)tensor_tokens(q),
                                    .tk = (int)tensor_tokens(k),
                                    .d = d,
                                    .causal = causal,
                                    .scale = (real)(1 / sqrt(d))};
}

static void attention_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    struct tensor *q = r->x[0], *key = r->x[1], *v = r->x[2];
    struct tensor *const inputs[] = {q, key, v};
    cell *d[3];

    // an input without a gradient still gets a place, since the kernel computes all three
    for (int i = 0; i < 3; i++) {
        d[i] = tape_gradient(t, inputs[i]);
        if (d[i] == NULL) {
            d[i] = tape_cells(t, tensor_count(inputs[i]));
            k->zero(k, d[i], tape_bytes(t, tensor_count(inputs[i])));
        }
    }
    const struct attention_shape s = shape_of(q, key, r->number[0], r->number[1]);
    k->attention_backward(k, s, q->data, key->data, v->data, r->y->data, r->saved[0],
                          r->y->gradient, d[0], d[1], d[2]);
}

struct tensor *attention(struct tape *t, struct tensor *q, struct tensor *k, struct tensor *v,
                         int heads, bool causal)
{
    const struct attention_shape s = shape_of(q, k, heads, causal);
    const kernels *table = tape_kernels(t);
    struct tensor *y = tape_like(t, q);

    g_assert(q->c % heads == 0 && k->c == q->c && v->c == q->c && q->n == k->n);
    const bool wanted = tape_wants(t, y, k->needs_gradient, q, v);
    real *lse = wanted ? tape_scratch(t, (int64_t)s.n * s.heads * s.tq) : NULL;
    table->attention_forward(table, s, q->data, k->data, v->data, y->data, lse);
    if (wanted) {
        tape_record(t, (struct record){.backward = attention_backward,
                                       .y = y,
                                       .x = {q, k, v},
                                       .saved = {lse},
                                       .number = {heads, causal}});
    }
    return y;
}
