/* check_conv.c: convolutions with weights of both types: 1x1, 3x3, strides, uneven padding. */
#include "tests/check/check.h"

/* Of either direction; channels: that are summed. Winograd's way on the CPU rounds both factors once more, to 8 bits: 2.7e-6 of a
 * value's square each in the mean, 25/9 times that in the sums of its transforms, 1.5e-5, and what the
 * output's own rounding makes of it. Small integers stay exact. */
static struct bound sums(const struct check *c, struct conv_shape s, enum fill fill, int channels)
{
    const bool winograd = s.kh == 3 && s.kw == 3 && s.stride == 1 && MIN(s.c, s.out) >= 32;

    return winograd && fill == FILL_RANDOM && c->precision == KERNELS_IN_BF16 &&
                   g_str_equal(c->device->name, "cpu")
               ? (struct bound){.nmse = 2.5e-5}
               : check_products(c, fill, (int64_t)s.kh * s.kw * channels);
}

// the type of the weight's values
enum weight_form { WEIGHT_REAL, WEIGHT_ROUNDED, WEIGHT_FORMS };

static const char *form_name(const struct check *c, enum weight_form form)
{
    return check_type_name(form == WEIGHT_ROUNDED ? check_rounded_type(c) : KERNELS_F32);
}

static int64_t x_count(struct conv_shape s)
{
    return (int64_t)s.n * s.h * s.w * s.c;
}

static int64_t y_count(struct conv_shape s)
{
    return (int64_t)s.n * s.out_h * s.out_w * s.out;
}

static int64_t weight_count(struct conv_shape s)
{
    return (int64_t)s.out * s.kh * s.kw * s.c;
}

static double flops(struct conv_shape s)
{
    return 2.0 * y_count(s) * s.kh * s.kw * s.c;
}

static void begin(struct check *c, struct conv_shape s, const char *form)
{
    check_begin(c, "n=%d %dx%d c=%d to %dx%d out=%d %dx%d stride=%d pad=%d,%d %s", s.n, s.h, s.w,
                s.c, s.out_h, s.out_w, s.out, s.kh, s.kw, s.stride, s.pad_top, s.pad_left, form);
}

static struct weight_input make_weight(struct check *c, enum weight_form form, struct conv_shape s,
                                       enum fill fill)
{
    struct weight_input w = {.plain = check_input(c, weight_count(s), fill)};

    if (form == WEIGHT_ROUNDED) {
        w.rounded = check_rounded(c, w.plain);
    }
    return w;
}

static void forward_case(struct check *c, enum weight_form form, enum fill fill, bool with_bias,
                         struct conv_shape s)
{
    begin(c, s, form_name(c, form));
    struct array *x = check_cells(c, x_count(s), fill);
    struct array *bias = with_bias ? check_input(c, s.out, fill) : NULL;
    struct weight_input w = make_weight(c, form, s, fill);
    struct array *y = check_output_cells(c, y_count(s), sums(c, s, fill, s.c));

    while (check_next(c)) {
        c->k->conv_forward(c->k, s, at(c, x), check_weight(c, &w), at(c, bias), at(c, y));
    }
    check_end_flops(c, flops(s));
}

static void input_case(struct check *c, enum weight_form form, enum fill fill, struct conv_shape s)
{
    begin(c, s, form_name(c, form));
    struct array *dy = check_cells(c, y_count(s), fill);
    struct weight_input w = make_weight(c, form, s, fill);
    struct array *dx = check_sum_cells(c, x_count(s), sums(c, s, fill, s.out));

    while (check_next(c)) {
        c->k->conv_backward_input(c->k, s, at(c, dy), check_weight(c, &w), at(c, dx));
    }
    check_end_flops(c, flops(s));
}

static void weight_case(struct check *c, enum fill fill, struct conv_shape s)
{
    begin(c, s, "");
    struct array *dy = check_cells(c, y_count(s), fill), *x = check_cells(c, x_count(s), fill);
    struct array *dw =
        check_sum(c, weight_count(s), check_products(c, fill, (int64_t)s.n * s.out_h * s.out_w));

    while (check_next(c)) {
        c->k->conv_backward_weight(c->k, s, at(c, dy), at(c, x), at(c, dw));
    }
    check_end_flops(c, flops(s));
}

// same size, stride 1
static struct conv_shape same(int n, int size, int c, int out, int kernel)
{
    return (struct conv_shape){.n = n,
                               .h = size,
                               .w = size,
                               .c = c,
                               .out_h = size,
                               .out_w = size,
                               .out = out,
                               .kh = kernel,
                               .kw = kernel,
                               .stride = 1,
                               .pad_top = kernel / 2,
                               .pad_left = kernel / 2};
}

