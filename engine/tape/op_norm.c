/* Group and layer normalisation with a gain that may learn.
 *
 *   forward   xhat = (x - mean) * rstd, y = xhat * gain + bias (then SiLU where asked)
 *   backward  with g = dy * gain: dx = rstd * (g - avg(g) - xhat * avg(g * xhat)),
 *             dgain = sum of dy * xhat, dbias = sum of dy
 *
 * What of dgain reaches the shift depends on the form: element-wise dshift = dgain; a scalar shift
 * gets the part along the gain's direction, where its relu is open. */
#include "engine/tape/ops.h"

static void pass_to_shift(struct tape *t, const struct weight *w, const real *dgain)
{
    const kernels *k = tape_kernels(t);

    if (w->scalar) {
        k->column_dot(k, KERNELS_F32, w->out, 1, dgain, w->sigma, w->gain, 1, w->dshift);
    }
}

/* Where the backward kernel adds dgain: straight into the gradient, or into a scratch of zeros
 * that pass_to_shift projects. NULL when the gain does not learn. */
static real *gain_gradient(struct tape *t, const struct weight *w)
{
    const kernels *k = tape_kernels(t);

    if (w->form == WEIGHT_FULL) {
        return w->dvalue;
    }
    if (w->form != WEIGHT_SPECTRAL) {
        return NULL;
    }
    if (!w->scalar) {
        return w->dshift;
    }
    real *dgain = tape_scratch(t, w->out);
    k->zero(k, dgain, (size_t)w->out * sizeof(real));
    return dgain;
}

/* ---- group normalisation ---- */

static struct groupnorm_shape group_shape(const struct tensor *x, const struct norm *norm,
                                          bool silu)
{
    return (struct groupnorm_shape){.n = x->n,
                                    .t = tensor_tokens(x),
                                    .c = x->c,
                                    .groups = norm->groups,
                                    .epsilon = (real)norm->epsilon,
                                    .silu = silu};
}

static void groupnorm_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    const struct norm *norm = r->object;
    struct tensor *x = r->x[0];
    real *dgain = gain_gradient(t, &norm->gain);

    k->groupnorm_backward(k, group_shape(x, norm, r->number[0]), x->data, norm->gain.dense.data,
                          norm->gain.bias, r->saved[0], r->saved[1], r->y->gradient,
                          tape_gradient(t, x), dgain);
    pass_to_shift(t, &norm->gain, dgain);
    weight_bias_backward(t, &norm->gain, tensor_rows(x), r->y->gradient);
}

struct tensor *groupnorm(struct tape *t, struct tensor *x, const struct norm *norm, bool silu)
{
    const kernels *k = tape_kernels(t);

    // the gradient of a bias is that of what SiLU gets
    if (silu && norm->gain.dbias != NULL) {
        return activate(t, groupnorm(t, x, norm, false), ACTIVATION_SILU);
    }
    struct tensor *y = tape_like(t, x);
    real *mean = tape_scratch(t, (int64_t)x->n * norm->groups);
    real *rstd = tape_scratch(t, (int64_t)x->n * norm->groups);

    g_assert(x->c == norm->gain.out && x->c % norm->groups == 0);
    k->groupnorm_forward(k, group_shape(x, norm, silu), x->data, norm->gain.dense.data,
                         norm->gain.bias, y->data, mean, rstd);
    if (tape_wants(t, y, weight_learns(&norm->gain), x, NULL)) {
        tape_record(t, (struct record){.backward = groupnorm_backward,
                                       .y = y,
                                       .x = {x},
                                       .object = norm,
                                       .saved = {mean, rstd},
                                       .number = {silu}});
    }
    return y;
}

/* ---- layer normalisation ---- */

static struct layernorm_shape layer_shape(const struct tensor *x, const struct norm *norm)
{
    return (struct layernorm_shape){.t = tensor_rows(x), .c = x->c, .epsilon = (real)norm->epsilon};
}

static void layernorm_backward(struct tape *t, const struct record *r)
{
    const kernels *k = tape_kernels(t);
    const struct norm *norm = r->object;
    struct tensor *x = r->x[0];
    real *dgain = gain_gradient(t, &norm->gain);

    k->layernorm_backward(k, layer_shape(x, norm), x->data, norm->gain.dense.data, r->saved[0],
                          r->saved[1], r->y->gradient, tape_gradient(t, x), dgain);
    pass_to_shift(t, &norm->gain, dgain);
    weight_bias_backward(t, &norm->gain, tensor_rows(x), r->y->gradient);
}

struct tensor *layernorm(struct tape *t, struct tensor *x, const struct norm *norm)
{
    const kernels *k = tape_kernels(t);
    struct tensor *y = tape_like(t, x);
    real *mean = tape_scratch(t, tensor_rows(x));
    real *rstd = tape_scratch(t, tensor_rows(x));

    g_assert(x->c == norm->gain.out);
    k->layernorm_forward(k, layer_shape(x, norm), x->data, norm->gain.dense.data, norm->gain.bias,
                         y->data, mean, rstd);
    if (tape_wants(t, y, weight_learns(&norm->gain), x, NULL)) {
        tape_record(t, (struct record){.backward = layernorm_backward,
                                       .y = y,
                                       .x = {x},
                                       .object = norm,
                                       .saved = {mean, rstd}});
    }
    return y;
}
