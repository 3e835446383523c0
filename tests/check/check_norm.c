/* check_norm.c: group and layer normalisation. */
#include "tests/check/check.h"

static const struct bound close_sums = {.nmse = 1e-12};
static const struct bound close_values = {.nmse = 1e-11, .relative = 1e-5, .absolute = 1e-5};

static struct groupnorm_shape group_shape(int n, int64_t t, int c, int groups, bool silu)
{
    return (struct groupnorm_shape){
        .n = n, .t = t, .c = c, .groups = groups, .epsilon = (real)1e-5, .silu = silu};
}

static void begin_group(struct check *c, struct groupnorm_shape s)
{
    check_begin(c, "n=%d t=%d c=%d groups=%d silu=%d", s.n, (int)s.t, s.c, s.groups, s.silu);
}

static void group_forward_case(struct check *c, struct groupnorm_shape s)
{
    const int64_t count = s.n * s.t * s.c;

    begin_group(c, s);
    struct array *x = check_cells(c, count, FILL_POSITIVE);
    struct array *gain = check_input(c, s.c, FILL_RANDOM), *bias = check_input(c, s.c, FILL_RANDOM);
    struct array *y = check_output_cells(c, count, close_values);
    struct array *mean = check_output(c, (int64_t)s.n * s.groups, close_values);
    struct array *rstd = check_output(c, (int64_t)s.n * s.groups, close_values);

    while (check_next(c)) {
        c->k->groupnorm_forward(c->k, s, at(c, x), at(c, gain), at(c, bias), at(c, y), at(c, mean),
                                at(c, rstd));
    }
    check_end_bytes(c, 8.0 * count);
}

static void group_backward_case(struct check *c, struct groupnorm_shape s, bool input, bool gains)
{
    const int64_t count = s.n * s.t * s.c;

    begin_group(c, s);
    struct array *x = check_cells(c, count, FILL_RANDOM), *dy = check_cells(c, count, FILL_RANDOM);
    struct array *gain = check_input(c, s.c, FILL_RANDOM), *bias = check_input(c, s.c, FILL_RANDOM);
    struct array *mean = check_input(c, (int64_t)s.n * s.groups, FILL_RANDOM);
    struct array *rstd = check_input(c, (int64_t)s.n * s.groups, FILL_POSITIVE);
    struct array *dx = input ? check_sum_cells(c, count, close_sums) : NULL;
    struct array *dgain = gains ? check_sum(c, s.c, close_sums) : NULL;

    while (check_next(c)) {
        c->k->groupnorm_backward(c->k, s, at(c, x), at(c, gain), at(c, bias), at(c, mean),
                                 at(c, rstd), at(c, dy), at(c, dx), at(c, dgain));
    }
    check_end_bytes(c, 16.0 * count);
}

static const int group_sizes[][4] = {
    // n t c groups; of the last two the values of a group fill more than a few threads, and do not fit into a block
    {1, 1, 2, 1},     {2, 7, 6, 3}, {1, 63, 32, 32}, {3, 65, 70, 7},
    {2, 64, 320, 32}, {0, 7, 8, 2}, {1, 501, 20, 2}, {1, 1025, 48, 2},
};

static void check_group_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(group_sizes); i++) {
        const int *g = group_sizes[i];

        group_forward_case(c, group_shape(g[0], g[1], g[2], g[3], false));
        group_forward_case(c, group_shape(g[0], g[1], g[2], g[3], true));
    }
}

static void check_group_backward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(group_sizes); i++) {
        for (int form = 0; form < 8; form++) {
            const int *g = group_sizes[i];

            group_backward_case(c, group_shape(g[0], g[1], g[2], g[3], form & 1), form & 2,
                                form & 4);
        }
    }
}

static void bench_group_forward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    group_forward_case(c, group_shape(1, 256, 320, 32, true));
    c->mode = MODE_BENCH_DEVICE;
    group_forward_case(c, group_shape(2, 4096, 320, 32, true));
    group_forward_case(c, group_shape(2, 4096, 320, 32, false));
    group_forward_case(c, group_shape(2, 256, 1280, 32, true));
    group_forward_case(c, group_shape(1, 65536, 256, 32, true));
}

