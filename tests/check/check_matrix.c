/* check_matrix.c: gemm, linear layers with weights of both types, values of one type as
 * those of another. */
#include "tests/check/check.h"

#include <math.h>
#include <stdio.h>

static const struct bound exact = {0};

/* ---- gemm ---- */

static void gemm_case(struct check *c, enum fill fill, struct gemm_shape s)
{
    check_begin(c, "m=%d n=%d k=%d transpose_a=%d transpose_b=%d accumulate=%d", (int)s.m, (int)s.n,
                (int)s.k, s.transpose_a, s.transpose_b, s.accumulate);
    struct array *a = check_input(c, s.m * s.k, fill), *b = check_input(c, s.k * s.n, fill);
    struct array *y = s.accumulate ? check_sum(c, s.m * s.n, check_floats(fill))
                                   : check_output(c, s.m * s.n, check_floats(fill));

    while (check_next(c)) {
        c->k->gemm(c->k, s, at(c, a), at(c, b), at(c, y));
    }
    check_end_flops(c, 2.0 * s.m * s.n * s.k);
}

static void check_gemm(struct check *c)
{
    static const int sizes[][3] = {
        {1, 1, 1}, {7, 63, 65}, {64, 64, 64}, {65, 1, 130}, {1, 65, 7}, {0, 5, 5}, {5, 7, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (int form = 0; form < 16; form++) {
            gemm_case(c, form & 8 ? FILL_INTEGER : FILL_RANDOM,
                      (struct gemm_shape){.m = sizes[i][0],
                                          .n = sizes[i][1],
                                          .k = sizes[i][2],
                                          .transpose_a = form & 1,
                                          .transpose_b = form & 2,
                                          .accumulate = form & 4});
        }
    }
}

static void bench_gemm(struct check *c)
{
    const struct gemm_shape square = {.m = 1280, .n = 1280, .k = 1280};
    const struct gemm_shape b = {.m = 1280, .n = 1280, .k = 1280, .transpose_b = true};
    const struct gemm_shape a = {.m = 1280, .n = 1280, .k = 1280, .transpose_a = true};

    c->mode = MODE_BENCH_REFERENCE;
    gemm_case(c, FILL_RANDOM, (struct gemm_shape){.m = 64, .n = 320, .k = 320});
    c->mode = MODE_BENCH_DEVICE;
    gemm_case(c, FILL_RANDOM, (struct gemm_shape){.m = 320, .n = 320, .k = 320});
    gemm_case(c, FILL_RANDOM, (struct gemm_shape){.m = 320, .n = 2880, .k = 320});
    gemm_case(c, FILL_RANDOM, square);
    gemm_case(c, FILL_RANDOM, a);
    gemm_case(c, FILL_RANDOM, b);
}

/* ---- linear ---- */

// the type of the weight's values
enum weight_form { WEIGHT_REAL, WEIGHT_ROUNDED, WEIGHT_FORMS };

static struct weight_input make_weight(struct check *c, enum weight_form form,
                                       struct linear_shape s, enum fill fill)
{
    struct weight_input w = {.plain = check_input(c, (int64_t)s.out * s.in, fill)};

    if (form == WEIGHT_ROUNDED) {
        w.rounded = check_rounded(c, w.plain);
    }
    return w;
}

static const char *form_name(const struct check *c, enum weight_form form)
{
    return check_type_name(form == WEIGHT_ROUNDED ? check_rounded_type(c) : KERNELS_F32);
}

static void linear_forward_case(struct check *c, enum weight_form form, enum fill fill,
                                bool with_bias, struct linear_shape s)
{
    check_begin(c, "t=%d in=%d out=%d %s", (int)s.t, s.in, s.out, form_name(c, form));
    struct array *x = check_cells(c, s.t * s.in, fill);
    struct array *bias = with_bias ? check_input(c, s.out, fill) : NULL;
    struct weight_input w = make_weight(c, form, s, fill);
    struct array *y = check_output_cells(c, s.t * s.out, check_products(c, fill, s.in));

    while (check_next(c)) {
        c->k->linear_forward(c->k, s, at(c, x), check_weight(c, &w), at(c, bias), at(c, y));
    }
    check_end_flops(c, 2.0 * s.t * s.in * s.out);
}

static void linear_input_case(struct check *c, enum weight_form form, enum fill fill,
                              struct linear_shape s)
{
    check_begin(c, "t=%d in=%d out=%d %s", (int)s.t, s.in, s.out, form_name(c, form));
    struct array *dy = check_cells(c, s.t * s.out, fill);
    struct weight_input w = make_weight(c, form, s, fill);
    struct array *dx = check_sum_cells(c, s.t * s.in, check_products(c, fill, s.out));

    while (check_next(c)) {
        c->k->linear_backward_input(c->k, s, at(c, dy), check_weight(c, &w), at(c, dx));
    }
    check_end_flops(c, 2.0 * s.t * s.in * s.out);
}

static void linear_weight_case(struct check *c, enum fill fill, struct linear_shape s)
{
    check_begin(c, "t=%d in=%d out=%d", (int)s.t, s.in, s.out);
    struct array *dy = check_cells(c, s.t * s.out, fill), *x = check_cells(c, s.t * s.in, fill);
    struct array *dw = check_sum(c, (int64_t)s.out * s.in, check_products(c, fill, s.t));

    while (check_next(c)) {
        c->k->linear_backward_weight(c->k, s, at(c, dy), at(c, x), at(c, dw));
    }
    check_end_flops(c, 2.0 * s.t * s.in * s.out);
}

static const struct linear_shape linear_sizes[] = {
    {1, 1, 1},    {1, 64, 65},   {7, 63, 1},  {7, 1, 7},      {63, 65, 7},    {65, 7, 5},
    {64, 64, 64}, {65, 130, 63}, {0, 64, 64}, {1030, 33, 48}, {200, 72, 136}, {1, 320, 8},
};

static void check_linear_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(linear_sizes); i++) {
        for (int form = 0; form < WEIGHT_FORMS; form++) {
            linear_forward_case(c, form, FILL_RANDOM, true, linear_sizes[i]);
            linear_forward_case(c, form, FILL_INTEGER, false, linear_sizes[i]);
        }
    }
}

