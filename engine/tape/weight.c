/* The forms of a weight: sizes and what follows from a shift; see weight.h. */
#include "engine/tape/weight.h"

#include "engine/base/channels.h"

#include <string.h>

int64_t weight_columns(const struct weight *w)
{
    return (int64_t)w->kh * w->kw * w->in;
}

int64_t weight_count(const struct weight *w)
{
    return w->out * weight_columns(w);
}

void weight_to_engine_order(const struct weight *w, float *values, int64_t rows)
{
    const int area = w->kh * w->kw, in = w->in;
    g_autofree float *row = area > 1 ? g_new(float, (size_t)in *area) : NULL;

    for (int64_t o = 0; o < rows && area > 1; o++) {
        float *at = values + o * in * area;
        memcpy(row, at, (size_t)in * area * sizeof *row);
        channels_from_planes(row, 1, area, in, at);
    }
}

int weight_full_rank(const struct weight *w)
{
    return (int)MIN((int64_t)w->out, weight_columns(w));
}

int64_t weight_shift_count(const struct weight *w, bool scalar)
{
    if (w->kind == WEIGHT_NORM) {
        return scalar ? 1 : w->out;
    }
    return weight_full_rank(w);
}

bool weight_learns(const struct weight *w)
{
    return w->form != WEIGHT_FROZEN || w->rows > 0;
}

static void refresh_norm(struct weight *w, const kernels *k, real scale)
{
    real *gain = (real *)w->dense.data;

    if (w->scalar) {
        // direction * relu(|gain| + shift): a matrix of one column
        k->shift_gain(k, 1, w->sigma + w->out, w->shift, scale, w->gain);
        k->scale_columns(k, KERNELS_F32, w->out, 1, w->sigma, w->gain, gain);
        return;
    }
    k->copy(k, gain, w->sigma, (size_t)w->out * sizeof(real));
    k->accumulate(k, KERNELS_F32, w->out, scale, w->shift, gain);
}

// of the type in which it is multiplied: the values themselves, or rounded
static void use(const kernels *k, const real *values, int64_t count, struct kernels_weight *used)
{
    if (used->type == KERNELS_F32) {
        used->data = values;
    } else {
        k->convert(k, count, KERNELS_F32, values, used->type, (void *)used->data);
    }
}

static void refresh_low_rank(struct weight *w, const kernels *k, real scale)
{
    w->factor = (real)(w->strength * (double)scale);
    use(k, w->down, w->rank * weight_columns(w), &w->down_used);
    use(k, w->up, (int64_t)w->out * w->rank, &w->up_used);
}

// 0: as it was read
static void refresh_full(struct weight *w, const kernels *k, real scale)
{
    if (scale != 0) {
        use(k, w->value, weight_count(w), &w->used);
    }
    w->dense = scale != 0 ? w->used : w->base;
    if (w->dbias != NULL) {
        w->bias = scale != 0 ? w->bias_value : w->bias_base;
    }
}

void weight_refresh(struct weight *w, const kernels *k, real scale)
{
    w->row_scale = scale;
    if (w->form == WEIGHT_FULL) {
        refresh_full(w, k, scale);
    }
    if (w->form == WEIGHT_LOW_RANK) {
        refresh_low_rank(w, k, scale);
    }
    if (w->form != WEIGHT_SPECTRAL) {
        return;
    }
    if (w->kind == WEIGHT_NORM) {
        refresh_norm(w, k, scale);
        return;
    }
    k->shift_gain(k, w->rank, w->sigma, w->shift, scale, w->gain);
}

void weight_bias_backward(struct tape *t, const struct weight *w, int64_t rows, const cell *dy)
{
    const kernels *k = tape_kernels(t);

    if (w->dbias == NULL) {
        return;
    }
    cell *sum = tape_cells(t, w->out);
    real *wide = tape_scratch(t, w->out);
    k->zero(k, sum, tape_bytes(t, w->out));
    k->add_row_backward(k, 1, rows, w->out, dy, sum);
    k->convert(k, w->out, k->activation, sum, KERNELS_F32, wide);
    k->accumulate(k, KERNELS_F32, w->out, 1, wide, w->dbias);
}

real *weight_shift_gradient(struct tape *t, const struct weight *w)
{
    if (w->moves == 0) {
        return w->dshift;
    }
    real *all = tape_scratch(t, w->rank);
    tape_kernels(t)->zero(tape_kernels(t), all, (size_t)w->rank * sizeof *all);
    return all;
}

void weight_shift_take(struct tape *t, const struct weight *w, const real *gradient)
{
    if (w->moves > 0) {
        tape_kernels(t)->accumulate(tape_kernels(t), KERNELS_F32, w->moves, 1, gradient, w->dshift);
    }
}
