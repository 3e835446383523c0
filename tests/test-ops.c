/* Every differentiable op and every form of a weight against finite differences in double.
 *
 * Built with real = double over the reference kernels. The loss is sum(y * r) with a fixed random
 * r; each input and each trained value is moved by +-h and +-2h:
 *   f' = (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h
 * and compared with what the tape gives, to 1e-6 of the largest derivative. */
#include "engine/ops.h"

#include <math.h>

#define H      1e-3
#define LEAVES 3

struct subject;
typedef struct tensor *(*build_function)(struct tape *t, struct tensor **x, void *data);

struct fixture {
    kernels *k;
    int n[LEAVES], h[LEAVES], w[LEAVES], c[LEAVES];
    int n_leaves;
    double *leaf[LEAVES];
    build_function build;
    void *data;
    struct weight *refresh; // gains to be set before each run
};

static double number(int i, double from, double to)
{
    // a fixed, irregular sequence
    const double x = sin(i * 12.9898 + 4.1414) * 43758.5453;
    return from + (to - from) * (x - floor(x));
}

static void fill(double *to, int64_t count, int salt, double from, double to_value)
{
    for (int64_t i = 0; i < count; i++) {
        to[i] = number((int)i + 1000 * salt, from, to_value);
    }
}

static double *values(const kernels *k, int64_t count, int salt, double from, double to)
{
    double *v = k->alloc(k, (size_t)count * sizeof *v);

    fill(v, count, salt, from, to);
    return v;
}

// runs the op; returns the loss, and the gradients of the leaves when asked
static double run(struct fixture *f, double **gradient)
{
    g_autoptr(GError) error = NULL;
    const struct tape_options o = {
        .training = true, .outer_bytes = 1 << 22, .inner_bytes = 1 << 20};
    struct tape *t = tape_create(f->k, o, &error);
    struct tensor *x[LEAVES];
    double loss = 0;

    g_assert_no_error(error);
    if (f->refresh != NULL) {
        weight_refresh(f->refresh, f->k, 1);
    }
    for (int i = 0; i < f->n_leaves; i++) {
        const size_t count = (size_t)f->n[i] * f->h[i] * f->w[i] * f->c[i];
        g_autofree float *zeros = g_new0(float, count);
        x[i] = tape_input(t, zeros, f->n[i], f->h[i], f->w[i], f->c[i], true);
        memcpy(x[i]->data, f->leaf[i], count * sizeof(double));
    }
    struct tensor *y = f->build(t, x, f->data);
    const int64_t count = tensor_count(y);
    g_autofree float *r = g_new(float, count);
    for (int64_t i = 0; i < count; i++) {
        r[i] = (float)number((int)i + 77, -1, 1);
        loss += r[i] * y->data[i];
    }
    if (gradient != NULL) {
        tape_backward(t, y, r);
        for (int i = 0; i < f->n_leaves; i++) {
            const size_t bytes = (size_t)tensor_count(x[i]) * sizeof(double);
            gradient[i] = g_memdup2(x[i]->gradient, bytes);
        }
    }
    tape_free(t);
    return loss;
}

static double difference(struct fixture *f, double *at)
{
    const double old = *at;
    double value[4];
    const double moves[4] = {H, -H, 2 * H, -2 * H};

    for (int i = 0; i < 4; i++) {
        *at = old + moves[i];
        value[i] = run(f, NULL);
    }
    *at = old;
    return (8 * (value[0] - value[1]) - (value[2] - value[3])) / (12 * H);
}

static void compare(struct fixture *f, double *at, const double *gradient, int64_t count)
{
    double largest = 0, worst = 0;

    for (int64_t i = 0; i < count; i++) {
        const double wanted = difference(f, &at[i]);
        largest = MAX(largest, fabs(wanted));
        worst = MAX(worst, fabs(wanted - gradient[i]));
    }
    g_assert_cmpfloat(largest, >, 1e-3);
    g_assert_cmpfloat(worst, <, 1e-6 * largest);
}

static void check_leaves(struct fixture *f)
{
    double *gradient[LEAVES] = {NULL};

    run(f, gradient);
    for (int i = 0; i < f->n_leaves; i++) {
        compare(f, f->leaf[i], gradient[i], (int64_t)f->n[i] * f->h[i] * f->w[i] * f->c[i]);
        g_free(gradient[i]);
    }
}