static void bench_group_backward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    group_backward_case(c, group_shape(1, 256, 320, 32, true), true, true);
    c->mode = MODE_BENCH_DEVICE;
    group_backward_case(c, group_shape(2, 4096, 320, 32, true), true, true);
    group_backward_case(c, group_shape(2, 4096, 320, 32, false), true, true);
    group_backward_case(c, group_shape(2, 256, 1280, 32, true), true, true);
}

/* ---- layer normalisation ---- */

static struct layernorm_shape layer_shape(int64_t t, int c)
{
    return (struct layernorm_shape){.t = t, .c = c, .epsilon = (real)1e-5};
}

static void layer_forward_case(struct check *c, struct layernorm_shape s)
{
    const int64_t count = s.t * s.c;

    check_begin(c, "t=%d c=%d", (int)s.t, s.c);
    struct array *x = check_cells(c, count, FILL_POSITIVE);
    struct array *gain = check_input(c, s.c, FILL_RANDOM), *bias = check_input(c, s.c, FILL_RANDOM);
    struct array *y = check_output_cells(c, count, close_values);
    struct array *mean = check_output(c, s.t, close_values);
    struct array *rstd = check_output(c, s.t, close_values);

    while (check_next(c)) {
        c->k->layernorm_forward(c->k, s, at(c, x), at(c, gain), at(c, bias), at(c, y), at(c, mean),
                                at(c, rstd));
    }
    check_end_bytes(c, 8.0 * count);
}

static void layer_backward_case(struct check *c, struct layernorm_shape s, bool input, bool gains)
{
    const int64_t count = s.t * s.c;

    check_begin(c, "t=%d c=%d dx=%d dgain=%d", (int)s.t, s.c, input, gains);
    struct array *x = check_cells(c, count, FILL_RANDOM), *dy = check_cells(c, count, FILL_RANDOM);
    struct array *gain = check_input(c, s.c, FILL_RANDOM);
    struct array *mean = check_input(c, s.t, FILL_RANDOM);
    struct array *rstd = check_input(c, s.t, FILL_POSITIVE);
    struct array *dx = input ? check_sum_cells(c, count, close_sums) : NULL;
    struct array *dgain = gains ? check_sum(c, s.c, close_sums) : NULL;

    while (check_next(c)) {
        c->k->layernorm_backward(c->k, s, at(c, x), at(c, gain), at(c, mean), at(c, rstd),
                                 at(c, dy), at(c, dx), at(c, dgain));
    }
    check_end_bytes(c, 16.0 * count);
}

static const int layer_sizes[][2] = {{1, 1},   {7, 7},  {63, 65},   {1, 320},
                                     {65, 63}, {0, 16}, {1025, 33}, {77, 768}};

static void check_layer_forward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layer_sizes); i++) {
        layer_forward_case(c, layer_shape(layer_sizes[i][0], layer_sizes[i][1]));
    }
}

static void check_layer_backward(struct check *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layer_sizes); i++) {
        for (int form = 0; form < 4; form++) {
            layer_backward_case(c, layer_shape(layer_sizes[i][0], layer_sizes[i][1]), form & 1,
                                form & 2);
        }
    }
}

static void bench_layer_forward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    layer_forward_case(c, layer_shape(256, 320));
    c->mode = MODE_BENCH_DEVICE;
    layer_forward_case(c, layer_shape(8192, 320));
    layer_forward_case(c, layer_shape(512, 1280));
}

static void bench_layer_backward(struct check *c)
{
    c->mode = MODE_BENCH_REFERENCE;
    layer_backward_case(c, layer_shape(256, 320), true, true);
    c->mode = MODE_BENCH_DEVICE;
    layer_backward_case(c, layer_shape(8192, 320), true, true);
    layer_backward_case(c, layer_shape(512, 1280), true, true);
}

const struct test test_groupnorm_forward = {check_group_forward, bench_group_forward};
const struct test test_groupnorm_backward = {check_group_backward, bench_group_backward};
const struct test test_layernorm_forward = {check_layer_forward, bench_layer_forward};
const struct test test_layernorm_backward = {check_layer_backward, bench_layer_backward};
