/* Attention on texts that act in regions, against its definition. */
#include "engine/tape/attention_guide.h"

#include <math.h>
#include <string.h>

// two rows of 2 x 2 places from masks of 4 x 4, a text for everywhere and two for regions
enum { ROWS = 2, SIDE = 2, PLACES = SIDE * SIDE, EACH = 3, REGIONS = 2, HEADS = 2, D = 3 };
enum { WORDS = EACH * (1 + REGIONS), WIDTH = HEADS * D, GRID = 4 };

struct data {
    float q[ROWS * PLACES * WIDTH], k[ROWS * WORDS * WIDTH], v[ROWS * WORDS * WIDTH];
    float y[ROWS * PLACES * WIDTH];
    float masks[REGIONS * GRID * GRID];
};

static void fill(struct data *s)
{
    for (int i = 0; i < ROWS * WORDS * WIDTH; i++) {
        s->k[i] = (float)cos(2.3 * i + 2);
        s->v[i] = (float)sin(1.7 * i + 3);
    }
    for (int i = 0; i < ROWS * PLACES * WIDTH; i++) {
        s->q[i] = (float)sin(3.7 * i + 1);
    }
    // the first is the left half, the second a corner and a bit of another
    for (int i = 0; i < GRID * GRID; i++) {
        s->masks[i] = i % GRID < 2;
        s->masks[GRID * GRID + i] = i == 15 ? 1 : i == 2 ? 0.5f : 0;
    }
}

static void run(struct data *s, int regions)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);
    struct tape *t = tape_create(k, (struct tape_options){.outer_bytes = 1 << 20}, NULL);
    const int words = EACH * (1 + regions);
    struct tensor *q = tape_input(t, s->q, ROWS, SIDE, SIDE, WIDTH, false);
    struct tensor *key = tape_input(t, s->k, ROWS, 1, words, WIDTH, false);
    struct tensor *v = tape_input(t, s->v, ROWS, 1, words, WIDTH, false);
    const struct attention_regions r = {regions, GRID, GRID, s->masks};

    tape_download(t, regional_attention(t, q, key, v, HEADS, &r), s->y);
    tape_free(t);
}

// m of the region of word t at place x: the area mean of 2 x 2 cells
static double factor(const struct data *s, int x, int t)
{
    const int region = t / EACH - 1, top = x / SIDE * 2, left = x % SIDE * 2;
    const float *mask = s->masks + region * GRID * GRID + top * GRID + left;

    return region < 0 ? 1 : (mask[0] + mask[1] + mask[GRID] + mask[GRID + 1]) / 4.0;
}

static double expected(const struct data *s, int words, int n, int x, int h, int c)
{
    const float *q = s->q + (n * PLACES + x) * WIDTH + h * D;
    double sum = 0, total = 0;

    for (int t = 0; t < words; t++) {
        const int at = (n * words + t) * WIDTH + h * D;
        double dot = 0;
        for (int i = 0; i < D; i++) {
            dot += (double)q[i] * s->k[at + i];
        }
        const double p = factor(s, x, t) * exp(dot / sqrt(D));
        sum += p * s->v[at + c];
        total += p;
    }
    return sum / total;
}

static void test_definition(void)
{
    struct data s;

    fill(&s);
    for (int regions = 1; regions <= REGIONS; regions++) {
        run(&s, regions);
        for (int i = 0; i < ROWS * PLACES * WIDTH; i++) {
            const int n = i / WIDTH / PLACES, x = i / WIDTH % PLACES, c = i % WIDTH;
            g_assert_cmpfloat_with_epsilon(
                s.y[i], expected(&s, EACH * (1 + regions), n, x, c / D, c % D), 2e-6);
        }
    }
}

// a text that is repeated in every region is that text everywhere: the negative prompt
static void test_repeated(void)
{
    struct data s, once;

    fill(&s);
    fill(&once);
    for (int n = 0; n < ROWS; n++) {
        for (int t = 0; t < WORDS; t++) {
            const int to = (n * WORDS + t) * WIDTH, from = (n * WORDS + t % EACH) * WIDTH;
            memmove(s.k + to, s.k + from, WIDTH * sizeof *s.k);
            memmove(s.v + to, s.v + from, WIDTH * sizeof *s.v);
        }
        memmove(once.k + n * EACH * WIDTH, s.k + n * WORDS * WIDTH, EACH * WIDTH * sizeof *s.k);
        memmove(once.v + n * EACH * WIDTH, s.v + n * WORDS * WIDTH, EACH * WIDTH * sizeof *s.v);
    }
    run(&s, REGIONS);
    run(&once, 0);
    for (int i = 0; i < ROWS * PLACES * WIDTH; i++) {
        g_assert_cmpfloat_with_epsilon(s.y[i], once.y[i], 2e-6);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/op-regional/definition", test_definition);
    g_test_add_func("/op-regional/repeated", test_repeated);
    return g_test_run();
}