// the gradient of a trained array, which the backward adds to
static void check_trained(struct fixture *f, double *value, double *gradient, int64_t count)
{
    double *leaves[LEAVES] = {NULL};

    memset(gradient, 0, (size_t)count * sizeof *gradient);
    run(f, leaves);
    g_autofree double *kept = g_memdup2(gradient, (size_t)count * sizeof *gradient);
    for (int i = 0; i < f->n_leaves; i++) {
        g_free(leaves[i]);
    }
    compare(f, value, kept, count);
}

static void leaf(struct fixture *f, int n, int h, int w, int c)
{
    const int i = f->n_leaves++;

    f->n[i] = n;
    f->h[i] = h;
    f->w[i] = w;
    f->c[i] = c;
    f->leaf[i] = g_new(double, n *h *w *c);
    fill(f->leaf[i], (int64_t)n * h * w * c, 10 + i, -1.5, 1.5);
}

static void set_up(struct fixture *f, const void *unused)
{
    f->k = kernels_reference();
}

static void tear_down(struct fixture *f, const void *unused)
{
    for (int i = 0; i < f->n_leaves; i++) {
        g_free(f->leaf[i]);
    }
    kernels_destroy(f->k);
}

/* ---- weights ---- */

static struct weight new_weight(const struct fixture *f, enum weight_kind kind, int in, int out,
                                int kernel)
{
    struct weight w = {.kind = kind, .in = in, .out = out, .kh = kernel, .kw = kernel};

    w.dense.data = values(f->k, weight_count(&w) + out * weight_full_rank(&w), 1, -0.7, 0.7);
    w.bias = values(f->k, out, 2, -0.5, 0.5);
    return w;
}

static void spectral(const struct fixture *f, struct weight *w)
{
    const int r = weight_full_rank(w);

    w->form = WEIGHT_SPECTRAL;
    w->rank = r;
    w->u.data = values(f->k, (int64_t)w->out * r, 3, -0.7, 0.7);
    w->vt.data = values(f->k, r * weight_columns(w), 4, -0.7, 0.7);
    w->sigma = values(f->k, r, 5, 0.2, 1.5);
    w->shift = values(f->k, r, 6, -0.1, 0.1);
    w->dshift = values(f->k, r, 7, 0, 0);
    w->gain = values(f->k, r, 8, 0, 0);
    // one value that the relu closes: no gradient, and far enough from the kink
    w->shift[0] = -w->sigma[0] - 0.5;
}

static void low_rank(const struct fixture *f, struct weight *w)
{
    w->form = WEIGHT_LOW_RANK;
    w->rank = 2;
    w->down = values(f->k, 2 * weight_columns(w), 3, -0.7, 0.7);
    w->ddown = values(f->k, 2 * weight_columns(w), 4, 0, 0);
    w->up = values(f->k, 2 * w->out, 5, -0.7, 0.7);
    w->dup = values(f->k, 2 * w->out, 6, 0, 0);
}

static void release_weight(const struct fixture *f, struct weight *w)
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
                  {w->dvalue, weight_count(w)}};

    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        if (arrays[i].memory != NULL) {
            f->k->release(f->k, (void *)arrays[i].memory, (size_t)arrays[i].count * sizeof(double));
        }
    }
}

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
    leaf(f, 2, 3, w->kind == WEIGHT_LINEAR ? 1 : 5, w->in);
}

static void test_frozen(struct fixture *f, const void *convolves)
{
    struct weight w =
        convolves ? new_weight(f, WEIGHT_CONV, 3, 4, 3) : new_weight(f, WEIGHT_LINEAR, 4, 5, 1);
    use(f, &w, convolves ? build_conv : build_linear);
    check_leaves(f);
    release_weight(f, &w);
}

