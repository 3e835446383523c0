/* test-derivatives.c: every backward entry of the reference against 4-point finite differences,
 * with real = double:
 *   L(x) = sum of weight * f(x);   dL/dx_i = (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / 12 h
 * Gradients begin as noise, since backward entries add. */
#include "kernels/kernels.h"

#include <math.h>

#define INPUTS 3
#define STEP   1e-3

/* One entry pair. forward fills y from the inputs (and what backward needs, in kept); backward adds
 * into d what `weight` gives as dy. */
struct problem {
    const kernels *k;
    int64_t x_count[INPUTS], y_count;
    void *x[INPUTS], *d[INPUTS], *y, *weight, *kept[2]; // of reals, which cells are here
    void (*forward)(const struct problem *p);
    void (*backward)(const struct problem *p);
    const void *shape;
    int choice;
};

static real *random_values(GRand *random, int64_t count)
{
    real *values = g_new(real, count);

    for (int64_t i = 0; i < count; i++) {
        values[i] = g_rand_double_range(random, -1, 1);
    }
    return values;
}

static double loss(const struct problem *p)
{
    const real *weight = p->weight, *y = p->y;
    double sum = 0;

    p->forward(p);
    for (int64_t i = 0; i < p->y_count; i++) {
        sum += weight[i] * y[i];
    }
    return sum;
}

static double loss_at(const struct problem *p, real *x, double value)
{
    const real before = *x;

    *x = value;
    const double result = loss(p);
    *x = before;
    return result;
}

static double difference(const struct problem *p, real *x)
{
    const double near = loss_at(p, x, *x + STEP) - loss_at(p, x, *x - STEP);
    const double far = loss_at(p, x, *x + 2 * STEP) - loss_at(p, x, *x - 2 * STEP);

    return (8 * near - far) / (12 * STEP);
}

static void check_gradients(const struct problem *p, real *const noise[INPUTS])
{
    for (int input = 0; input < INPUTS; input++) {
        real *x = p->x[input];
        const real *d = p->d[input];

        for (int64_t i = 0; i < p->x_count[input]; i++) {
            const double expected = difference(p, &x[i]);
            const double got = d[i] - noise[input][i];

            if (!(fabs(got - expected) <= 1e-8 * (1 + fabs(expected)))) {
                g_test_message("input %d, value %d: %.12g instead of %.12g", input, (int)i, got,
                               expected);
                g_test_fail();
                return;
            }
        }
    }
}

// inputs that were not set are random
static void run(struct problem p)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    real *noise[INPUTS];

    p.k = k;
    p.y = random_values(random, p.y_count);
    p.weight = random_values(random, p.y_count);
    p.kept[0] = random_values(random, 1000);
    p.kept[1] = random_values(random, 1000);
    for (int i = 0; i < INPUTS; i++) {
        p.x[i] = p.x[i] ? g_memdup2(p.x[i], (size_t)p.x_count[i] * sizeof(real))
                        : random_values(random, p.x_count[i]);
        noise[i] = random_values(random, p.x_count[i]);
        p.d[i] = g_memdup2(noise[i], (size_t)p.x_count[i] * sizeof(real));
    }
    p.forward(&p);
    p.backward(&p);
    check_gradients(&p, noise);
    for (int i = 0; i < INPUTS; i++) {
        g_free(p.x[i]);
        g_free(p.d[i]);
        g_free(noise[i]);
    }
    g_free(p.y);
    g_free(p.weight);
    g_free(p.kept[0]);
    g_free(p.kept[1]);
}

static struct kernels_weight plain(const real *values)
{
    return (struct kernels_weight){.data = values, .type = KERNELS_F32};
}

/* ---- linear: x, w, bias is a constant ---- */

static void linear_run(const struct problem *p)
{
    p->k->linear_forward(p->k, *(const struct linear_shape *)p->shape, p->x[0], plain(p->x[1]),
                         p->kept[0], p->y);
}

static void linear_back(const struct problem *p)
{
    const struct linear_shape s = *(const struct linear_shape *)p->shape;

    p->k->linear_backward_input(p->k, s, p->weight, plain(p->x[1]), p->d[0]);
    p->k->linear_backward_weight(p->k, s, p->weight, p->x[0], p->d[1]);
}

static void test_linear(void)
{
    const struct linear_shape s = {.t = 5, .in = 4, .out = 3};

    run((struct problem){.forward = linear_run,
                         .backward = linear_back,
                         .shape = &s,
                         .x_count = {20, 12},
                         .y_count = 15});
}

/* ---- convolution ---- */

static void conv_run(const struct problem *p)
{
    p->k->conv_forward(p->k, *(const struct conv_shape *)p->shape, p->x[0], plain(p->x[1]),
                       p->kept[0], p->y);
}

static void conv_back(const struct problem *p)
{
    const struct conv_shape s = *(const struct conv_shape *)p->shape;

    p->k->conv_backward_input(p->k, s, p->weight, plain(p->x[1]), p->d[0]);
    p->k->conv_backward_weight(p->k, s, p->weight, p->x[0], p->d[1]);
}

