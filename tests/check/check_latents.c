/* check_latents.c: random numbers, latents with them, guidance, the steps of samplers and what a mask holds. */
#include "tests/check/check.h"

#include <math.h>

// sums of few products, of two orders at most
static const struct bound close_values = {.relative = 1e-6, .absolute = 1e-6};

static struct sampler_factors some_factors(struct check *c)
{
    struct sampler_factors f = {.input_scale = 0.7,
                                .original_latents = 1.3,
                                .original_prediction = -0.9,
                                .clip = INFINITY,
                                .divisor = 1,
                                .keep = 0.8,
                                .add = 0.6,
                                .steps = 3,
                                .left = 1};

    for (int term = 0; term < TERMS; term++) {
        f.next[term] = check_uniform(c) - 0.5;
        for (int j = 0; j < SAMPLER_KEPT; j++) {
            f.kept[j][term] = check_uniform(c) - 0.5;
        }
    }
    return f;
}

static struct array *check_factors(struct check *c, const struct sampler_factors *f)
{
    return check_raw(c, ROLE_INPUT, sizeof *f, f);
}

/* ---- what the network sees ---- */

static void input_case(struct check *c, struct latents_shape s, bool has_more)
{
    check_begin(c, "n=%d t=%d c=%d more=%d", s.n, (int)s.t, s.c, has_more ? s.more_c : -s.more_c);
    const struct sampler_factors f = some_factors(c);
    struct array *factors = check_factors(c, &f);
    struct array *latents = check_input(c, s.t * s.c, FILL_RANDOM);
    struct array *more = has_more ? check_input(c, s.t * s.more_c, FILL_RANDOM) : NULL;
    struct array *y = check_output_cells(c, s.n * s.t * (s.c + s.more_c), (struct bound){0});

    while (check_next(c)) {
        c->k->latents_input(c->k, s, at(c, factors), at(c, latents), at(c, more), at(c, y));
    }
    check_end_bytes(c, 8.0 * s.n * s.t * (s.c + s.more_c));
}

static void check_input_of_network(struct check *c)
{
    input_case(c, (struct latents_shape){.n = 2, .t = 0, .c = 4}, false);
    input_case(c, (struct latents_shape){.n = 1, .t = 1, .c = 4}, false);
    input_case(c, (struct latents_shape){.n = 2, .t = 65, .c = 4}, false);
    input_case(c, (struct latents_shape){.n = 2, .t = 63, .c = 4, .more_c = 5}, true);
    input_case(c, (struct latents_shape){.n = 2, .t = 63, .c = 4, .more_c = 5}, false);
}

/* ---- guidance ---- */

static void guide_case(struct check *c, struct latents_shape s, bool has_weight, bool last)
{
    const int64_t count = s.t * s.c;

    check_begin(c, "n=%d t=%d c=%d weight=%d last=%d", s.n, (int)s.t, s.c, has_weight, last);
    struct array *weight = has_weight ? check_input(c, s.t, FILL_POSITIVE) : NULL;
    struct array *prediction = check_cells(c, s.n * count, FILL_RANDOM);
    struct array *both = check_sum(c, s.n * count, close_values);
    // a difference times 7.5
    const struct bound far = {.relative = 1e-6, .absolute = 1e-5};
    struct array *guided = last ? check_output(c, count, far) : NULL;

    while (check_next(c)) {
        c->k->latents_guide(c->k, s, 7.5F, at(c, weight), at(c, prediction), at(c, both),
                            at(c, guided));
    }
    check_end_bytes(c, 16.0 * s.n * count);
}

static void check_guide(struct check *c)
{
    for (int n = 1; n <= 2; n++) {
        guide_case(c, (struct latents_shape){.n = n, .t = 0, .c = 4}, false, true);
        guide_case(c, (struct latents_shape){.n = n, .t = 1, .c = 4}, false, true);
        guide_case(c, (struct latents_shape){.n = n, .t = 77, .c = 4}, true, true);
        guide_case(c, (struct latents_shape){.n = n, .t = 77, .c = 3}, true, false);
    }
}

