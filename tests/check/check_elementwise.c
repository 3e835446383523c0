/* check_elementwise.c: activations, sums of arrays, rows and columns, nearest-neighbour scaling. */
#include "tests/check/check.h"

#include <math.h>

static const struct bound exact = {0};
// eight units in the last place of a float, and room for what is nearly zero
static const struct bound function_bound = {.relative = 9e-7, .absolute = 1e-9};
static const struct bound sum_bound = {.relative = 3e-7, .absolute = 3e-6};

static const int64_t counts[] = {0, 1, 7, 63, 65, 4097, 70001};

static const enum activation activations[] = {ACTIVATION_SILU, ACTIVATION_GELU,
                                              ACTIVATION_QUICK_GELU};
static const char *const activation_names[] = {"silu", "gelu", "quick_gelu"};

// what no type of cells is too small for
#define LARGEST 65504

// values from -span to span, with zero, very small and very large ones among them
static struct array *wide_input(struct check *c, int64_t count, double span)
{
    g_autofree real *values = g_new(real, count + 1);

    for (int64_t i = 0; i < count; i++) {
        values[i] = (real)(span * (2 * check_uniform(c) - 1));
        if (i % 17 == 3) {
            const double size = pow(10, 5 - 35 * check_uniform(c));
            values[i] = (real)((i & 1 ? 1 : -1) * MIN(size, LARGEST));
        }
    }
    return check_cells_with(c, count, values);
}

static void forward_case(struct check *c, enum activation a, int64_t count)
{
    check_begin(c, "%s count=%d", activation_names[a], (int)count);
    struct array *x = wide_input(c, count, 12), *y = check_output_cells(c, count, function_bound);

    while (check_next(c)) {
        c->k->activation_forward(c->k, a, count, at(c, x), at(c, y));
    }
    check_end_bytes(c, 8.0 * count);
}

static void backward_case(struct check *c, enum activation a, int64_t count)
{
    check_begin(c, "%s count=%d", activation_names[a], (int)count);
    struct array *x = wide_input(c, count, 12), *dy = check_cells(c, count, FILL_RANDOM);
    struct array *dx = check_sum_cells(c, count, sum_bound);

    while (check_next(c)) {
        c->k->activation_backward(c->k, a, count, at(c, x), at(c, dy), at(c, dx));
    }
    check_end_bytes(c, 16.0 * count);
}

static void check_activation_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        for (size_t a = 0; a < G_N_ELEMENTS(activations); a++) {
            forward_case(c, activations[a], counts[i]);
        }
    }
}

static void check_activation_backward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        for (size_t a = 0; a < G_N_ELEMENTS(activations); a++) {
            backward_case(c, activations[a], counts[i]);
        }
    }
}

static void bench_activation_forward(struct check *c)
{
    for (size_t a = 0; a < G_N_ELEMENTS(activations); a++) {
        c->mode = MODE_BENCH_REFERENCE;
        forward_case(c, activations[a], 1 << 16);
        c->mode = MODE_BENCH_DEVICE;
        forward_case(c, activations[a], 1 << 16);
        forward_case(c, activations[a], 1 << 22);
    }
}

static void bench_activation_backward(struct check *c)
{
    for (size_t a = 0; a < G_N_ELEMENTS(activations); a++) {
        c->mode = MODE_BENCH_REFERENCE;
        backward_case(c, activations[a], 1 << 16);
        c->mode = MODE_BENCH_DEVICE;
        backward_case(c, activations[a], 1 << 16);
        backward_case(c, activations[a], 1 << 22);
    }
}

/* ---- gated GELU ---- */

static void geglu_forward_case(struct check *c, int64_t t, int width)
{
    check_begin(c, "t=%d c=%d", (int)t, width);
    struct array *x = wide_input(c, 2 * t * width, 8);
    struct array *y = check_output_cells(c, t * width, function_bound);

    while (check_next(c)) {
        c->k->geglu_forward(c->k, t, width, at(c, x), at(c, y));
    }
    check_end_bytes(c, 12.0 * t * width);
}

static void geglu_backward_case(struct check *c, int64_t t, int width)
{
    check_begin(c, "t=%d c=%d", (int)t, width);
    struct array *x = check_cells(c, 2 * t * width, FILL_RANDOM);
    struct array *dy = check_cells(c, t * width, FILL_RANDOM);
    struct array *dx = check_sum_cells(c, 2 * t * width, sum_bound);

    while (check_next(c)) {
        c->k->geglu_backward(c->k, t, width, at(c, x), at(c, dy), at(c, dx));
    }
    check_end_bytes(c, 28.0 * t * width);
}