static void test_spectral(struct fixture *f, const void *kind)
{
    const int which = GPOINTER_TO_INT(kind);
    struct weight w = which == 0   ? new_weight(f, WEIGHT_LINEAR, 4, 6, 1)
                      : which == 1 ? new_weight(f, WEIGHT_CONV, 2, 4, 3)
                                   : new_weight(f, WEIGHT_CONV, 3, 2, 3);
    spectral(f, &w);
    use(f, &w, which == 0 ? build_linear : which == 1 ? build_conv : build_conv_down);
    check_leaves(f);
    check_trained(f, w.shift, w.dshift, w.rank);
    g_assert_cmpfloat(w.dshift[0], ==, 0);
    release_weight(f, &w);
}

// the rebuilt form is the factored one by another road
static void test_rebuilt(struct fixture *f, const void *convolves)
{
    struct weight w =
        convolves ? new_weight(f, WEIGHT_CONV, 2, 4, 3) : new_weight(f, WEIGHT_LINEAR, 4, 6, 1);
    spectral(f, &w);
    use(f, &w, convolves ? build_conv : build_linear);
    const double factored = run(f, NULL);
    w.rebuilt = true;
    g_assert_cmpfloat_with_epsilon(run(f, NULL), factored, 1e-12);
    check_leaves(f);
    check_trained(f, w.shift, w.dshift, w.rank);
    release_weight(f, &w);
}

static void test_low_rank(struct fixture *f, const void *convolves)
{
    struct weight w =
        convolves ? new_weight(f, WEIGHT_CONV, 3, 4, 3) : new_weight(f, WEIGHT_LINEAR, 4, 5, 1);
    low_rank(f, &w);
    use(f, &w, convolves ? build_conv : build_linear);
    check_leaves(f);
    check_trained(f, w.down, w.ddown, 2 * weight_columns(&w));
    check_trained(f, w.up, w.dup, 2 * w.out);
    release_weight(f, &w);
}

static void test_full(struct fixture *f, const void *convolves)
{
    struct weight w =
        convolves ? new_weight(f, WEIGHT_CONV, 3, 4, 3) : new_weight(f, WEIGHT_LINEAR, 4, 5, 1);
    w.form = WEIGHT_FULL;
    w.dvalue = values(f->k, weight_count(&w), 3, 0, 0);
    use(f, &w, convolves ? build_conv : build_linear);
    check_leaves(f);
    check_trained(f, (double *)w.dense.data, w.dvalue, weight_count(&w));
    release_weight(f, &w);
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
    struct weight w = new_weight(f, WEIGHT_EMBEDDING, 4, 7, 1);

    f->build = build_embedding;
    f->data = f->refresh = &w;
    leaf(f, 2, 1, 2, 4);
    if (is_full) {
        w.form = WEIGHT_FULL;
        w.dvalue = values(f->k, weight_count(&w), 3, 0, 0);
        check_trained(f, (double *)w.dense.data, w.dvalue, weight_count(&w));
    } else {
        spectral(f, &w);
        check_trained(f, w.shift, w.dshift, w.rank);
    }
    release_weight(f, &w);
}

/* ---- norms ---- */

enum { NORM_FROZEN, NORM_ELEMENTS, NORM_SCALAR };

static struct norm new_norm(const struct fixture *f, int c, int groups, int form)
{
    struct norm n = {.gain = {.kind = WEIGHT_NORM, .in = 1, .out = c, .kh = 1, .kw = 1},
                     .groups = groups,
                     .epsilon = 1e-5};
    struct weight *w = &n.gain;

    w->dense.data = values(f->k, c + c, 1, 0.5, 1.5);
    w->bias = n.bias = values(f->k, c, 2, -0.5, 0.5);
    if (form == NORM_FROZEN) {
        return n;
    }
    w->form = WEIGHT_SPECTRAL;
    w->scalar = form == NORM_SCALAR;
    w->sigma = values(f->k, c + 1, 3, 0.3, 1.2);
    w->shift = values(f->k, c, 4, -0.2, 0.2);
    w->dshift = values(f->k, c, 5, 0, 0);
    w->gain = values(f->k, 1, 6, 0, 0);
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
    const int which = GPOINTER_TO_INT(data) / 3, form = GPOINTER_TO_INT(data) % 3;
    struct norm n = new_norm(f, 6, 2, form);

