/* Norms, attention and every other differentiable op against finite differences in double. */
#include "tests/test_weight.h"

/* ---- norms ---- */

enum { NORM_FROZEN, NORM_ELEMENTS, NORM_SCALAR, NORM_FULL, NORM_FORMS };

static struct norm new_norm(const struct fixture *f, int c, int groups, int form)
{
    struct norm n = {.gain = {.kind = WEIGHT_NORM, .in = 1, .out = c, .kh = 1, .kw = 1},
                     .groups = groups,
                     .epsilon = 1e-5};
    struct weight *w = &n.gain;

    w->dense.data = fixture_values(f->k, c + c, 1, 0.5, 1.5);
    w->bias = fixture_values(f->k, c, 2, -0.5, 0.5);
    if (form == NORM_FROZEN) {
        return n;
    }
    if (form == NORM_FULL) {
        w->form = WEIGHT_FULL;
        w->value = (real *)w->dense.data;
        w->base = w->dense;
        w->dvalue = fixture_values(f->k, c, 3, 0, 0);
        w->bias_value = w->bias_base = w->bias;
        w->dbias = fixture_values(f->k, c, 4, 0, 0);
        return n;
    }
    w->form = WEIGHT_SPECTRAL;
    w->scalar = form == NORM_SCALAR;
    w->sigma = fixture_values(f->k, c + 1, 3, 0.3, 1.2);
    w->shift = fixture_values(f->k, c, 4, -0.2, 0.2);
    w->dshift = fixture_values(f->k, c, 5, 0, 0);
    w->gain = fixture_values(f->k, 1, 6, 0, 0);
    return n;
}

static struct tensor *build_groupnorm(struct tape *t, struct tensor **x, void *data)
{
    return groupnorm(t, x[0], data, false);
}

static struct tensor *build_groupnorm_silu(struct tape *t, struct tensor **x, void *data)
{
    return groupnorm(t, x[0], data, true);
}

static struct tensor *build_layernorm(struct tape *t, struct tensor **x, void *data)
{
    return layernorm(t, x[0], data);
}

static void test_norm(struct fixture *f, const void *data)
{
    static const build_function builds[] = {build_groupnorm, build_groupnorm_silu, build_layernorm};
    const int which = GPOINTER_TO_INT(data) / NORM_FORMS;
    const int form = GPOINTER_TO_INT(data) % NORM_FORMS;
    struct norm n = new_norm(f, 6, 2, form);

    f->build = builds[which];
    f->data = &n;
    f->refresh = &n.gain;
    fixture_leaf(f, 2, 2, 3, 6);
    fixture_check_leaves(f);
    if (form == NORM_FULL) {
        fixture_check_trained(f, n.gain.value, n.gain.dvalue, 6);
        fixture_check_trained(f, n.gain.bias_value, n.gain.dbias, 6);
    } else if (form != NORM_FROZEN) {
        fixture_check_trained(f, n.gain.shift, n.gain.dshift, form == NORM_SCALAR ? 1 : 6);
    }
    test_weight_release(f, &n.gain);
}

/* ---- the rest ---- */

static struct tensor *build_attention(struct tape *t, struct tensor **x, void *data)
{
    return attention(t, x[0], x[1], x[2], 2, data != NULL);
}

static void test_attention(struct fixture *f, const void *causal)
{
    const int tk = causal ? 4 : 3;

    f->build = build_attention;
    f->data = (void *)causal;
    fixture_leaf(f, 2, 1, 4, 6);
    fixture_leaf(f, 2, 1, tk, 6);
    fixture_leaf(f, 2, 1, tk, 6);
    fixture_check_leaves(f);
}

static struct tensor *build_activate(struct tape *t, struct tensor **x, void *data)
{
    return activate(t, x[0], (enum activation)GPOINTER_TO_INT(data));
}

static struct tensor *build_geglu(struct tape *t, struct tensor **x, void *data)
{
    return geglu(t, x[0]);
}

static struct tensor *build_add_row(struct tape *t, struct tensor **x, void *data)
{
    return add(t, add_row(t, x[0], x[1]), x[0]);
}

static struct tensor *build_shapes(struct tape *t, struct tensor **x, void *data)
{
    return upsample(t, concat(t, x[0], x[1]), 5, 3);
}