static void check_linear_backward_input(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(linear_sizes); i++) {
        for (int form = 0; form < WEIGHT_FORMS; form++) {
            linear_input_case(c, form, FILL_RANDOM, linear_sizes[i]);
            linear_input_case(c, form, FILL_INTEGER, linear_sizes[i]);
        }
    }
}

static void check_linear_backward_weight(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(linear_sizes); i++) {
        linear_weight_case(c, FILL_RANDOM, linear_sizes[i]);
        linear_weight_case(c, FILL_INTEGER, linear_sizes[i]);
    }
    // more than the CPU turns at a time
    linear_weight_case(c, FILL_INTEGER, (struct linear_shape){520, 4, 2048});
}

static const struct linear_shape linear_bench[] = {
    {4096, 320, 320},  {4096, 320, 2560}, {2048, 320, 2560}, {512, 640, 640}, {512, 640, 5120},
    {128, 1280, 1280}, {128, 5120, 1280}, {32, 1280, 10240}, {154, 768, 320}, {2, 1280, 320},
};

static void bench_linear_forward(struct check *c)
{
    const enum weight_form plain =
        check_step(c->device->activation) > 0 ? WEIGHT_ROUNDED : WEIGHT_REAL;

    c->mode = MODE_BENCH_REFERENCE;
    linear_forward_case(c, plain, FILL_RANDOM, true, (struct linear_shape){64, 320, 320});
    c->mode = MODE_BENCH_DEVICE;
    for (size_t i = 0; i < G_N_ELEMENTS(linear_bench); i++) {
        linear_forward_case(c, plain, FILL_RANDOM, true, linear_bench[i]);
    }
}

static void bench_linear_backward_input(struct check *c)
{
    const enum weight_form plain =
        check_step(c->device->activation) > 0 ? WEIGHT_ROUNDED : WEIGHT_REAL;

    c->mode = MODE_BENCH_REFERENCE;
    linear_input_case(c, plain, FILL_RANDOM, (struct linear_shape){64, 320, 320});
    c->mode = MODE_BENCH_DEVICE;
    for (size_t i = 0; i < G_N_ELEMENTS(linear_bench); i++) {
        linear_input_case(c, plain, FILL_RANDOM, linear_bench[i]);
    }
}