static const struct conv_shape sizes[] = {
    // n h w c  out_h out_w out  kh kw stride pad_top pad_left
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {1, 1, 1, 7, 1, 1, 5, 3, 3, 1, 1, 1},
    {2, 5, 7, 3, 5, 7, 4, 3, 3, 1, 1, 1},
    {2, 8, 8, 16, 8, 8, 32, 3, 3, 1, 1, 1},
    {2, 9, 9, 4, 5, 5, 65, 3, 3, 2, 1, 1},  // the UNet's down-sampler
    {1, 8, 8, 33, 4, 4, 16, 3, 3, 2, 0, 0}, // the autoencoder's: padded below and right
    {1, 17, 17, 64, 17, 17, 63, 3, 3, 1, 1, 1},
    {2, 6, 5, 65, 6, 5, 7, 1, 1, 1, 0, 0},
    {2, 7, 7, 8, 4, 4, 9, 1, 1, 2, 0, 0},
    {0, 4, 4, 8, 4, 4, 8, 3, 3, 1, 1, 1},
    {1, 14, 14, 3, 2, 2, 32, 7, 7, 7, 0, 0}, // patches
    {1, 4, 9, 32, 4, 9, 48, 1, 3, 1, 0, 1},
    {3, 4, 4, 130, 4, 4, 20, 3, 3, 1, 1, 1},
    {1, 12, 13, 40, 12, 13, 72, 3, 3, 1, 1, 1},
    {2, 9, 9, 64, 5, 5, 136, 3, 3, 2, 1, 1},
    {1, 8, 8, 72, 4, 4, 16, 3, 3, 2, 0, 0},
    {1, 16, 16, 8, 16, 16, 4, 3, 3, 1, 1, 1},
    {1, 3, 3, 136, 3, 3, 16, 3, 3, 1, 1, 1}, // few pixels, many channels
    {1, 3, 3, 16, 3, 3, 136, 3, 3, 1, 1, 1},
    {2, 17, 16, 64, 17, 16, 96, 3, 3, 1, 1, 1},
    {1, 20, 21, 96, 18, 19, 80, 3, 3, 1, 0, 0},
    {1, 9, 30, 32, 4, 30, 3, 3, 1, 2, 0, 0}, // some of the outputs see nothing but padding
};

static void check_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (int form = 0; check_wants(c, flops(sizes[i])) && form < WEIGHT_FORMS; form++) {
            forward_case(c, form, FILL_RANDOM, true, sizes[i]);
            forward_case(c, form, FILL_INTEGER, false, sizes[i]);
        }
    }
}

static void check_backward_input(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (int form = 0; check_wants(c, flops(sizes[i])) && form < WEIGHT_FORMS; form++) {
            input_case(c, form, FILL_RANDOM, sizes[i]);
            input_case(c, form, FILL_INTEGER, sizes[i]);
        }
    }
}

static void check_backward_weight(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        weight_case(c, FILL_RANDOM, sizes[i]);
        weight_case(c, FILL_INTEGER, sizes[i]);
    }
}

// Stable Diffusion 1.5 at 512x512 and 256x256, batch 2, and the autoencoder: size, c, out
static const int bench_sizes[][4] = {
    {2, 64, 320, 320},  {2, 32, 640, 640},  {2, 32, 320, 320},
    {2, 16, 640, 640},  {2, 16, 1280, 640}, {2, 8, 1280, 1280},
    {2, 8, 2560, 1280}, {2, 4, 1280, 1280}, {1, 256, 128, 128},
};

static enum weight_form plain_form(const struct check *c)
{
    return check_step(c->device->activation) > 0 ? WEIGHT_ROUNDED : WEIGHT_REAL;
}

static void bench_forward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    forward_case(c, plain_form(c), FILL_RANDOM, true, same(1, 8, 64, 64, 3));
    c->mode = MODE_BENCH_DEVICE;
    for (size_t i = 0; i < G_N_ELEMENTS(bench_sizes); i++) {
        const int *b = bench_sizes[i];

        forward_case(c, plain_form(c), FILL_RANDOM, true, same(b[0], b[1], b[2], b[3], 3));
    }
}

static void bench_backward_input(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    input_case(c, plain_form(c), FILL_RANDOM, same(1, 8, 64, 64, 3));
    c->mode = MODE_BENCH_DEVICE;
    for (size_t i = 0; i < G_N_ELEMENTS(bench_sizes); i++) {
        const int *b = bench_sizes[i];

        input_case(c, plain_form(c), FILL_RANDOM, same(b[0], b[1], b[2], b[3], 3));
    }
}

static void bench_backward_weight(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    weight_case(c, FILL_RANDOM, same(1, 8, 64, 64, 3));
    c->mode = MODE_BENCH_DEVICE;
    weight_case(c, FILL_RANDOM, same(2, 32, 320, 320, 3));
    weight_case(c, FILL_RANDOM, same(2, 8, 1280, 1280, 3));
}

const struct test test_conv_forward = {check_forward, bench_forward};
const struct test test_conv_backward_input = {check_backward_input, bench_backward_input};
const struct test test_conv_backward_weight = {check_backward_weight, bench_backward_weight};