// constant: a prediction without any deviation
static void rescale_case(struct check *c, int64_t count, double share, bool constant)
{
    check_begin(c, "count=%d share=%g constant=%d", (int)count, share, constant);
    struct array *conditional = check_input(c, count, FILL_RANDOM);
    struct array *guided = check_sum(c, count, close_values);

    while (check_next(c)) {
        if (constant) {
            c->k->zero(c->k, at(c, guided), (size_t)count * sizeof(real));
        }
        c->k->latents_rescale(c->k, count, share, at(c, conditional), at(c, guided));
    }
    check_end_bytes(c, 20.0 * count);
}

static void check_rescale(struct check *c)
{
    static const int64_t counts[] = {0, 1, 65, 4097};

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        rescale_case(c, counts[i], 0.7, false);
        rescale_case(c, counts[i], 1, false);
    }
    rescale_case(c, 65, 0.7, true);
}

/* ---- steps ---- */

// in_place: from and latents are one array
static void step_case(struct check *c, int64_t count, int n_kept, bool noisy, bool in_place)
{
    check_begin(c, "count=%d kept=%d noise=%d in_place=%d", (int)count, n_kept, noisy, in_place);
    struct sampler_factors f = some_factors(c);
    if (!in_place) {
        f.clip = 0.5;
        f.divisor = 0.75;
    }
    struct array *factors = check_factors(c, &f);
    struct array *prediction = check_input(c, count, FILL_RANDOM);
    struct array *noise = noisy ? check_input(c, count, FILL_RANDOM) : NULL;
    struct array *from = in_place ? NULL : check_input(c, count, FILL_RANDOM);
    // begins with values
    struct array *latents = check_sum(c, count, close_values);
    struct array *kept = check_sum(c, n_kept * count, close_values);
    struct array *original = in_place ? NULL : check_output(c, count, close_values);

    while (check_next(c)) {
        c->k->latents_step(c->k, count, n_kept, at(c, factors), at(c, prediction), at(c, noise),
                           in_place ? at(c, latents) : at(c, from), at(c, latents), at(c, kept),
                           at(c, original));
    }
    check_end_bytes(c, 4.0 * (double)((4 + 2 * n_kept) * count));
}

static void check_steps(struct check *c)
{
    static const int64_t counts[] = {0, 1, 257, 4096};

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        step_case(c, counts[i], 0, false, true);
        step_case(c, counts[i], 2, true, true);
        step_case(c, counts[i], SAMPLER_KEPT, true, false);
    }
}

/* ---- random numbers ---- */

static void normals_case(struct check *c, int64_t count, struct normals_key wanted)
{
    check_begin(c, "count=%d stream=%u", (int)count, wanted.stream);
    struct array *key = check_raw(c, ROLE_INPUT, sizeof wanted, &wanted);
    // the same bits
    struct array *out = check_output(c, count, (struct bound){0});

    while (check_next(c)) {
        c->k->normals(c->k, count, at(c, key), at(c, out));
    }
    check_end_bytes(c, 4.0 * (double)count);
}

static void check_normals(struct check *c)
{
    normals_case(c, 0, (struct normals_key){0});
    normals_case(c, 1, (struct normals_key){.seed = 1, .stream = 17});
    normals_case(c, 3, (struct normals_key){.seed = UINT64_MAX, .step = 9, .stream = 1});
    // words at both ends of their range come among so many
    normals_case(c, 30002,
                 (struct normals_key){
                     .seed = UINT64_C(0x123456789abcdef), .step = UINT64_MAX, .stream = 255});
}

/* ---- latents with noise ---- */