static void test_conv(void)
{
    static const struct conv_shape shapes[] = {
        {2, 4, 5, 2, 4, 5, 3, 3, 3, 1, 1, 1},
        {1, 5, 5, 2, 3, 3, 2, 3, 3, 2, 1, 1},
        {1, 4, 4, 2, 2, 2, 2, 3, 3, 2, 0, 0},
        {1, 3, 4, 3, 3, 4, 2, 1, 1, 1, 0, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        const struct conv_shape s = shapes[i];

        run((struct problem){
            .forward = conv_run,
            .backward = conv_back,
            .shape = &s,
            .x_count = {s.n * s.h * s.w * s.c, s.out * s.kh * s.kw * s.c},
            .y_count = s.n * s.out_h * s.out_w * s.out,
        });
    }
}

/* ---- normalisation: x, gain, bias (which has no gradient) ---- */

static void groupnorm_run(const struct problem *p)
{
    const struct groupnorm_shape s = *(const struct groupnorm_shape *)p->shape;

    p->k->groupnorm_forward(p->k, s, p->x[0], p->x[1], p->weight, p->y, p->kept[0], p->kept[1]);
}

static void groupnorm_back(const struct problem *p)
{
    const struct groupnorm_shape s = *(const struct groupnorm_shape *)p->shape;

    p->k->groupnorm_backward(p->k, s, p->x[0], p->x[1], p->weight, p->kept[0], p->kept[1],
                             p->weight, p->d[0], p->d[1]);
}

static void test_groupnorm(void)
{
    for (int silu = 0; silu < 2; silu++) {
        const struct groupnorm_shape s = {
            .n = 2, .t = 5, .c = 6, .groups = 3, .epsilon = 1e-2, .silu = silu};

        run((struct problem){.forward = groupnorm_run,
                             .backward = groupnorm_back,
                             .shape = &s,
                             .x_count = {60, 6},
                             .y_count = 60});
    }
}

static void layernorm_run(const struct problem *p)
{
    const struct layernorm_shape s = *(const struct layernorm_shape *)p->shape;

    p->k->layernorm_forward(p->k, s, p->x[0], p->x[1], p->weight, p->y, p->kept[0], p->kept[1]);
}

static void layernorm_back(const struct problem *p)
{
    const struct layernorm_shape s = *(const struct layernorm_shape *)p->shape;

    p->k->layernorm_backward(p->k, s, p->x[0], p->x[1], p->kept[0], p->kept[1], p->weight, p->d[0],
                             p->d[1]);
}

static void test_layernorm(void)
{
    const struct layernorm_shape s = {.t = 4, .c = 7, .epsilon = 1e-2};

    run((struct problem){.forward = layernorm_run,
                         .backward = layernorm_back,
                         .shape = &s,
                         .x_count = {28, 7},
                         .y_count = 28});
}

/* ---- attention: q, k, v ---- */

static void attention_run(const struct problem *p)
{
    p->k->attention_forward(p->k, *(const struct attention_shape *)p->shape, p->x[0], p->x[1],
                            p->x[2], p->y, p->kept[0]);
}

static void attention_back(const struct problem *p)
{
    p->k->attention_backward(p->k, *(const struct attention_shape *)p->shape, p->x[0], p->x[1],
                             p->x[2], p->y, p->kept[0], p->weight, p->d[0], p->d[1], p->d[2]);
}

static void test_attention(void)
{
    static const int sizes[][4] = {{3, 5, 4, 0}, {5, 5, 4, 1}, {4, 2, 3, 1}, {2, 3, 70, 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const struct attention_shape s = {.n = 2,
                                          .heads = 2,
                                          .tq = sizes[i][0],
                                          .tk = sizes[i][1],
                                          .d = sizes[i][2],
                                          .causal = sizes[i][3],
                                          .scale = 0.7};
        const int q = 4 * s.tq * s.d, keys = 4 * s.tk * s.d;

        run((struct problem){.forward = attention_run,
                             .backward = attention_back,
                             .shape = &s,
                             .x_count = {q, keys, keys},
                             .y_count = q});
    }
}

/* ---- element-wise ---- */

static void activation_run(const struct problem *p)
{
    p->k->activation_forward(p->k, p->choice, p->y_count, p->x[0], p->y);
}

static void activation_back(const struct problem *p)
{
    p->k->activation_backward(p->k, p->choice, p->y_count, p->x[0], p->weight, p->d[0]);
}

static void test_activation(void)
{
    static real values[] = {-9, -4, -2.5, -1, -0.3, 0, 0.2, 0.9, 2, 3.3, 6, 11};

    for (int choice = ACTIVATION_SILU; choice <= ACTIVATION_QUICK_GELU; choice++) {
        run((struct problem){.forward = activation_run,
                             .backward = activation_back,
                             .choice = choice,
                             .x = {values},
                             .x_count = {G_N_ELEMENTS(values)},
                             .y_count = G_N_ELEMENTS(values)});
    }
}

static void geglu_run(const struct problem *p)
{
    p->k->geglu_forward(p->k, 3, 4, p->x[0], p->y);
}

static void geglu_back(const struct problem *p)
{
    p->k->geglu_backward(p->k, 3, 4, p->x[0], p->weight, p->d[0]);
}

static void test_geglu(void)
{
    run((struct problem){
        .forward = geglu_run, .backward = geglu_back, .x_count = {24}, .y_count = 12});
}

static void row_run(const struct problem *p)
{
    p->k->add_row_forward(p->k, 2, 3, 4, p->kept[0], p->x[0], p->y);
}

static void row_back(const struct problem *p)
{
    p->k->add_row_backward(p->k, 2, 3, 4, p->weight, p->d[0]);
}

static void test_row(void)
{
    run((struct problem){.forward = row_run, .backward = row_back, .x_count = {8}, .y_count = 24});
}

static void upsample_run(const struct problem *p)
{
    p->k->upsample_forward(p->k, *(const struct upsample_shape *)p->shape, p->x[0], p->y);
}

static void upsample_back(const struct problem *p)
{
    p->k->upsample_backward(p->k, *(const struct upsample_shape *)p->shape, p->weight, p->d[0]);
}

static void test_upsample(void)
{
    const struct upsample_shape s = {.n = 2, .h = 3, .w = 2, .c = 3, .out_h = 5, .out_w = 4};

    run((struct problem){.forward = upsample_run,
                         .backward = upsample_back,
                         .shape = &s,
                         .x_count = {36},
                         .y_count = 120});
}

/* ---- spectral shifts, embedding, loss ---- */

#define TOKENS 5
#define RANK   6

// y = q * relu(sigma + 0.7 shift): one shift is closed, away from the kink
static void spectral_run(const struct problem *p)
{
    static const real sigma[RANK] = {3, 2, 1.5, 1.2, 0.9, -2};
    real gain[RANK];

    p->k->shift_gain(p->k, RANK, sigma, p->x[0], 0.7, gain);
    p->k->scale_columns(p->k, KERNELS_F32, TOKENS, RANK, p->kept[0], gain, p->y);
    p->k->copy(p->k, p->kept[1], gain, sizeof gain);
}

static void spectral_back(const struct problem *p)
{
    p->k->column_dot(p->k, KERNELS_F32, TOKENS, RANK, p->weight, p->kept[0], p->kept[1], 0.7,
                     p->d[0]);
}

static void test_spectral(void)
{
    run((struct problem){.forward = spectral_run,
                         .backward = spectral_back,
                         .x_count = {RANK},
                         .y_count = TOKENS * RANK});
}

static const int32_t ids[] = {2, 0, 2, 3};

static void embedding_run(const struct problem *p)
{
    p->k->embedding_forward(p->k, 4, 3, ids, p->x[0], p->y);
}

static void embedding_back(const struct problem *p)
{
    p->k->embedding_backward(p->k, 4, 3, ids, p->weight, p->d[0]);
}

static void test_embedding(void)
{
    run((struct problem){
        .forward = embedding_run, .backward = embedding_back, .x_count = {15}, .y_count = 12});
}

// of the numbers 2, 0, 2, 3 these have rows; 5 does not come up
static const int32_t chosen[] = {2, 5, 3};
static const struct chosen_shape some = {.t = 4, .c = 3, .n = 3, .factor = 0.7};

static void chosen_run(const struct problem *p)
{
    p->k->copy(p->k, p->y, p->kept[0], 12 * sizeof(real));
    p->k->chosen_rows_forward(p->k, some, ids, chosen, p->x[0], p->y);
}

static void chosen_back(const struct problem *p)
{
    p->k->chosen_rows_backward(p->k, some, ids, chosen, p->weight, p->d[0]);
}

static void test_chosen(void)
{
    run((struct problem){
        .forward = chosen_run, .backward = chosen_back, .x_count = {9}, .y_count = 12});
}

// L = sum of weight * loss, which is what the entry's gradient is of
static void mse_run(const struct problem *p)
{
    p->k->mse(p->k, 2, 6, p->x[0], p->kept[0], p->weight, p->y, NULL);
}

static void mse_back(const struct problem *p)
{
    p->k->mse(p->k, 2, 6, p->x[0], p->kept[0], p->weight, p->y, p->d[0]);
}

static void test_mse(void)
{
    run((struct problem){.forward = mse_run, .backward = mse_back, .x_count = {12}, .y_count = 2});
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/derivatives/linear", test_linear);
    g_test_add_func("/derivatives/conv", test_conv);
    g_test_add_func("/derivatives/groupnorm", test_groupnorm);
    g_test_add_func("/derivatives/layernorm", test_layernorm);
    g_test_add_func("/derivatives/attention", test_attention);
    g_test_add_func("/derivatives/activation", test_activation);
    g_test_add_func("/derivatives/geglu", test_geglu);
    g_test_add_func("/derivatives/add_row", test_row);
    g_test_add_func("/derivatives/upsample", test_upsample);
    g_test_add_func("/derivatives/spectral", test_spectral);
    g_test_add_func("/derivatives/embedding", test_embedding);
    g_test_add_func("/derivatives/chosen_rows", test_chosen);
    g_test_add_func("/derivatives/mse", test_mse);
    return g_test_run();
}
