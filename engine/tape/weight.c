/* The forms of a weight: sizes, cost and what follows from a shift; see weight.h. */
#include "engine/tape/weight.h"

int64_t weight_columns(const struct weight *w)
{
    return (int64_t)w->kh * w->kw * w->in;
}

int64_t weight_count(const struct weight *w)
{
    return w->out * weight_columns(w);
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

bool weight_rebuild_pays(const struct weight *w, int64_t tokens, int forwards)
{
    if (w->kind != WEIGHT_LINEAR && w->kind != WEIGHT_CONV) {
        return false;
    }
    const double m = w->out, n = (double)weight_columns(w), r = weight_full_rank(w);
    const double t = (double)tokens;
    const double factored = (forwards + 1) * t * r * (m + n);
    const double rebuilt = m * r * n + (forwards + 1) * t * m * n + t * r * (m + n);

    return rebuilt < factored;
}

static void refresh_norm(struct weight *w, const kernels *k, real scale)
{
    real *gain = (real *)w->dense.data;

    if (w->scalar) {
        // direction * relu(|gain| + shift): a matrix of one column
        k->shift_gain(k, 1, w->sigma + w->out, w->shift, scale, w->gain);
        k->scale_columns(k, w->out, 1, w->sigma, w->gain, gain);
        return;
    }
    k->copy(k, gain, w->sigma, (size_t)w->out * sizeof(real));
    k->accumulate(k, w->out, scale, w->shift, gain);
}

// W' = (U * g) Vt; U is copied into the last rows of the scratch that dense has behind W'
static void rebuild(struct weight *w, const kernels *k)
{
    real *matrix = (real *)w->dense.data;
    real *scaled = matrix + weight_count(w);
    const struct gemm_shape s = {.m = w->out, .n = weight_columns(w), .k = w->rank};

    k->scale_columns(k, w->out, w->rank, w->u.data, w->gain, scaled);
    k->gemm(k, s, scaled, w->vt.data, matrix);
}

void weight_refresh(struct weight *w, const kernels *k, real scale)
{
    w->row_scale = scale;
    if (w->form != WEIGHT_SPECTRAL) {
        return;
    }
    if (w->kind == WEIGHT_NORM) {
        refresh_norm(w, k, scale);
        return;
    }
    k->shift_gain(k, w->rank, w->sigma, w->shift, scale, w->gain);
    if (w->rebuilt) {
        rebuild(w, k);
    }
}