static struct tensor *build_tokens(struct tape *t, struct tensor **x, void *data)
{
    return concat_tokens(t, x[0], add(t, x[1], x[1]));
}

// the gradients of three meet in one
static struct tensor *build_repeat(struct tape *t, struct tensor **x, void *data)
{
    return add(t, repeat(t, x[0], 3), x[1]);
}

// every value lies in the middle and somewhere around it
static struct tensor *build_wrap(struct tape *t, struct tensor **x, void *data)
{
    return wrap(t, add(t, x[0], x[0]), (struct wrap_margins){1, 2, 2, 1});
}

static void test_wrap(struct fixture *f, const void *data)
{
    f->build = build_wrap;
    fixture_leaf(f, 2, 3, 2, 2);
    fixture_check_leaves(f);
}

static void test_activation(struct fixture *f, const void *data)
{
    f->build = build_activate;
    f->data = (void *)data;
    fixture_leaf(f, 1, 2, 3, 4);
    fixture_check_leaves(f);
}

static void test_geglu(struct fixture *f, const void *data)
{
    f->build = build_geglu;
    fixture_leaf(f, 1, 2, 3, 6);
    fixture_check_leaves(f);
}

static void test_add_row(struct fixture *f, const void *data)
{
    f->build = build_add_row;
    fixture_leaf(f, 2, 2, 2, 3);
    fixture_leaf(f, 2, 1, 1, 3);
    fixture_check_leaves(f);
}

static void test_repeat(struct fixture *f, const void *data)
{
    f->build = build_repeat;
    fixture_leaf(f, 2, 3, 2, 2);
    fixture_leaf(f, 6, 3, 2, 2);
    fixture_check_leaves(f);
}

static void test_shapes(struct fixture *f, const void *data)
{
    f->build = build_shapes;
    fixture_leaf(f, 2, 3, 2, 2);
    fixture_leaf(f, 2, 3, 2, 3);
    fixture_check_leaves(f);
}

static void test_tokens(struct fixture *f, const void *data)
{
    f->build = build_tokens;
    fixture_leaf(f, 2, 1, 1, 3);
    fixture_leaf(f, 2, 2, 2, 3);
    fixture_check_leaves(f);
}

// the tokens of each of n stay together
static void test_token_order(void)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);
    struct tape *t = tape_create(k, (struct tape_options){.outer_bytes = 1 << 16}, NULL);
    const float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8, 9, 10, 11, 12};
    const float wanted[] = {1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12};
    struct tensor *x = tape_input(t, a, 2, 1, 1, 2, false),
                  *y = tape_input(t, b, 2, 2, 1, 2, false);
    struct tensor *both = concat_tokens(t, x, y);
    float got[12];

    g_assert_cmpint(both->w, ==, 3);
    tape_download(t, both, got);
    g_assert_cmpmem(got, sizeof got, wanted, sizeof wanted);
    tape_free(t);
}

// 2 weight (x - target) / count, and the loss itself
static void test_mse(void)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);
    g_autoptr(GError) error = NULL;
    const struct tape_options o = {.training = true, .outer_bytes = 1 << 16};
    struct tape *t = tape_create(k, o, &error);
    const float x[] = {1, 2, 3, 4}, target[] = {0, 2, 5, 4}, weight[] = {1, 3};
    float loss[2], weighted[2];
    struct tensor *y = tape_input(t, x, 2, 1, 1, 2, true);

    mse_means(mse_loss(t, y, tape_reals(t, target, 4), weight, NULL), 2, 1, NULL, loss, weighted);
    const real *gradient = (const real *)y->gradient;
    g_assert_cmpfloat(loss[0], ==, 0.5);
    g_assert_cmpfloat(loss[1], ==, 2);
    g_assert_cmpmem(weighted, sizeof weighted, loss, sizeof loss);
    g_assert_cmpfloat(gradient[0], ==, 1);
    g_assert_cmpfloat(gradient[1], ==, 0);
    g_assert_cmpfloat(gradient[2], ==, -6);
    tape_free(t);
}

