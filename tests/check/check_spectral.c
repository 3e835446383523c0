/* check_spectral.c: what lies between the two factors of a shifted weight, embeddings, loss and
 * optimiser. */
#include "tests/check/check.h"

#include <math.h>

static const struct bound exact = {0};
static const struct bound close_sums = {.nmse = 1e-12};

static const int row_sizes[][2] = {{0, 7}, {1, 1}, {7, 63}, {65, 1}, {63, 65}, {1025, 130}};
static const int64_t counts[] = {0, 1, 7, 63, 65, 4097, 70001};

static void gain_case(struct check *c, int count)
{
    check_begin(c, "count=%d", count);
    struct array *sigma = check_input(c, count, FILL_POSITIVE);
    struct array *shift = check_input(c, count, FILL_INTEGER);
    struct array *gain = check_output(c, count, (struct bound){.relative = 1e-6, .absolute = 1e-6});

    while (check_next(c)) {
        c->k->shift_gain(c->k, count, at(c, sigma), at(c, shift), (real)0.7, at(c, gain));
    }
    check_end_bytes(c, 12.0 * count);
}

static void check_gain(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        gain_case(c, (int)counts[i]);
    }
}

static void columns_case(struct check *c, enum kernels_type type, int64_t t, int r, bool in_place)
{
    check_begin(c, "type=%d t=%d r=%d in_place=%d", type, (int)t, r, in_place);
    struct array *x = in_place ? NULL : check_input_of(c, type, t * r, FILL_RANDOM);
    struct array *gain = check_input(c, r, FILL_RANDOM);
    struct array *y =
        in_place ? check_sum_of(c, type, t * r, exact) : check_output_of(c, type, t * r, exact);

    while (check_next(c)) {
        c->k->scale_columns(c->k, type, t, r, at(c, x ? x : y), at(c, gain), at(c, y));
    }
    check_end_bytes(c, 8.0 * t * r);
}

static void check_columns(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        columns_case(c, c->device->activation, row_sizes[i][0], row_sizes[i][1], false);
        columns_case(c, c->device->activation, row_sizes[i][0], row_sizes[i][1], true);
        columns_case(c, KERNELS_F32, row_sizes[i][0], row_sizes[i][1], false);
    }
}

static void bench_columns(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    columns_case(c, c->device->activation, 256, 320, false);
    c->mode = MODE_BENCH_DEVICE;
    columns_case(c, c->device->activation, 8192, 320, false);
    columns_case(c, c->device->activation, 512, 1280, false);
}

static void dot_case(struct check *c, enum kernels_type type, int64_t t, int r)
{
    check_begin(c, "type=%d t=%d r=%d", type, (int)t, r);
    struct array *p = check_input_of(c, type, t * r, FILL_RANDOM);
    struct array *q = check_input_of(c, type, t * r, FILL_RANDOM);
    struct array *gain = check_input(c, r, FILL_INTEGER); // some at most 0
    struct array *dshift = check_sum(c, r, close_sums);

    while (check_next(c)) {
        c->k->column_dot(c->k, type, t, r, at(c, p), at(c, q), at(c, gain), (real)0.5,
                         at(c, dshift));
    }
    check_end_bytes(c, 8.0 * t * r);
}

static void check_dot(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        dot_case(c, c->device->activation, row_sizes[i][0], row_sizes[i][1]);
        dot_case(c, KERNELS_F32, row_sizes[i][0], row_sizes[i][1]);
    }
}

static void bench_dot(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    dot_case(c, c->device->activation, 256, 320);
    c->mode = MODE_BENCH_DEVICE;
    dot_case(c, c->device->activation, 8192, 320);
    dot_case(c, c->device->activation, 512, 1280);
}

static void back_case(struct check *c, int64_t t, int r)
{
    check_begin(c, "t=%d r=%d", (int)t, r);
    struct array *p = check_sum_cells(c, t * r, exact); // becomes p * gain
    struct array *q = check_cells(c, t * r, FILL_RANDOM);
    struct array *gain = check_input(c, r, FILL_INTEGER); // some at most 0
    struct array *dshift = check_sum(c, r, close_sums);

    while (check_next(c)) {
        c->k->shift_backward(c->k, t, r, at(c, q), at(c, gain), at(c, p), at(c, dshift));
    }
    check_end_bytes(c, 12.0 * t * r);
}

static void check_back(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        back_case(c, row_sizes[i][0], row_sizes[i][1]);
    }
}

static void bench_back(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    back_case(c, 256, 320);
    c->mode = MODE_BENCH_DEVICE;
    back_case(c, 8192, 320);
    back_case(c, 512, 1280);
}

/* ---- embedding ---- */

#define VOCABULARY 11

