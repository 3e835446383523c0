/* check_attention.c: attention forward and backward. The backward cases take y and lse from the
 * reference's forward, so that they check one entry. */
#include "tests/check/check.h"

#include <math.h>

static bool is_tf32(const struct check *c)
{
    return c->precision == KERNELS_IN_TF32;
}

/* In a type of 16 bits each probability, and each dS of the way back, is rounded before it is
 * multiplied: off by half a step u at most, u^2 / 5 on average of the squares, and so are their sums. In
 * tf32, of the same mantissa as f16, what they weigh is rounded as well, and the factors of the products
 * that they are made of: three times as much. */
static struct bound close_sums(const struct check *c)
{
    const double u = check_step(is_tf32(c) ? KERNELS_F16 : c->device->activation) / 2;

    return (struct bound){.nmse = (is_tf32(c) ? 3 : 1) * (u > 0 ? u * u / 2 : 1e-11)};
}

/* In tf32 a score is a sum of d products of an integer, of 2 in the root of the mean square, and a number of
 * 0.6, which is off by a third of u of itself, times 3 / d: four standard deviations of that, of the fewest
 * channels that are multiplied so. */
static struct bound close_lse(const struct check *c)
{
    const double u = check_step(KERNELS_F16) / 2;

    return is_tf32(c)
               ? (struct bound){.relative = 1e-5, .absolute = 4 * 2 * 0.6 * u / 3 * 3 / sqrt(40)}
               : (struct bound){.nmse = 1e-12, .relative = 1e-5, .absolute = 1e-5};
}

static struct attention_shape shape(int n, int heads, int tq, int tk, int d, bool causal)
{
    return (struct attention_shape){.n = n,
                                    .heads = heads,
                                    .tq = tq,
                                    .tk = tk,
                                    .d = d,
                                    .causal = causal,
                                    .scale = (real)(3.0 / d)};
}

static void begin(struct check *c, struct attention_shape s)
{
    check_begin(c, "n=%d heads=%d tq=%d tk=%d d=%d causal=%d", s.n, s.heads, s.tq, s.tk, s.d,
                s.causal);
}

static int64_t q_count(struct attention_shape s)
{
    return (int64_t)s.n * s.tq * s.heads * s.d;
}

static int64_t k_count(struct attention_shape s)
{
    return (int64_t)s.n * s.tk * s.heads * s.d;
}

static int64_t lse_count(struct attention_shape s)
{
    return (int64_t)s.n * s.heads * s.tq;
}

// products of one forward: q k and p v
static double flops(struct attention_shape s)
{
    return 4.0 * lse_count(s) * s.tk * s.d;
}

static void forward_case(struct check *c, struct attention_shape s, bool keep)
{
    begin(c, s);
    struct array *q = check_cells(c, q_count(s), FILL_INTEGER);
    struct array *key = check_cells(c, k_count(s), FILL_RANDOM);
    struct array *v = check_cells(c, k_count(s), FILL_RANDOM);
    struct array *y = check_output_cells(c, q_count(s), close_sums(c));
    struct array *lse = keep ? check_output(c, lse_count(s), close_lse(c)) : NULL;

    while (check_next(c)) {
        c->k->attention_forward(c->k, s, at(c, q), at(c, key), at(c, v), at(c, y), at(c, lse));
    }
    check_end_flops(c, flops(s));
}

/* An input that looks like what a forward left: y is random (only dy y matters), lse is large
 * enough that the probabilities of 'random' products stay below 1. */
static struct array *likely_lse(struct check *c, struct attention_shape s)
{
    g_autofree real *values = g_new(real, lse_count(s) + 1);

    for (int64_t i = 0; i < lse_count(s); i++) {
        values[i] = (real)(3 + check_uniform(c));
    }
    return check_raw(c, ROLE_INPUT, (size_t)lse_count(s) * sizeof(real), values);
}

