/* Every form of a weight, as a linear layer, a convolution and an embedding, against finite
 * differences in double. */
#include "tests/test_weight.h"

static struct tensor *build_linear(struct tape *t, struct tensor **x, void *data)
{
    return linear(t, x[0], data);
}

static struct tensor *build_conv(struct tape *t, struct tensor **x, void *data)
{
    return conv_same(t, x[0], data);
}

static struct tensor *build_conv_down(struct tape *t, struct tensor **x, void *data)
{
    return conv(t, x[0], data,
                (struct conv_geometry){.stride = 2,
                                       .pad_top = 1,
                                       .pad_left = 1,
                                       .out_h = (x[0]->h + 1) / 2,
                                       .out_w = (x[0]->w + 1) / 2});
}

static void use(struct fixture *f, struct weight *w, build_function build)
{
    f->build = build;
    f->data = w;
    f->refresh = w;
    fixture_leaf(f, 2, 3, w->kind == WEIGHT_LINEAR ? 1 : 5, w->in);
}

static void test_frozen(struct fixture *f, const void *convolves)
{
    struct weight w = convolves ? test_weight_new(f, WEIGHT_CONV, 3, 4, 3)
                                : test_weight_new(f, WEIGHT_LINEAR, 4, 5, 1);
    use(f, &w, convolves ? build_conv : build_linear);
    fixture_check_leaves(f);
    test_weight_release(f, &w);
}

static void test_spectral(struct fixture *f, const void *kind)
{
    const int which = GPOINTER_TO_INT(kind);
    struct weight w = which == 0   ? test_weight_new(f, WEIGHT_LINEAR, 4, 6, 1)
                      : which == 1 ? test_weight_new(f, WEIGHT_CONV, 2, 4, 3)
                                   : test_weight_new(f, WEIGHT_CONV, 3, 2, 3);
    test_weight_spectral(f, &w);
    use(f, &w, which == 0 ? build_linear : which == 1 ? build_conv : build_conv_down);
    fixture_check_leaves(f);
    fixture_check_trained(f, w.shift, w.dshift, w.rank);
    g_assert_cmpfloat(w.dshift[0], ==, 0);
    test_weight_release(f, &w);
}

// of the shifts behind the first ones that learn there is no gradient, and all else is as it was
static void test_moves(struct fixture *f, const void *data)
{
    struct weight w = test_weight_new(f, WEIGHT_LINEAR, 4, 6, 1);
    test_weight_spectral(f, &w);
    w.moves = 2;
    use(f, &w, build_linear);
    fixture_check_leaves(f);
    fixture_check_trained(f, w.shift, w.dshift, w.moves);
    for (int i = w.moves; i < w.rank; i++) {
        g_assert_cmpfloat(w.dshift[i], ==, 0);
    }
    test_weight_release(f, &w);
}

static void test_low_rank(struct fixture *f, const void *convolves)
{
    struct weight w = convolves ? test_weight_new(f, WEIGHT_CONV, 3, 4, 3)
                                : test_weight_new(f, WEIGHT_LINEAR, 4, 5, 1);
    test_weight_low_rank(f, &w);
    use(f, &w, convolves ? build_conv : build_linear);
    fixture_check_leaves(f);
    fixture_check_trained(f, w.down, w.ddown, 2 * weight_columns(&w));
    fixture_check_trained(f, w.up, w.dup, 2 * w.out);
    test_weight_release(f, &w);
}

static void test_full(struct fixture *f, const void *convolves)
{
    struct weight w = convolves ? test_weight_new(f, WEIGHT_CONV, 3, 4, 3)
                                : test_weight_new(f, WEIGHT_LINEAR, 4, 5, 1);
    w.form = WEIGHT_FULL;
    w.value = (real *)w.dense.data;
    w.base = w.dense;
    w.dvalue = fixture_values(f->k, weight_count(&w), 3, 0, 0);
    w.bias_value = w.bias_base = w.bias;
    w.dbias = fixture_values(f->k, w.out, 4, 0, 0);
    use(f, &w, convolves ? build_conv : build_linear);
    fixture_check_leaves(f);
    fixture_check_trained(f, (double *)w.dense.data, w.dvalue, weight_count(&w));
    fixture_check_trained(f, w.bias_value, w.dbias, w.out);
    test_weight_release(f, &w);
}

/* ---- embedding ---- */

static struct tensor *build_embedding(struct tape *t, struct tensor **x, void *data)
{
    static const int32_t ids[] = {3, 0, 3, 6};
    struct tensor *y = embedding(t, tape_ids(t, ids, 4), 2, 2, data);

    return add(t, y, x[0]);
}

