/* What texts become: joined behind each other, replaced one by one, and on a tape; with the pooled
 * vectors that a model may have and without. */
#include "engine/network/conditioning.h"

#include <glib.h>

enum { TEXTS = 3, TOKENS = 2, WIDTH = 4, POOLED = 3 };

// value i of the context is i, of the pooled vectors 100 + i
static void fill(struct conditioning *c, int pooled_width)
{
    conditioning_init(c, TEXTS, TOKENS, WIDTH, pooled_width);
    for (int i = 0; i < TEXTS * TOKENS * WIDTH; i++) {
        c->context[i] = (float)i;
    }
    for (int i = 0; i < TEXTS * pooled_width; i++) {
        c->pooled[i] = 100 + (float)i;
    }
}

// text 0 twice, then texts 2 and 1: 8 values each, whose tokens follow each other
static void test_join(void)
{
    static const int rows[] = {0, 0, 2, 1}, starts[] = {0, 0, 16, 8};
    static const float pooled[] = {100, 101, 102, 106, 107, 108};
    struct conditioning all, joined;

    fill(&all, POOLED);
    conditioning_join(&joined, &all, rows, 2, 2);
    g_assert_cmpint(joined.n, ==, 2);
    g_assert_cmpint(joined.tokens, ==, 2 * TOKENS);
    g_assert_cmpint(joined.width, ==, WIDTH);
    for (int i = 0; i < 4 * TOKENS * WIDTH; i++) {
        g_assert_cmpfloat(joined.context[i], ==, starts[i / 8] + i % 8);
    }
    // that of the first text of each
    g_assert_cmpmem(joined.pooled, 2 * POOLED * sizeof(float), pooled, sizeof pooled);
    conditioning_clear(&joined);
    conditioning_clear(&all);
    fill(&all, 0);
    conditioning_join(&joined, &all, rows, 2, 2);
    g_assert_null(joined.pooled);
    conditioning_clear(&joined);
    conditioning_clear(&all);
}

static void test_set(void)
{
    struct conditioning all, one;

    fill(&all, POOLED);
    conditioning_init(&one, 2, TOKENS, WIDTH, POOLED);
    conditioning_set(&one, 1, &all, 2);
    for (int i = 0; i < 2 * TOKENS * WIDTH; i++) {
        g_assert_cmpfloat(one.context[i], ==, i < 8 ? 0 : 8 + i);
    }
    for (int i = 0; i < 2 * POOLED; i++) {
        g_assert_cmpfloat(one.pooled[i], ==, i < 3 ? 0 : 103 + i);
    }
    conditioning_clear(&one);
    conditioning_clear(&all);
}

static void test_tape(void)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);
    struct tape *t = tape_create(k, (struct tape_options){.outer_bytes = 1 << 20}, NULL);
    struct conditioning all;
    float context[2 * TOKENS * WIDTH], pooled[2 * POOLED];

    fill(&all, POOLED);
    const struct text_tensors text = conditioning_input(t, &all, 1, 2);
    g_assert_cmpint(text.context->n, ==, 2);
    g_assert_cmpint(text.context->w, ==, TOKENS);
    tape_download(t, text.context, context);
    tape_download(t, text.pooled, pooled);
    g_assert_cmpmem(context, sizeof context, all.context + 8, sizeof context);
    g_assert_cmpmem(pooled, sizeof pooled, all.pooled + 3, sizeof pooled);
    conditioning_clear(&all);
    fill(&all, 0);
    g_assert_null(conditioning_input(t, &all, 0, 1).pooled);
    conditioning_clear(&all);
    tape_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conditioning/join", test_join);
    g_test_add_func("/conditioning/set", test_set);
    g_test_add_func("/conditioning/tape", test_tape);
    return g_test_run();
}