// the gradient of weight * mean over places of map * error, and both losses
static void test_mapped_mse(void)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);
    g_autoptr(GError) error = NULL;
    const struct tape_options o = {.training = true, .outer_bytes = 1 << 16};
    struct tape *t = tape_create(k, o, &error);
    const float x[] = {1, 2, 3, 4, 0, 0, 2, 2}, target[] = {0, 2, 5, 4, 1, 1, 2, 2};
    const float weight[] = {1, 3}, map[] = {0.5, 1.5, 2, 0};
    float loss[2], weighted[2];
    struct tensor *y = tape_input(t, x, 2, 1, 2, 2, true);

    mse_means(mse_loss(t, y, tape_reals(t, target, 8), weight, map), 2, 2, map, loss, weighted);
    const real *gradient = (const real *)y->gradient;
    // errors of the four places: 0.5, 2, 1, 0
    g_assert_cmpfloat(loss[0], ==, 1.25);
    g_assert_cmpfloat(loss[1], ==, 0.5);
    g_assert_cmpfloat(weighted[0], ==, 1.625);
    g_assert_cmpfloat(weighted[1], ==, 1);
    g_assert_cmpfloat(gradient[0], ==, 0.25);
    g_assert_cmpfloat(gradient[2], ==, -1.5);
    g_assert_cmpfloat(gradient[4], ==, -3);
    g_assert_cmpfloat(gradient[6], ==, 0);
    tape_free(t);
}

static struct tensor *silu_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    return activate(t, in[0], ACTIVATION_SILU);
}

// three segments of one size outside of training: each in its own place, or all in one
static void run_chain(bool chained, float *out)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);
    g_autoptr(GError) error = NULL;
    const float values[] = {-2, -1, 0.5, 3};
    const struct tape_options o = {.outer_bytes = 1 << 16, .inner_bytes = 1 << 16};
    struct tape *t = tape_create(k, o, &error);
    struct tensor *x = tape_input(t, values, 1, 1, 1, 4, false);
    const cell *first = x->data;

    for (int i = 0; i < 3; i++) {
        x = chained ? tape_chain(t, silu_segment, NULL, x)
                    : tape_segment(t, silu_segment, NULL, &x, 1);
        g_assert_true((x->data == first) == chained);
    }
    tape_download(t, x, out);
    tape_free(t);
}

// an output in the place of its input is the same output
static void test_chain(void)
{
    float apart[4], chained[4];

    run_chain(false, apart);
    run_chain(true, chained);
    g_assert_cmpmem(apart, sizeof apart, chained, sizeof chained);
}

static struct tensor *linear_segment(struct tape *t, const void *context, struct tensor *const *in)
{
    return linear(t, in[0], context);
}

// products of a run through three layers, and back
static double count_layers(const kernels *k, const struct weight *w, bool replay)
{
    g_autoptr(kernels) count = kernels_count(k);
    const struct tape_options o = {
        .training = true, .replay = replay, .outer_bytes = SIZE_MAX, .inner_bytes = SIZE_MAX};
    struct tape *t = tape_create(count, o, NULL);
    const float values[6] = {0}, target[12] = {0}, weight[] = {1};
    struct tensor *x = tape_input(t, values, 1, 1, 2, 3, false);

    for (int i = 0; i < 3; i++) {
        x = tape_segment(t, linear_segment, &w[i], &x, 1);
    }
    mse_loss(t, x, tape_reals(t, target, 12), weight, NULL);
    tape_backward(t, x, NULL);
    tape_free(t);
    return kernels_counted_operations(count);
}

/* The way back ends at the lowest weight that learns: of two rows, 3 -> 4 -> 5 -> 6, where the
 * second layer learns with rank 4, there is no gradient of its input and nothing of the first. */