static const int row_sizes[][2] = {{0, 7}, {1, 1}, {7, 63}, {65, 1}, {63, 65}, {33, 1280}};

static void check_geglu_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        geglu_forward_case(c, row_sizes[i][0], row_sizes[i][1]);
    }
}

static void check_geglu_backward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        geglu_backward_case(c, row_sizes[i][0], row_sizes[i][1]);
    }
}

static void bench_geglu_forward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    geglu_forward_case(c, 64, 1280);
    c->mode = MODE_BENCH_DEVICE;
    geglu_forward_case(c, 2048, 1280);
    geglu_forward_case(c, 128, 5120);
}

static void bench_geglu_backward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    geglu_backward_case(c, 64, 1280);
    c->mode = MODE_BENCH_DEVICE;
    geglu_backward_case(c, 2048, 1280);
    geglu_backward_case(c, 128, 5120);
}

/* ---- sums ---- */

// where the result lies: apart, in a, in b
static void add_case(struct check *c, int64_t count, int place)
{
    check_begin(c, "count=%d place=%d", (int)count, place);
    struct array *a = place == 1 ? NULL : check_cells(c, count, FILL_RANDOM);
    struct array *b = place == 2 ? NULL : check_cells(c, count, FILL_RANDOM);
    struct array *y =
        place ? check_sum_cells(c, count, exact) : check_output_cells(c, count, exact);

    while (check_next(c)) {
        c->k->add(c->k, count, at(c, a ? a : y), at(c, b ? b : y), at(c, y));
    }
    check_end_bytes(c, 12.0 * count);
}

static void check_add(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        for (int place = 0; place < 3; place++) {
            add_case(c, counts[i], place);
        }
    }
}

static void accumulate_case(struct check *c, enum kernels_type type, int64_t count, real factor)
{
    check_begin(c, "type=%d count=%d factor=%g", type, (int)count, (double)factor);
    struct array *x = check_input_of(c, type, count, FILL_RANDOM);
    struct array *y = check_sum_of(c, type, count, sum_bound);

    while (check_next(c)) {
        c->k->accumulate(c->k, type, count, factor, at(c, x), at(c, y));
    }
    check_end_bytes(c, 12.0 * count);
}

static void check_accumulate(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        accumulate_case(c, c->device->activation, counts[i], 1);
        accumulate_case(c, c->device->activation, counts[i], (real)-0.37);
        accumulate_case(c, KERNELS_F32, counts[i], (real)0.37);
    }
}

static void bench_add(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    add_case(c, 1 << 23, 0);
    c->mode = MODE_BENCH_DEVICE;
    add_case(c, 1 << 23, 0);
}

static void bench_accumulate(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    accumulate_case(c, c->device->activation, 1 << 23, 1);
    c->mode = MODE_BENCH_DEVICE;
    accumulate_case(c, c->device->activation, 1 << 23, 1);
}

static void row_forward_case(struct check *c, int n, int64_t t, int width)
{
    check_begin(c, "n=%d t=%d c=%d", n, (int)t, width);
    struct array *x = check_cells(c, n * t * width, FILL_RANDOM);
    struct array *row = check_cells(c, (int64_t)n * width, FILL_RANDOM);
    struct array *y = check_output_cells(c, n * t * width, exact);

    while (check_next(c)) {
        c->k->add_row_forward(c->k, n, t, width, at(c, x), at(c, row), at(c, y));
    }
    check_end_bytes(c, 8.0 * n * t * width);
}

static void row_backward_case(struct check *c, int n, int64_t t, int width)
{
    check_begin(c, "n=%d t=%d c=%d", n, (int)t, width);
    struct array *dy = check_cells(c, n * t * width, FILL_RANDOM);
    struct array *drow = check_sum_cells(c, (int64_t)n * width, (struct bound){.nmse = 1e-12});

    while (check_next(c)) {
        c->k->add_row_backward(c->k, n, t, width, at(c, dy), at(c, drow));
    }
    check_end_bytes(c, 4.0 * n * t * width);
}

static void check_row_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        row_forward_case(c, 1, row_sizes[i][0], row_sizes[i][1]);
        row_forward_case(c, 3, row_sizes[i][0], row_sizes[i][1]);
    }
}

static void check_row_backward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        row_backward_case(c, 1, row_sizes[i][0], row_sizes[i][1]);
        row_backward_case(c, 3, row_sizes[i][0], row_sizes[i][1]);
    }
}

static void bench_row_forward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    row_forward_case(c, 2, 256, 320);
    c->mode = MODE_BENCH_DEVICE;
    row_forward_case(c, 2, 4096, 320);
}

