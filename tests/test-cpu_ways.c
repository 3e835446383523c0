/* Whether the CPU's table has a fast way for what networks ask of it: the shapes of Stable Diffusion
 * in each type, with few pixels, on a table whose slow last resort, the reference, is counted. What is
 * computed is compared elsewhere (tests/check). */
#include "kernels/cpu.h"

// entries of the reference that fast entries fell back to since the last look
static const char *slow;

// the reference's own, which are computed all the same
static kernels reference;

#define UNPACK(...) __VA_ARGS__
#define ENTRY(name, kind, work, arguments, ...)                                                    \
    static void slow_##name(const kernels *k, __VA_ARGS__)                                         \
    {                                                                                              \
        slow = #name;                                                                              \
        reference.name(k, UNPACK arguments);                                                       \
    }
#include "kernels/entries.h"
#undef ENTRY

static kernels *watched_cpu(enum kernels_precision precision)
{
    g_autoptr(GError) error = NULL;
    kernels *k = kernels_cpu(2, precision, &error);

    g_assert_no_error(error);
    reference = cpu_device(k)->reference;
#define ENTRY(name, ...) cpu_device(k)->reference.name = slow_##name;
#include "kernels/entries.h"
#undef ENTRY
    return k;
}

/* ---- the arrays of a call ---- */

#define ARRAYS 10

struct arrays {
    const kernels *k;
    void *memory[ARRAYS];
    size_t bytes[ARRAYS];
    int count;
};

// zeroed values of the type, released by `done`
static void *values(struct arrays *a, int64_t count, enum kernels_type type)
{
    const size_t bytes = (size_t)count * kernels_size(type);
    void *memory = a->k->alloc(a->k, bytes);

    g_assert_nonnull(memory);
    g_assert_cmpint(a->count, <, ARRAYS);
    a->memory[a->count] = memory;
    a->bytes[a->count++] = bytes;
    return memory;
}

static cell *cells(struct arrays *a, int64_t count)
{
    return values(a, count, a->k->activation);
}

static void done(struct arrays *a)
{
    for (int i = 0; i < a->count; i++) {
        a->k->release(a->k, a->memory[i], a->bytes[i]);
    }
}

static void expect_fast(const char *what)
{
    if (slow) {
        g_test_message("%s: %s of the reference", what, slow);
        g_test_fail();
    }
    slow = NULL;
}

/* ---- shapes ---- */

static void try_linear(const kernels *k, struct linear_shape s)
{
    struct arrays a = {.k = k};
    g_autofree char *what = g_strdup_printf("t=%d in=%d out=%d", (int)s.t, s.in, s.out);
    const struct kernels_weight w = {values(&a, (int64_t)s.in * s.out, k->weight), k->weight};
    cell *x = cells(&a, s.t * s.in), *y = cells(&a, s.t * s.out);

    k->linear_forward(k, s, x, w, NULL, y);
    k->linear_forward(k, s, x, w, values(&a, s.out, KERNELS_F32), y);
    k->linear_backward_input(k, s, y, w, x);
    expect_fast(what);
    done(&a);
}

static void try_linears(const kernels *k)
{
    static const int rows[] = {1, 77, 256, 1024};
    static const int widths[][2] = {
        {320, 320},   {320, 2560},  {1280, 320}, {768, 320},  {640, 640},
        {1280, 1280}, {5120, 1280}, {768, 768},  {768, 3072}, {512, 512},
        {32, 32},     {64, 512},    {48, 64},    {1024, 640}, {160, 640},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(widths); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(rows); j++) {
            try_linear(k, (struct linear_shape){rows[j], widths[i][0], widths[i][1]});
        }
    }
}

static void try_conv(const kernels *k, struct conv_shape s)
{
    struct arrays a = {.k = k};
    g_autofree char *what =
        g_strdup_printf("h=%d c=%d out=%d kernel=%d stride=%d", s.h, s.c, s.out, s.kh, s.stride);
    const int64_t weights = (int64_t)s.out * s.kh * s.kw * s.c;
    const struct kernels_weight w = {values(&a, weights, k->weight), k->weight};
    cell *x = cells(&a, (int64_t)s.n * s.h * s.w * s.c),
         *y = cells(&a, (int64_t)s.n * s.out_h * s.out_w * s.out);

    k->conv_forward(k, s, x, w, values(&a, s.out, KERNELS_F32), y);
    k->conv_backward_input(k, s, y, w, x);
    expect_fast(what);
    done(&a);
}

