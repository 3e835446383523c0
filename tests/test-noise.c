/* noise: Philox against its published test vectors, what is made of it against its definition; PyTorch's
 * generator against itself (tests/fixtures/make_noise.py). */
#include "engine/base/noise.h"

#include "engine/generate/draws.h"

#include <glib.h>
#include <math.h>
#include <string.h>

// Random123's kat_vectors, philox4x32 10
static void test_vectors(void)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        uint32_t out[4];
        noise_philox(known[i].counter, known[i].key, out);
        g_assert_cmpmem(out, sizeof out, known[i].out, sizeof known[i].out);
    }
}

// the layout of key and counter, and Box-Muller by the library's functions
static void test_normal_definition(void)
{
    const uint64_t seed = 0x0123456789abcdefu, step = 0xfedcba9876543210u;
    enum { COUNT = 4001 };
    g_autofree float *out = g_new(float, COUNT + 1);

    out[COUNT] = 77;
    noise_normal(seed, NOISE_CUT_MIX, step, out, COUNT);
    g_assert_cmpfloat(out[COUNT], ==, 77);
    for (uint32_t i = 0; i < COUNT; i += 2) {
        const uint32_t key[2] = {0x89abcdef, 0x01234567};
        const uint32_t counter[4] = {i / 4, NOISE_CUT_MIX, 0x76543210, 0xfedcba98};
        uint32_t words[4];
        noise_philox(counter, key, words);
        double u = (words[i % 4] + 1.0) / 4294967296.0, v = words[i % 4 + 1] / 4294967296.0;
        double radius = sqrt(-2 * log(u)), angle = 2 * acos(-1) * v;
        g_assert_cmpfloat_with_epsilon(out[i], radius * cos(angle), 5e-7);
        if (i + 1 < COUNT) {
            g_assert_cmpfloat_with_epsilon(out[i + 1], radius * sin(angle), 5e-7);
        }
    }
}

// bits that must stay for ever: a seed means the same picture on every machine
static void test_normal_bits(void)
{
    static const uint32_t expected[8] = {0x3f9d54f6, 0xbfcee929, 0x3eede2d2, 0xbfc7bfcb,
                                         0xbf71b013, 0x3f42c038, 0xbfc66bc6, 0xbf43ed28};
    float out[8];

    noise_normal(1234, NOISE_INITIAL_LATENTS, 0, out, 4);
    noise_normal(1234, NOISE_TRAINING, 7, out + 4, 4);
    g_assert_cmpmem(out, sizeof out, expected, sizeof expected);
}

/* Mean, variance, skewness and kurtosis of n normals lie within five standard errors; so does the
 * share beyond one, two and three deviations. */
static void test_moments(void)
{
    enum { N = 1 << 20 };
    static const double share[3] = {0.31731051, 0.04550026, 0.00269980};
    g_autofree float *x = g_new(float, N);
    double sum[5] = {0};
    int beyond[3] = {0};

    noise_normal(99, NOISE_TRAINING, 3, x, N);
    for (int i = 0; i < N; i++) {
        for (int p = 1; p <= 4; p++) {
            sum[p] += pow(x[i], p) / N;
        }
        for (int k = 0; k < 3; k++) {
            beyond[k] += fabs((double)x[i]) > k + 1;
        }
    }
    double error = 5 / sqrt(N);
    g_assert_cmpfloat(fabs(sum[1]), <, error);
    g_assert_cmpfloat(fabs(sum[2] - 1), <, error * sqrt(2));
    g_assert_cmpfloat(fabs(sum[3]), <, error * sqrt(15));
    g_assert_cmpfloat(fabs(sum[4] - 3), <, error * sqrt(96));
    for (int k = 0; k < 3; k++) {
        double p = share[k];
        g_assert_cmpfloat(fabs((double)beyond[k] / N - p), <, error * sqrt(p * (1 - p)));
    }
}