    f->build = builds[which];
    f->data = &n;
    f->refresh = &n.gain;
    leaf(f, 2, 2, 3, 6);
    check_leaves(f);
    if (form != NORM_FROZEN) {
        check_trained(f, n.gain.shift, n.gain.dshift, form == NORM_SCALAR ? 1 : 6);
    }
    release_weight(f, &n.gain);
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
    leaf(f, 2, 1, 4, 6);
    leaf(f, 2, 1, tk, 6);
    leaf(f, 2, 1, tk, 6);
    check_leaves(f);
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

static void test_activation(struct fixture *f, const void *data)
{
    f->build = build_activate;
    f->data = (void *)data;
    leaf(f, 1, 2, 3, 4);
    check_leaves(f);
}

static void test_geglu(struct fixture *f, const void *data)
{
    f->build = build_geglu;
    leaf(f, 1, 2, 3, 6);
    check_leaves(f);
}

static void test_add_row(struct fixture *f, const void *data)
{
    f->build = build_add_row;
    leaf(f, 2, 2, 2, 3);
    leaf(f, 2, 1, 1, 3);
    check_leaves(f);
}

static void test_shapes(struct fixture *f, const void *data)
{
    f->build = build_shapes;
    leaf(f, 2, 3, 2, 2);
    leaf(f, 2, 3, 2, 3);
    check_leaves(f);
}

// 2 weight (x - target) / count, and the loss itself
static void test_mse(void)
{
    g_autoptr(kernels) k = kernels_reference();
    g_autoptr(GError) error = NULL;
    const struct tape_options o = {.training = true, .outer_bytes = 1 << 16};
    struct tape *t = tape_create(k, o, &error);
    const float x[] = {1, 2, 3, 4}, target[] = {0, 2, 5, 4}, weight[] = {1, 3};
    float loss[2];
    struct tensor *y = tape_input(t, x, 2, 1, 1, 2, true);

    mse_loss(t, y, target, weight, loss);
    g_assert_cmpfloat(loss[0], ==, 0.5);
    g_assert_cmpfloat(loss[1], ==, 2);
    g_assert_cmpfloat(y->gradient[0], ==, 1);
    g_assert_cmpfloat(y->gradient[1], ==, 0);
    g_assert_cmpfloat(y->gradient[2], ==, -6);
    tape_free(t);
}

#define TEST(path, function, data)                                                                 \
    g_test_add(path, struct fixture, GINT_TO_POINTER(data), set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("/ops/linear/frozen", test_frozen, 0);
    TEST("/ops/conv/frozen", test_frozen, 1);
    TEST("/ops/linear/spectral", test_spectral, 0);
    TEST("/ops/conv/spectral", test_spectral, 1);
    TEST("/ops/conv-stride-2/spectral", test_spectral, 2);
    TEST("/ops/linear/rebuilt", test_rebuilt, 0);
    TEST("/ops/conv/rebuilt", test_rebuilt, 1);
    TEST("/ops/linear/low-rank", test_low_rank, 0);
    TEST("/ops/conv/low-rank", test_low_rank, 1);
    TEST("/ops/linear/full", test_full, 0);
    TEST("/ops/conv/full", test_full, 1);
    TEST("/ops/embedding/spectral", test_embedding, 0);
    TEST("/ops/embedding/full", test_embedding, 1);
    for (int i = 0; i < 9; i++) {
        static const char *const ops[] = {"groupnorm", "groupnorm-silu", "layernorm"};
        static const char *const forms[] = {"frozen", "element-wise", "scalar"};
        g_autofree char *path = g_strdup_printf("/ops/%s/%s", ops[i / 3], forms[i % 3]);
        TEST(path, test_norm, i);
    }
    TEST("/ops/attention", test_attention, 0);
    TEST("/ops/attention/causal", test_attention, 1);
    TEST("/ops/silu", test_activation, ACTIVATION_SILU);
    TEST("/ops/gelu", test_activation, ACTIVATION_GELU);
    TEST("/ops/quick-gelu", test_activation, ACTIVATION_QUICK_GELU);
    TEST("/ops/geglu", test_geglu, 0);
    TEST("/ops/add-row", test_add_row, 0);
    TEST("/ops/concat-upsample", test_shapes, 0);
    g_test_add_func("/ops/mse", test_mse);
    return g_test_run();
}