static void backward_case(struct check *c, struct attention_shape s)
{
    begin(c, s);
    struct array *q = check_cells(c, q_count(s), FILL_RANDOM);
    struct array *key = check_cells(c, k_count(s), FILL_RANDOM);
    struct array *v = check_cells(c, k_count(s), FILL_RANDOM);
    struct array *y = check_cells(c, q_count(s), FILL_RANDOM);
    struct array *dy = check_cells(c, q_count(s), FILL_RANDOM);
    struct array *lse = likely_lse(c, s);
    struct array *dq = check_sum_cells(c, q_count(s), close_sums(c));
    struct array *dkey = check_sum_cells(c, k_count(s), close_sums(c));
    struct array *dv = check_sum_cells(c, k_count(s), close_sums(c));

    while (check_next(c)) {
        c->k->attention_backward(c->k, s, at(c, q), at(c, key), at(c, v), at(c, y), at(c, lse),
                                 at(c, dy), at(c, dq), at(c, dkey), at(c, dv));
    }
    check_end_flops(c, 2.5 * flops(s));
}

static const int sizes[][5] = {
    // n heads tq tk d
    {1, 1, 1, 1, 1},      {2, 3, 7, 5, 7},      {1, 2, 63, 65, 16},  {2, 1, 65, 77, 40},
    {1, 8, 64, 77, 80},   {1, 1, 130, 129, 64}, {1, 2, 0, 8, 8},     {0, 1, 4, 4, 4},
    {1, 1, 300, 257, 40}, {1, 1, 20, 33, 520},  {1, 2, 64, 96, 160}, {2, 1, 129, 193, 33},
    {1, 2, 21, 35, 96},   {1, 3, 17, 1, 64},    {2, 2, 70, 150, 64}, {1, 2, 33, 70, 160},
    {1, 1, 16, 200, 80},  {1, 2, 200, 40, 40},  {2, 1, 72, 31, 80},  {1, 1, 5, 77, 160},
};

static void for_all(struct check *c, void (*run)(struct check *c, struct attention_shape s))
{
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const int *a = sizes[i];

        if (check_wants(c, flops(shape(a[0], a[1], a[2], a[3], a[4], false)))) {
            run(c, shape(a[0], a[1], a[2], a[3], a[4], false));
            run(c, shape(a[0], a[1], a[2], a[2], a[4], true));
        }
    }
}

static void forward_both(struct check *c, struct attention_shape s)
{
    forward_case(c, s, true);
    forward_case(c, s, false);
}

static void check_forward(struct check *c)
{
    for_all(c, forward_both);
}

static void check_backward(struct check *c)
{
    for_all(c, backward_case);
}

// Stable Diffusion 1.5: itself at 64x64, 32x32, 16x16 tokens, the prompt's 77 keys, and the
// autoencoder's one wide head
static const int bench_sizes[][5] = {
    {2, 8, 4096, 4096, 40}, {2, 8, 4096, 77, 40},  {2, 8, 1024, 1024, 40}, {2, 8, 1024, 1024, 80},
    {2, 8, 256, 256, 80},   {2, 8, 256, 256, 160}, {2, 8, 64, 64, 160},    {1, 1, 4096, 4096, 512},
};

static void bench_all(struct check *c, void (*run)(struct check *c, struct attention_shape s))
{
    c->mode = MODE_BENCH_REFERENCE;
    run(c, shape(1, 1, 64, 256, 40, false));
    c->mode = MODE_BENCH_DEVICE;
    for (size_t i = 0; i < G_N_ELEMENTS(bench_sizes); i++) {
        const int *a = bench_sizes[i];

        run(c, shape(a[0], a[1], a[2], a[3], a[4], false));
    }
}

static void forward_kept(struct check *c, struct attention_shape s)
{
    forward_case(c, s, true);
}

static void bench_forward(struct check *c)
{
    bench_all(c, forward_kept);
}

static void bench_backward(struct check *c)
{
    bench_all(c, backward_case);
}

const struct test test_attention_forward = {check_forward, bench_forward};
const struct test test_attention_backward = {check_backward, bench_backward};