static void test_lowest(struct fixture *f, const void *replay)
{
    struct weight w[] = {test_weight_new(f, WEIGHT_LINEAR, 3, 4, 1),
                         test_weight_new(f, WEIGHT_LINEAR, 4, 5, 1),
                         test_weight_new(f, WEIGHT_LINEAR, 5, 6, 1)};
    const int forward[] = {3 * 4, 4 * 4 + 4 * 5, 5 * 6}, back = 5 * 6 + 4 * 5;
    int products = forward[0] + forward[1] + forward[2] + back;

    test_weight_spectral(f, &w[1]);
    // what is run again, too
    products += replay != NULL ? forward[1] + forward[2] : 0;
    g_assert_cmpfloat(count_layers(f->k, w, replay != NULL), ==, 2 * 2 * products);
    // with the first one: a gradient of the second's input, and what the first one's own needs
    test_weight_spectral(f, &w[0]);
    g_assert_cmpfloat(count_layers(f->k, w, replay != NULL), >, 2 * 2 * (products + 4 * 4 + 3 * 4));
    for (int i = 0; i < 3; i++) {
        test_weight_release(f, &w[i]);
    }
}

// a device whose cells are bfloat16: what is uploaded is rounded, and columns begin where they should
static void test_bf16(void)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_BF16);
    g_autoptr(GError) error = NULL;
    const struct tape_options o = {.training = true, .outer_bytes = 1 << 16};
    struct tape *t = tape_create(k, o, &error);
    const float a[] = {1.00390625f, -2.5f, 3, 4}, b[] = {0.1f, 7}, dy[] = {1, 2, 3, 4, 5, 6};
    // a tie goes to the even neighbour
    const float wanted[] = {1, -2.5f, 0.10009765625f, 3, 4, 7};
    const float of_a[] = {1, 2, 4, 5}, of_b[] = {3, 6};
    float got[6], slope[4];
    struct tensor *x = tape_input(t, a, 2, 1, 1, 2, true), *y = tape_input(t, b, 2, 1, 1, 1, true);

    g_assert_no_error(error);
    g_assert_cmpint(tape_bytes(t, 3), ==, 6);
    struct tensor *both = concat(t, x, y);
    tape_download(t, both, got);
    g_assert_cmpmem(got, sizeof got, wanted, sizeof wanted);
    tape_backward(t, both, dy);
    const struct tensor dx = {.data = x->gradient, .n = 2, .h = 1, .w = 1, .c = 2};
    const struct tensor db = {.data = y->gradient, .n = 2, .h = 1, .w = 1, .c = 1};
    tape_download(t, &dx, slope);
    g_assert_cmpmem(slope, sizeof of_a, of_a, sizeof of_a);
    tape_download(t, &db, slope);
    g_assert_cmpmem(slope, sizeof of_b, of_b, sizeof of_b);
    tape_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; i < 3 * NORM_FORMS; i++) {
        static const char *const ops[] = {"groupnorm", "groupnorm-silu", "layernorm"};
        static const char *const forms[] = {"frozen", "element-wise", "scalar", "full"};
        g_autofree char *path =
            g_strdup_printf("/ops/%s/%s", ops[i / NORM_FORMS], forms[i % NORM_FORMS]);
        FIXTURE_TEST(path, test_norm, i);
    }
    FIXTURE_TEST("/ops/attention", test_attention, 0);
    FIXTURE_TEST("/ops/attention/causal", test_attention, 1);
    FIXTURE_TEST("/ops/silu", test_activation, ACTIVATION_SILU);
    FIXTURE_TEST("/ops/gelu", test_activation, ACTIVATION_GELU);
    FIXTURE_TEST("/ops/quick-gelu", test_activation, ACTIVATION_QUICK_GELU);
    FIXTURE_TEST("/ops/geglu", test_geglu, 0);
    FIXTURE_TEST("/ops/add-row", test_add_row, 0);
    FIXTURE_TEST("/ops/concat-upsample", test_shapes, 0);
    FIXTURE_TEST("/ops/concat-tokens", test_tokens, 0);
    g_test_add_func("/ops/concat-tokens/order", test_token_order);
    FIXTURE_TEST("/ops/repeat", test_repeat, 0);
    FIXTURE_TEST("/ops/wrap", test_wrap, 0);
    FIXTURE_TEST("/ops/lowest", test_lowest, 0);
    FIXTURE_TEST("/ops/lowest/replay", test_lowest, 1);
    g_test_add_func("/ops/chain", test_chain);
    g_test_add_func("/ops/bf16", test_bf16);
    g_test_add_func("/ops/mse", test_mse);
    g_test_add_func("/ops/mse/mapped", test_mapped_mse);
    return g_test_run();
}