static void embedding_case(struct check *c, int64_t t, int width, bool backward)
{
    g_autofree int32_t *numbers = g_new(int32_t, t + 1);

    check_begin(c, "t=%d c=%d", (int)t, width);
    for (int64_t i = 0; i < t; i++) {
        numbers[i] = (int32_t)(VOCABULARY * check_uniform(c));
    }
    struct array *ids = check_raw(c, ROLE_INPUT, (size_t)t * sizeof *numbers, numbers);
    struct array *from = backward ? check_cells(c, t * width, FILL_RANDOM)
                                  : check_input(c, VOCABULARY * width, FILL_RANDOM);
    struct array *to = backward ? check_sum(c, VOCABULARY * width, exact)
                                : check_output_cells(c, t * width, exact);

    while (check_next(c)) {
        if (backward) {
            c->k->embedding_backward(c->k, t, width, at(c, ids), at(c, from), at(c, to));
        } else {
            c->k->embedding_forward(c->k, t, width, at(c, ids), at(c, from), at(c, to));
        }
    }
    check_end_bytes(c, 8.0 * t * width);
}

static void check_embedding_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        embedding_case(c, row_sizes[i][0], row_sizes[i][1], false);
    }
}

static void check_embedding_backward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        embedding_case(c, row_sizes[i][0], row_sizes[i][1], true);
    }
}

// every second number of the vocabulary is chosen, the last first
static void chosen_case(struct check *c, int64_t t, int width, bool backward)
{
    const struct chosen_shape s = {.t = t, .c = width, .n = VOCABULARY / 2, .factor = (real)0.7};
    const struct bound bound = {.relative = 1e-6, .absolute = 1e-6};
    g_autofree int32_t *numbers = g_new(int32_t, t + 1);
    int32_t chosen[VOCABULARY / 2];

    check_begin(c, "t=%d c=%d", (int)t, width);
    for (int64_t i = 0; i < t; i++) {
        numbers[i] = (int32_t)(VOCABULARY * check_uniform(c));
    }
    for (int j = 0; j < s.n; j++) {
        chosen[j] = 2 * (s.n - j) - 1;
    }
    struct array *ids = check_raw(c, ROLE_INPUT, (size_t)t * sizeof *numbers, numbers);
    struct array *which = check_raw(c, ROLE_INPUT, sizeof chosen, chosen);
    struct array *from = backward ? check_cells(c, t * width, FILL_RANDOM)
                                  : check_input(c, s.n * width, FILL_RANDOM);
    struct array *to =
        backward ? check_sum(c, s.n * width, close_sums) : check_sum_cells(c, t * width, bound);

    while (check_next(c)) {
        if (backward) {
            c->k->chosen_rows_backward(c->k, s, at(c, ids), at(c, which), at(c, from), at(c, to));
        } else {
            c->k->chosen_rows_forward(c->k, s, at(c, ids), at(c, which), at(c, from), at(c, to));
        }
    }
    check_end_bytes(c, 8.0 * t * width);
}

static void check_chosen_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        chosen_case(c, row_sizes[i][0], row_sizes[i][1], false);
    }
}

static void check_chosen_backward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(row_sizes); i++) {
        chosen_case(c, row_sizes[i][0], row_sizes[i][1], true);
    }
}

/* ---- loss and optimiser ---- */

static void mse_case(struct check *c, int n, int64_t count, bool backward)
{
    check_begin(c, "n=%d count=%d dx=%d", n, (int)count, backward);
    struct array *x = check_cells(c, n * count, FILL_RANDOM);
    struct array *target = check_input(c, n * count, FILL_RANDOM);
    struct array *weight = check_input(c, n, FILL_POSITIVE);
    struct array *loss = check_output(c, n, close_sums);
    struct array *dx = backward ? check_sum_cells(c, n * count, close_sums) : NULL;

    while (check_next(c)) {
        c->k->mse(c->k, n, count, at(c, x), at(c, target), at(c, weight), at(c, loss), at(c, dx));
    }
    check_end_bytes(c, 8.0 * n * count);
}

static void check_mse(struct check *c)
{
    for (size_t i = 1; i < G_N_ELEMENTS(counts); i++) {
        mse_case(c, 1, counts[i], true);
        mse_case(c, 3, counts[i], true);
        mse_case(c, 3, counts[i], false);
    }
    mse_case(c, 0, 16, true);
}

// two calls: the first takes as many subjects as a head has channels
static void unmix_case(struct check *c, struct unmix_shape s, bool backward)
{
    static const int32_t few[] = {2, 1, 3}, all[] = {3, 0, 2};
    static const double factor[] = {0.5, 2, 0.25};
    const int subjects = s.n * s.slots, width = s.heads * s.d;

    check_begin(c, "places=%d heads=%d d=%d slots=%d scale=%d dx=%d", s.places, s.heads, s.d,
                s.slots, s.scale, backward);
    const int32_t *rows = s.slots == 3 ? few : all;
    struct array *shown = check_raw(c, ROLE_INPUT, (size_t)s.n * sizeof *rows, rows);
    struct array *share = check_raw(c, ROLE_INPUT, (size_t)s.n * sizeof *factor, factor);
    struct array *others = check_input(c, subjects * s.places, FILL_POSITIVE);
    struct array *x = check_cells(c, (int64_t)s.n * s.places * width, FILL_POSITIVE);
    struct array *map = check_doubles(c, subjects * s.places, close_sums);
    struct array *loss = check_doubles(c, subjects, close_sums);
    struct array *dx =
        backward ? check_sum_cells(c, (int64_t)s.n * s.places * width, close_sums) : NULL;

    while (check_next(c)) {
        for (s.first = 0; s.first < s.slots; s.first += s.d) {
            s.count = MIN(s.d, s.slots - s.first);
            c->k->unmix(c->k, s, at(c, shown), at(c, share), at(c, others), at(c, x), at(c, map),
                        at(c, loss), at(c, dx));
        }
    }
    check_end_bytes(c, 8.0 * s.n * s.places * width);
}

