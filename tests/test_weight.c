/* Weights for tests; see test_weight.h. */
#include "tests/test_weight.h"

struct weight test_weight_new(const struct fixture *f, enum weight_kind kind, int in, int out,
                              int kernel)
{
    struct weight w = {.kind = kind, .in = in, .out = out, .kh = kernel, .kw = kernel};

    w.dense.data =
        fixture_values(f->k, weight_count(&w) + out * weight_full_rank(&w), 1, -0.7, 0.7);
    w.bias = fixture_values(f->k, out, 2, -0.5, 0.5);
    return w;
}

void test_weight_spectral(const struct fixture *f, struct weight *w)
{
    const int r = weight_full_rank(w);

    w->form = WEIGHT_SPECTRAL;
    w->rank = r;
    w->u.data = fixture_values(f->k, (int64_t)w->out * r, 3, -0.7, 0.7);
    w->vt.data = fixture_values(f->k, r * weight_columns(w), 4, -0.7, 0.7);
    w->sigma = fixture_values(f->k, r, 5, 0.2, 1.5);
    w->shift = fixture_values(f->k, r, 6, -0.1, 0.1);
    w->dshift = fixture_values(f->k, r, 7, 0, 0);
    w->gain = fixture_values(f->k, r, 8, 0, 0);
    // one value that the relu closes: no gradient, and far enough from the kink
    w->shift[0] = -w->sigma[0] - 0.5;
}

void test_weight_low_rank(const struct fixture *f, struct weight *w)
{
    w->form = WEIGHT_LOW_RANK;
    w->rank = 2;
    w->down = fixture_values(f->k, 2 * weight_columns(w), 3, -0.7, 0.7);
    w->ddown = fixture_values(f->k, 2 * weight_columns(w), 4, 0, 0);
    w->up = fixture_values(f->k, 2 * w->out, 5, -0.7, 0.7);
    w->dup = fixture_values(f->k, 2 * w->out, 6, 0, 0);
    w->strength = 1.5;
    weight_refresh(w, f->k, 1);
}

void test_weight_rows(const struct fixture *f, struct weight *w, const int32_t *ids, int n)
{
    const int64_t count = (int64_t)n * w->in;

    w->rows = n;
    w->row_ids = f->k->alloc(f->k, (size_t)n * sizeof *ids);
    f->k->upload(f->k, w->row_ids, ids, (size_t)n * sizeof *ids);
    w->row = fixture_values(f->k, count, 9, -0.7, 0.7);
    w->drow = fixture_values(f->k, count, 10, 0, 0);
}

void test_weight_release(const struct fixture *f, struct weight *w)
{
    const int r = w->rank;
    const int64_t columns = weight_columns(w);
    const struct {
        const void *memory;
        int64_t count;
    } arrays[] = {{w->dense.data, weight_count(w) + w->out * weight_full_rank(w)},
                  {w->bias, w->out},
                  {w->u.data, (int64_t)w->out * r},
                  {w->vt.data, r * columns},
                  {w->sigma, w->kind == WEIGHT_NORM ? w->out + 1 : r},
                  {w->shift, w->kind == WEIGHT_NORM ? w->out : r},
                  {w->dshift, w->kind == WEIGHT_NORM ? w->out : r},
                  {w->gain, w->kind == WEIGHT_NORM ? 1 : r},
                  {w->down, r * columns},
                  {w->ddown, r * columns},
                  {w->up, (int64_t)r * w->out},
                  {w->dup, (int64_t)r * w->out},
                  {w->row, (int64_t)w->rows * w->in},
                  {w->drow, (int64_t)w->rows * w->in},
                  {w->dvalue, weight_count(w)},
                  {w->dbias, w->out}};

    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        if (arrays[i].memory != NULL) {
            f->k->release(f->k, (void *)arrays[i].memory, (size_t)arrays[i].count * sizeof(double));
        }
    }
    if (w->row_ids != NULL) {
        f->k->release(f->k, w->row_ids, (size_t)w->rows * sizeof *w->row_ids);
    }
}