static double correlation(const float *a, const float *b, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++) {
        sum += (double)a[i] * b[i] / n;
    }
    return sum;
}

// another seed, stream or step (also in their upper words) is another, uncorrelated sequence
static void test_independence(void)
{
    enum { N = 1 << 16, SEQUENCES = 8 };
    static const struct {
        uint64_t seed;
        enum noise_stream stream;
        uint64_t step;
    } of[SEQUENCES] = {
        {1, NOISE_TRAINING, 1},
        {2, NOISE_TRAINING, 1},
        {1, NOISE_TRAINING, 2},
        {1, NOISE_TIMESTEP, 1},
        {1 + (1ull << 32), NOISE_TRAINING, 1},
        {1, NOISE_TRAINING, 1 + (1ull << 32)},
        {0, NOISE_TRAINING, 0},
        {1ull << 32, NOISE_TRAINING, 1ull << 32},
    };
    g_autofree float *x = g_new(float, N *SEQUENCES);

    for (int s = 0; s < SEQUENCES; s++) {
        noise_normal(of[s].seed, of[s].stream, of[s].step, x + s * N, N);
        // neighbours within a sequence
        for (int lag = 1; lag <= 4; lag++) {
            double c = correlation(x + s * N, x + s * N + lag, N - lag);
            g_assert_cmpfloat(fabs(c), <, 5 / sqrt(N));
        }
    }
    for (int a = 0; a < SEQUENCES; a++) {
        for (int b = 0; b < a; b++) {
            g_assert_cmpfloat(fabs(correlation(x + a * N, x + b * N, N)), <, 5 / sqrt(N));
        }
    }
}

// a number depends on its own place alone
static void test_repeatable(void)
{
    float all[37], some[10];

    noise_normal(5, NOISE_SAMPLER_STEP, 4, all, 37);
    noise_normal(5, NOISE_SAMPLER_STEP, 4, some, 10);
    g_assert_cmpmem(all, sizeof some, some, sizeof some);
    g_assert_cmpfloat(noise_uniform(5, NOISE_CROP, 1, 9), ==, noise_uniform(5, NOISE_CROP, 1, 9));
}

static void test_uniform(void)
{
    enum { N = 100000, BINS = 16 };
    int bins[BINS] = {0};
    double chi = 0;

    for (int i = 0; i < N; i++) {
        double u = noise_uniform(3, NOISE_CROP, 5, (uint64_t)i);
        g_assert_true(u >= 0 && u < 1);
        bins[(int)(u * BINS)]++;
    }
    for (int b = 0; b < BINS; b++) {
        chi += pow(bins[b] - (double)N / BINS, 2) / ((double)N / BINS);
    }
    g_assert_cmpfloat(chi, <, 45); // 15 degrees of freedom: 1 in 10,000
}

static void test_integer(void)
{
    enum { N = 70000, SIDES = 7 };
    int counts[SIDES] = {0};
    double chi = 0;

    for (int i = 0; i < N; i++) {
        int k = noise_integer(3, NOISE_TIMESTEP, (uint64_t)i, 0, SIDES);
        g_assert_true(k >= 0 && k < SIDES);
        counts[k]++;
    }
    for (int k = 0; k < SIDES; k++) {
        chi += pow(counts[k] - (double)N / SIDES, 2) / ((double)N / SIDES);
    }
    g_assert_cmpfloat(chi, <, 28); // 6 degrees of freedom: 1 in 10,000
    g_assert_cmpint(noise_integer(1, NOISE_TIMESTEP, 0, 0, 1), ==, 0);
}

/* 2^32 is 2 2/3 times this bound, so every fourth word has to be thrown away: a plain product would
 * prefer one third of the values, a remainder the lower two thirds. */