static void bench_linear_backward_weight(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    linear_weight_case(c, FILL_RANDOM, (struct linear_shape){64, 320, 320});
    c->mode = MODE_BENCH_DEVICE;
    linear_weight_case(c, FILL_RANDOM, linear_bench[0]);
    linear_weight_case(c, FILL_RANDOM, linear_bench[5]);
}

/* ---- types ---- */

static void convert_case(struct check *c, enum kernels_type from, enum kernels_type to,
                         int64_t count)
{
    check_begin(c, "from=%s to=%s count=%d", check_type_name(from), check_type_name(to),
                (int)count);
    struct array *x = check_input_of(c, from, count, FILL_RANDOM);
    struct array *y = check_output_of(c, to, count, exact);

    while (check_next(c)) {
        c->k->convert(c->k, count, from, at(c, x), to, at(c, y));
    }
    check_end_bytes(c, 6.0 * count);
}

// ties, the largest values, infinities, NaN, denormals, and back
static void convert_special(struct check *c, enum kernels_type type)
{
    const float values[] = {1.00390625f,  1.01171875f,
                            -1.00390625f, 3.4e38f,
                            INFINITY,     -INFINITY,
                            NAN,          1e-40f,
                            -0.0f,        0x1.fffffep127f,
                            65504.0f,     65519.99f,
                            -65520.0f,    1 + 0x1p-11f,
                            1 + 0x3p-11f, 0x1p-14f,
                            0x1.ffcp-15f, 0x1p-24f,
                            0x1p-25f,     -0x1.000002p-25f,
                            0x1.8p-24f,   float_of_bits(0x7fffffff)};
    const int count = G_N_ELEMENTS(values);

    check_begin(c, "special values to %s", check_type_name(type));
    struct array *x = check_raw(c, ROLE_INPUT, sizeof values, values);
    struct array *y = check_raw(c, ROLE_OUTPUT, count * sizeof(uint16_t), NULL);
    struct array *back = check_raw(c, ROLE_OUTPUT, sizeof values, NULL);

    while (check_next(c)) {
        c->k->convert(c->k, count, KERNELS_F32, at(c, x), type, at(c, y));
        c->k->convert(c->k, count, type, at(c, y), KERNELS_F32, at(c, back));
    }
    check_end_bytes(c, 12.0 * count);
}

// one whose lower half would carry into the sign
static void convert_nan(struct check *c)
{
    const float value = float_of_bits(0x7fffffff);
    uint16_t rounded = 0;

    for (int type = KERNELS_BF16; type < KERNELS_TYPES; type++) {
        c->reference->convert(c->reference, 1, KERNELS_F32, &value, type, &rounded);
        if (!isnan(cell_get(type, &rounded, 0))) {
            printf("# convert: a NaN became %g\n", (double)cell_get(type, &rounded, 0));
            c->failures++;
        }
    }
}

static void check_convert(struct check *c)
{
    static const int64_t counts[] = {0, 1, 7, 63, 65, 100003};

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        for (int pair = 0; pair < KERNELS_TYPES * KERNELS_TYPES; pair++) {
            convert_case(c, pair / KERNELS_TYPES, pair % KERNELS_TYPES, counts[i]);
        }
    }
    convert_special(c, KERNELS_BF16);
    convert_special(c, KERNELS_F16);
    convert_nan(c);
}

static void bench_convert(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    convert_case(c, KERNELS_F32, KERNELS_BF16, 1 << 24);
    c->mode = MODE_BENCH_DEVICE;
    convert_case(c, KERNELS_F32, KERNELS_BF16, 1 << 24);
    convert_case(c, KERNELS_BF16, KERNELS_F32, 1 << 24);
}

const struct test test_gemm = {check_gemm, bench_gemm};
const struct test test_linear_forward = {check_linear_forward, bench_linear_forward};
const struct test test_linear_backward_input = {check_linear_backward_input,
                                                bench_linear_backward_input};
const struct test test_linear_backward_weight = {check_linear_backward_weight,
                                                 bench_linear_backward_weight};
const struct test test_convert = {check_convert, bench_convert};