static void check_unmix(struct check *c)
{
    for (int scale = MAP_PLAIN; scale <= MAP_MAX; scale++) {
        const struct unmix_shape one = {.n = 2, .places = 1, .heads = 1, .d = 4, .slots = 4};
        const struct unmix_shape two = {.n = 3, .places = 65, .heads = 8, .d = 2, .slots = 3};
        const struct unmix_shape *const sizes[] = {&one, &two};

        for (size_t i = 0; i < 2 * G_N_ELEMENTS(sizes); i++) {
            struct unmix_shape s = *sizes[i / 2];

            s.scale = (enum map_scale)scale;
            unmix_case(c, s, i % 2);
        }
    }
}

static void squares_case(struct check *c, int64_t count)
{
    check_begin(c, "count=%d", (int)count);
    struct array *x = check_input(c, count, FILL_RANDOM);
    struct array *sum = check_doubles(c, 1, (struct bound){.relative = 1e-13});

    while (check_next(c)) {
        c->k->sum_squares(c->k, count, at(c, x), at(c, sum));
    }
    check_end_bytes(c, 4.0 * count);
}

static void check_squares(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        squares_case(c, counts[i]);
    }
}

static void bench_squares(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    squares_case(c, 1 << 18);
    c->mode = MODE_BENCH_DEVICE;
    squares_case(c, 1 << 18);
    squares_case(c, 1 << 23);
}

// every second span learns slower; the first and the last are short
static void adamw_case(struct check *c, int64_t count, int n, double limit, double divisor)
{
    const struct bound bound = {.relative = 1e-6, .absolute = 1e-8};
    const struct adamw_step fast = {.rate = 1e-3,
                                    .decay = 0.01,
                                    .beta1 = 0.9,
                                    .beta2 = 0.999,
                                    .epsilon = 1e-8,
                                    .correction1 = 1 - 0.9 * 0.9,
                                    .correction2 = 1 - 0.999 * 0.999,
                                    .limit = limit,
                                    .divisor = divisor};
    const double squares = 7.5;

    struct adamw_step steps[] = {fast, fast};
    g_autofree struct adamw_span *spans = g_new0(struct adamw_span, n);

    steps[1].rate /= 64;
    for (int i = 0; i < n; i++) {
        spans[i] = (struct adamw_span){i + 1 == n ? count : count * i / n + 1, i % 2};
    }
    check_begin(c, "count=%d spans=%d limit=%g divisor=%g", (int)count, n, limit, divisor);
    struct array *gradient = check_input(c, count, FILL_RANDOM);
    struct array *value = check_sum(c, count, bound), *m = check_sum(c, count, bound);
    struct array *v = check_sum(c, count, bound);
    struct array *sum = check_raw(c, ROLE_INPUT, sizeof squares, &squares);
    struct array *at_steps = check_raw(c, ROLE_INPUT, sizeof steps, steps);
    struct array *at_spans = check_raw(c, ROLE_INPUT, (size_t)n * sizeof *spans, spans);

    // the second moment is never negative: made so by an entry that is checked elsewhere
    while (check_next(c)) {
        c->k->shift_gain(c->k, (int)count, at(c, v), at(c, v), 0, at(c, v));
        c->k->adamw(c->k, count, n, at(c, at_spans), at(c, at_steps), at(c, sum), at(c, gradient),
                    at(c, value), at(c, m), at(c, v));
    }
    check_end_bytes(c, 28.0 * count);
}

static void check_adamw(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        adamw_case(c, counts[i], 1, 0, 4);
        if (counts[i] > 8) {
            adamw_case(c, counts[i], 2, 0.05, 8);
            adamw_case(c, counts[i], 7, 1e6, 8);
        }
    }
}

static void bench_adamw(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    adamw_case(c, 1 << 18, 1, 1, 1);
    c->mode = MODE_BENCH_DEVICE;
    adamw_case(c, 1 << 18, 1, 1, 1);
}

const struct test test_shift_gain = {.check = check_gain};
const struct test test_scale_columns = {check_columns, bench_columns};
const struct test test_shift_backward = {check_back, bench_back};
const struct test test_column_dot = {check_dot, bench_dot};
const struct test test_embedding_forward = {.check = check_embedding_forward};
const struct test test_embedding_backward = {.check = check_embedding_backward};
const struct test test_chosen_rows_forward = {.check = check_chosen_forward};
const struct test test_chosen_rows_backward = {.check = check_chosen_backward};
const struct test test_mse = {.check = check_mse};
const struct test test_sum_squares = {check_squares, bench_squares};
const struct test test_adamw = {check_adamw, bench_adamw};
const struct test test_unmix = {.check = check_unmix};