static void test_integer_unbiased(void)
{
    enum { N = 20000, BOUND = 0x60000000 };
    int third = 0;
    double mean = 0;

    for (int i = 0; i < N; i++) {
        int k = noise_integer(8, NOISE_ORDER, 2, (uint64_t)i, BOUND);
        third += k % 3 == 0;
        mean += (double)k / BOUND / N;
    }
    g_assert_cmpfloat(fabs((double)third / N - 1 / 3.0), <, 5 * sqrt(2 / 9.0 / N));
    g_assert_cmpfloat(fabs(mean - 0.5), <, 5 * sqrt(1 / 12.0 / N));
}

/* ---- PyTorch's ---- */

#define TORCH_STRIDE 397 // of the values that the fixture has of long draws, beside the last
#define TORCH_LAST   20
#define TORCH_SHORT  40

// SEED COUNT VALUES: one draw of a generator that goes on from line to line
static void check_torch_line(struct torch_noise *n, char **words)
{
    const int64_t count = g_ascii_strtoll(words[1], NULL, 10);
    g_autofree float *out = g_new(float, (gsize)count + 1);
    char **word = words + 2;

    out[count] = 77;
    torch_noise_normal(n, out, count);
    g_assert_cmpfloat(out[count], ==, 77);
    for (int64_t i = 0; i < count; i++) {
        const bool shown = count <= TORCH_SHORT || i >= count - TORCH_LAST || i % TORCH_STRIDE == 0;
        if (shown) {
            const double expected = g_ascii_strtod(*word++, NULL);
            g_assert_cmpfloat_with_epsilon(out[i], expected, 1e-6 * fmax(1, fabs(expected)));
        }
    }
    g_assert_null(*word);
}

static void test_torch(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures", "noise.txt", NULL);
    g_autofree char *text = NULL;
    g_autofree char *seed = g_strdup("");
    struct torch_noise n = {0};

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strstrip(text), "\n", 0);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 0);
        if (strcmp(words[0], seed) != 0) {
            g_free(seed);
            seed = g_strdup(words[0]);
            torch_noise_seed(&n, g_ascii_strtoull(seed, NULL, 10));
        }
        check_torch_line(&n, words);
    }
    g_assert_cmpint(g_strv_length(lines), ==, 36);
}

// in PyTorch's order, channels first, one draw after the other, whatever they are for
static void test_draws(void)
{
    enum { H = 3, W = 2, C = 4, COUNT = H * W * C };
    struct torch_noise n, same;
    struct draws draws = {.seed = 7, .torch = &n};
    float planes[COUNT], out[COUNT];

    torch_noise_seed(&n, 7);
    torch_noise_seed(&same, 7);
    for (int draw = 0; draw < 2; draw++) {
        torch_noise_normal(&same, planes, COUNT);
        draws_normal(&draws, NOISE_SAMPLER_STEP, 5, H, W, C, out);
        for (int i = 0; i < COUNT; i++) {
            g_assert_cmpfloat(out[i], ==, planes[i % C * H * W + i / C]);
        }
    }
    draws.torch = NULL;
    draws_normal(&draws, NOISE_SAMPLER_STEP, 5, H, W, C, out);
    noise_normal(7, NOISE_SAMPLER_STEP, 5, planes, COUNT);
    g_assert_cmpmem(out, sizeof out, planes, sizeof planes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/noise/vectors", test_vectors);
    g_test_add_func("/noise/normal/definition", test_normal_definition);
    g_test_add_func("/noise/normal/bits", test_normal_bits);
    g_test_add_func("/noise/normal/moments", test_moments);
    g_test_add_func("/noise/normal/independence", test_independence);
    g_test_add_func("/noise/repeatable", test_repeatable);
    g_test_add_func("/noise/uniform", test_uniform);
    g_test_add_func("/noise/integer", test_integer);
    g_test_add_func("/noise/integer/unbiased", test_integer_unbiased);
    g_test_add_func("/noise/torch", test_torch);
    g_test_add_func("/noise/draws", test_draws);
    return g_test_run();
}