static void try_convs(const kernels *k)
{
    static const struct {
        int size, c, out, kernel, stride;
    } cases[] = {
        {32, 4, 320, 3, 1},    {32, 320, 320, 3, 1},  {32, 320, 320, 3, 2},  {16, 640, 640, 3, 1},
        {8, 1280, 1280, 3, 1}, {8, 2560, 1280, 3, 1}, {4, 1280, 1280, 3, 2}, {32, 320, 4, 3, 1},
        {16, 960, 640, 1, 1},  {32, 512, 512, 3, 1},  {64, 128, 3, 3, 1},    {64, 3, 128, 3, 1},
        {32, 4, 4, 1, 1},      {16, 32, 32, 3, 1},    {8, 48, 96, 3, 1},     {64, 128, 128, 3, 2},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const int size = cases[i].size, out = size / cases[i].stride;

        try_conv(k, (struct conv_shape){.n = 2,
                                        .h = size,
                                        .w = size,
                                        .c = cases[i].c,
                                        .out_h = out,
                                        .out_w = out,
                                        .out = cases[i].out,
                                        .kh = cases[i].kernel,
                                        .kw = cases[i].kernel,
                                        .stride = cases[i].stride,
                                        .pad_top = cases[i].kernel / 2,
                                        .pad_left = cases[i].kernel / 2});
    }
}

static void try_attention(const kernels *k, struct attention_shape s)
{
    struct arrays a = {.k = k};
    g_autofree char *what =
        g_strdup_printf("tq=%d tk=%d heads=%d d=%d causal=%d", s.tq, s.tk, s.heads, s.d, s.causal);
    const int64_t width = (int64_t)s.heads * s.d;
    cell *q = cells(&a, s.n * s.tq * width), *key = cells(&a, s.n * s.tk * width),
         *v = cells(&a, s.n * s.tk * width), *y = cells(&a, s.n * s.tq * width),
         *dq = cells(&a, s.n * s.tq * width), *dkey = cells(&a, s.n * s.tk * width),
         *dv = cells(&a, s.n * s.tk * width);
    real *lse = values(&a, (int64_t)s.n * s.heads * s.tq, KERNELS_F32);

    k->attention_forward(k, s, q, key, v, y, lse);
    k->attention_backward(k, s, q, key, v, y, lse, y, dq, dkey, dv);
    expect_fast(what);
    done(&a);
}

static void try_attentions(const kernels *k)
{
    static const int cases[][5] = {
        // tq, tk, heads, d, causal
        {256, 256, 8, 40, 0}, {64, 64, 8, 80, 0},    {64, 64, 8, 160, 0},
        {256, 77, 8, 40, 0},  {64, 77, 8, 160, 0},   {128, 77, 5, 64, 0},
        {77, 77, 12, 64, 1},  {256, 256, 1, 512, 0}, {64, 64, 2, 16, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        try_attention(k, (struct attention_shape){.n = 2,
                                                  .tq = cases[i][0],
                                                  .tk = cases[i][1],
                                                  .heads = cases[i][2],
                                                  .d = cases[i][3],
                                                  .causal = cases[i][4],
                                                  .scale = 0.125f});
    }
}

static void test_ways(gconstpointer precision)
{
    if (GPOINTER_TO_INT(precision) == KERNELS_IN_BF16 && !kernels_cpu_has_bf16()) {
        g_test_skip("this CPU has no bfloat16 instructions");
        return;
    }
    g_autoptr(kernels) k = watched_cpu(GPOINTER_TO_INT(precision));

    try_linears(k);
    try_convs(k);
    try_attentions(k);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/cpu_ways/f32", GINT_TO_POINTER(KERNELS_IN_F32), test_ways);
    g_test_add_data_func("/cpu_ways/bf16", GINT_TO_POINTER(KERNELS_IN_BF16), test_ways);
    return g_test_run();
}