static void bench_row_backward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    row_backward_case(c, 2, 256, 320);
    c->mode = MODE_BENCH_DEVICE;
    row_backward_case(c, 2, 4096, 320);
}

/* ---- columns and pixels ---- */

/* columns from .. from + width of rows of `stride` values, copied to the same place of another;
 * the columns beside them must stay as they are */
static void columns_case(struct check *c, int64_t t, int width, int from, int stride, bool add)
{
    check_begin(c, "t=%d c=%d from=%d stride=%d add=%d", (int)t, width, from, stride, add);
    struct array *x = check_cells(c, t * stride, FILL_RANDOM);
    struct array *y = check_sum_cells(c, t * stride, exact);

    while (check_next(c)) {
        c->k->copy_columns(c->k, t, width, kernels_at(c->k, at(c, x), from), stride,
                           kernels_at(c->k, at(c, y), stride - width - from), stride, add);
    }
    check_end_bytes(c, 8.0 * t * width);
}

static void check_columns(struct check *c)
{
    for (int add = 0; add < 2; add++) {
        columns_case(c, 0, 3, 0, 5, add);
        columns_case(c, 1, 1, 0, 1, add);
        columns_case(c, 7, 63, 1, 65, add);
        columns_case(c, 65, 64, 7, 130, add);
        columns_case(c, 63, 65, 0, 65, add);
        columns_case(c, 1030, 80, 16, 96, add);
    }
}

static void bench_columns(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    columns_case(c, 8192, 320, 320, 640, false);
    c->mode = MODE_BENCH_DEVICE;
    columns_case(c, 8192, 320, 320, 640, false);
    columns_case(c, 8192, 320, 320, 640, true);
}

static void upsample_case(struct check *c, bool backward, struct upsample_shape s)
{
    const int64_t small = (int64_t)s.n * s.h * s.w * s.c;
    const int64_t large = (int64_t)s.n * s.out_h * s.out_w * s.c;

    check_begin(c, "n=%d %dx%d to %dx%d c=%d", s.n, s.h, s.w, s.out_h, s.out_w, s.c);
    struct array *from = check_cells(c, backward ? large : small, FILL_INTEGER);
    struct array *to =
        backward ? check_sum_cells(c, small, exact) : check_output_cells(c, large, exact);

    while (check_next(c)) {
        if (backward) {
            c->k->upsample_backward(c->k, s, at(c, from), at(c, to));
        } else {
            c->k->upsample_forward(c->k, s, at(c, from), at(c, to));
        }
    }
    check_end_bytes(c, 4.0 * (small + large));
}

static const struct upsample_shape upsample_sizes[] = {
    {1, 1, 1, 1, 1, 1}, {2, 3, 5, 7, 6, 10},   {1, 4, 4, 65, 7, 7}, {3, 9, 9, 64, 17, 17},
    {0, 2, 2, 4, 4, 4}, {1, 5, 3, 33, 15, 12}, {1, 7, 7, 8, 4, 3},
};

static void check_upsample_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(upsample_sizes); i++) {
        upsample_case(c, false, upsample_sizes[i]);
    }
}

static void check_upsample_backward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(upsample_sizes); i++) {
        upsample_case(c, true, upsample_sizes[i]);
    }
}

static void bench_upsample_forward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    upsample_case(c, false, (struct upsample_shape){2, 32, 32, 640, 64, 64});
    c->mode = MODE_BENCH_DEVICE;
    upsample_case(c, false, (struct upsample_shape){2, 32, 32, 640, 64, 64});
}

static void bench_upsample_backward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    upsample_case(c, true, (struct upsample_shape){2, 32, 32, 640, 64, 64});
    c->mode = MODE_BENCH_DEVICE;
    upsample_case(c, true, (struct upsample_shape){2, 32, 32, 640, 64, 64});
}

const struct test test_activation_forward = {check_activation_forward, bench_activation_forward};
const struct test test_activation_backward = {check_activation_backward, bench_activation_backward};
const struct test test_geglu_forward = {check_geglu_forward, bench_geglu_forward};
const struct test test_geglu_backward = {check_geglu_backward, bench_geglu_backward};
const struct test test_add = {check_add, bench_add};
const struct test test_accumulate = {check_accumulate, bench_accumulate};
const struct test test_add_row_forward = {check_row_forward, bench_row_forward};
const struct test test_add_row_backward = {check_row_backward, bench_row_backward};
const struct test test_copy_columns = {check_columns, bench_columns};
const struct test test_upsample_forward = {check_upsample_forward, bench_upsample_forward};
const struct test test_upsample_backward = {check_upsample_backward, bench_upsample_backward};