static void test_embedding(struct fixture *f, const void *is_full)
{
    struct weight w = test_weight_new(f, WEIGHT_EMBEDDING, 4, 7, 1);

    f->build = build_embedding;
    f->data = f->refresh = &w;
    fixture_leaf(f, 2, 1, 2, 4);
    if (is_full) {
        w.form = WEIGHT_FULL;
        w.value = (real *)w.dense.data;
        w.base = w.dense;
        w.dvalue = fixture_values(f->k, weight_count(&w), 3, 0, 0);
        fixture_check_trained(f, (double *)w.dense.data, w.dvalue, weight_count(&w));
    } else {
        test_weight_spectral(f, &w);
        fixture_check_trained(f, w.shift, w.dshift, w.rank);
    }
    test_weight_release(f, &w);
}

/* Two rows that the text has and one that it has not, in each form of the table. */
static void test_rows(struct fixture *f, const void *form)
{
    static const int32_t ids[] = {6, 3, 5};
    struct weight w = test_weight_new(f, WEIGHT_EMBEDDING, 4, 7, 1);

    f->build = build_embedding;
    f->data = f->refresh = &w;
    fixture_leaf(f, 2, 1, 2, 4);
    test_weight_rows(f, &w, ids, G_N_ELEMENTS(ids));
    if (GPOINTER_TO_INT(form) == WEIGHT_SPECTRAL) {
        test_weight_spectral(f, &w);
        fixture_check_trained(f, w.shift, w.dshift, w.rank);
    } else if (GPOINTER_TO_INT(form) == WEIGHT_FULL) {
        w.form = WEIGHT_FULL;
        w.value = (real *)w.dense.data;
        w.base = w.dense;
        w.dvalue = fixture_values(f->k, weight_count(&w), 3, 0, 0);
        fixture_check_trained(f, (double *)w.dense.data, w.dvalue, weight_count(&w));
    }
    fixture_check_trained(f, w.row, w.drow, 3 * w.in);
    for (int i = 0; i < w.in; i++) {
        g_assert_cmpfloat(w.drow[0 * w.in + i], !=, 0);
        g_assert_cmpfloat(w.drow[2 * w.in + i], ==, 0);
    }
    test_weight_release(f, &w);
}

// the same values as rows and as a change of the table itself: the same result, by half too
static void test_rows_are_the_table(struct fixture *f, const void *nothing)
{
    static const int32_t ids[] = {6, 3};
    struct weight w = test_weight_new(f, WEIGHT_EMBEDDING, 4, 7, 1);

    f->build = build_embedding;
    f->data = f->refresh = &w;
    fixture_leaf(f, 2, 1, 2, 4);
    const double before = fixture_run(f);
    test_weight_rows(f, &w, ids, G_N_ELEMENTS(ids));
    const double with_rows = fixture_run(f);
    g_assert_cmpfloat(with_rows, !=, before);
    for (int j = 0; j < 2; j++) {
        for (int i = 0; i < w.in; i++) {
            ((double *)w.dense.data)[ids[j] * w.in + i] += w.row[j * w.in + i];
            w.row[j * w.in + i] = 0;
        }
    }
    g_assert_cmpfloat_with_epsilon(fixture_run(f), with_rows, 1e-12);
    test_weight_release(f, &w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/weight/spectral/moves", test_moves, 0);
    FIXTURE_TEST("/weight/linear/frozen", test_frozen, 0);
    FIXTURE_TEST("/weight/conv/frozen", test_frozen, 1);
    FIXTURE_TEST("/weight/linear/spectral", test_spectral, 0);
    FIXTURE_TEST("/weight/conv/spectral", test_spectral, 1);
    FIXTURE_TEST("/weight/conv-stride-2/spectral", test_spectral, 2);
    FIXTURE_TEST("/weight/linear/low-rank", test_low_rank, 0);
    FIXTURE_TEST("/weight/conv/low-rank", test_low_rank, 1);
    FIXTURE_TEST("/weight/linear/full", test_full, 0);
    FIXTURE_TEST("/weight/conv/full", test_full, 1);
    FIXTURE_TEST("/weight/embedding/spectral", test_embedding, 0);
    FIXTURE_TEST("/weight/embedding/full", test_embedding, 1);
    FIXTURE_TEST("/weight/embedding/rows-frozen", test_rows, WEIGHT_FROZEN);
    FIXTURE_TEST("/weight/embedding/rows-spectral", test_rows, WEIGHT_SPECTRAL);
    FIXTURE_TEST("/weight/embedding/rows-full", test_rows, WEIGHT_FULL);
    FIXTURE_TEST("/weight/embedding/rows-are-the-table", test_rows_are_the_table, 0);
    return g_test_run();
}