static void fill_row(struct check *c, int64_t count, int i, bool offset, struct latents_row *row)
{
    const uint64_t step = (uint64_t)i << 40;

    *row = (struct latents_row){.mean = i * count,
                                // of every other row latents are the mean
                                .deviation = i % 2 == 0 ? (i + 1) * count : -1,
                                .of_latents = {.seed = 7, .step = step, .stream = 3},
                                .of_noise = {.seed = UINT64_MAX, .step = step, .stream = 4},
                                .of_channels = {.seed = 7, .step = step, .stream = 5},
                                .offset = offset ? 0.1 : 0,
                                .noisy_latents = check_uniform(c),
                                .noisy_noise = check_uniform(c),
                                .target_latents = -check_uniform(c),
                                .target_noise = check_uniform(c)};
}

static void draw_case(struct check *c, struct latents_shape s, bool offset, bool aims)
{
    const int64_t count = s.t * s.c;
    g_autofree struct latents_row *all = g_new(struct latents_row, s.n);

    check_begin(c, "n=%d t=%d c=%d offset=%d target=%d", s.n, (int)s.t, s.c, offset, aims);
    for (int i = 0; i < s.n; i++) {
        fill_row(c, count, i, offset, &all[i]);
    }
    struct array *rows = check_raw(c, ROLE_INPUT, (size_t)s.n * sizeof *all, all);
    struct array *moments = check_input(c, (s.n + 1) * count, FILL_RANDOM);
    // the same bits
    struct array *noisy = check_output_cells(c, s.n * count, (struct bound){0});
    struct array *target = aims ? check_output(c, s.n * count, (struct bound){0}) : NULL;

    while (check_next(c)) {
        c->k->latents_draw(c->k, s, at(c, rows), at(c, moments), at(c, noisy), at(c, target));
    }
    check_end_bytes(c, 24.0 * (double)(s.n * count));
}

static void check_draw(struct check *c)
{
    draw_case(c, (struct latents_shape){.n = 2, .t = 0, .c = 4}, false, true);
    draw_case(c, (struct latents_shape){.n = 1, .t = 1, .c = 4}, false, true);
    draw_case(c, (struct latents_shape){.n = 3, .t = 65, .c = 4}, true, true);
    // a block of normals in two places, and one that a row does not fill
    draw_case(c, (struct latents_shape){.n = 2, .t = 63, .c = 3}, true, false);
    draw_case(c, (struct latents_shape){.n = 3, .t = 7, .c = 9}, true, true);
}

/* ---- what is held ---- */

static void hold_case(struct check *c, int64_t t, int channels)
{
    g_autofree real *steps = g_new(real, MAX(t, 1));

    check_begin(c, "t=%d c=%d", (int)t, channels);
    const struct sampler_factors f = some_factors(c);
    // on both sides of a third, and on it
    for (int64_t i = 0; i < t; i++) {
        steps[i] = (real)(i % 4) / 3;
    }
    struct array *factors = check_factors(c, &f);
    struct array *mask = check_raw(c, ROLE_INPUT, (size_t)t * sizeof *steps, steps);
    struct array *init = check_input(c, t * channels, FILL_RANDOM);
    struct array *noise = check_input(c, t * channels, FILL_RANDOM);
    struct array *latents = check_sum(c, t * channels, close_values);

    while (check_next(c)) {
        c->k->latents_hold(c->k, t, channels, at(c, factors), at(c, mask), at(c, init),
                           at(c, noise), at(c, latents));
    }
    check_end_bytes(c, 12.0 * (double)(t * channels));
}

static void check_hold(struct check *c)
{
    hold_case(c, 0, 4);
    hold_case(c, 1, 4);
    hold_case(c, 130, 4);
}

const struct test test_normals = {.check = check_normals};
const struct test test_latents_draw = {.check = check_draw};
const struct test test_latents_input = {.check = check_input_of_network};
const struct test test_latents_guide = {.check = check_guide};
const struct test test_latents_rescale = {.check = check_rescale};
const struct test test_latents_step = {.check = check_steps};
const struct test test_latents_hold = {.check = check_hold};
