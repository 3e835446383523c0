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

// the rebuilt form is the factored one by another road
static void test_rebuilt(struct fixture *f, const void *convolves)
{
    struct weight w = convolves ? test_weight_new(f, WEIGHT_CONV, 2, 4, 3)
                                : test_weight_new(f, WEIGHT_LINEAR, 4, 6, 1);
    test_weight_spectral(f, &w);
    use(f, &w, convolves ? build_conv : build_linear);
    const double factored = fixture_run(f);
    w.rebuilt = true;
    g_assert_cmpfloat_with_epsilon(fixture_run(f), factored, 1e-12);
    fixture_check_leaves(f);
    fixture_check_trained(f, w.shift, w.dshift, w.rank);
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
    w.dvalue = fixture_values(f->k, weight_count(&w), 3, 0, 0);
    use(f, &w, convolves ? build_conv : build_linear);
    fixture_check_leaves(f);
    fixture_check_trained(f, (double *)w.dense.data, w.dvalue, weight_count(&w));
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
        w.dvalue = fixture_values(f->k, weight_count(&w), 3, 0, 0);
        fixture_check_trained(f, (double *)w.dense.data, w.dvalue, weight_count(&w));
    } else {
        test_weight_spectral(f, &w);
        fixture_check_trained(f, w.shift, w.dshift, w.rank);
    }
    test_weight_release(f, &w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    FIXTURE_TEST("/weight/linear/frozen", test_frozen, 0);
    FIXTURE_TEST("/weight/conv/frozen", test_frozen, 1);
    FIXTURE_TEST("/weight/linear/spectral", test_spectral, 0);
    FIXTURE_TEST("/weight/conv/spectral", test_spectral, 1);
    FIXTURE_TEST("/weight/conv-stride-2/spectral", test_spectral, 2);
    FIXTURE_TEST("/weight/linear/rebuilt", test_rebuilt, 0);
    FIXTURE_TEST("/weight/conv/rebuilt", test_rebuilt, 1);
    FIXTURE_TEST("/weight/linear/low-rank", test_low_rank, 0);
    FIXTURE_TEST("/weight/conv/low-rank", test_low_rank, 1);
    FIXTURE_TEST("/weight/linear/full", test_full, 0);
    FIXTURE_TEST("/weight/conv/full", test_full, 1);
    FIXTURE_TEST("/weight/embedding/spectral", test_embedding, 0);
    FIXTURE_TEST("/weight/embedding/full", test_embedding, 1);
    return g_test_run();
}
