/* The unmix loss against its definition, and its gradient against finite differences in double. */
#include "engine/tape/attention_guide.h"
#include "engine/tape/ops.h"

#include <glib.h>
#include <math.h>
#include <string.h>

// three subjects in heads of two channels take two runs
enum { ROWS = 3, SLOTS = 3, PLACES = 4, WORDS = 5, HEADS = 2, D = 2, WIDTH = HEADS * D };
// the mean is over two rows, and three times the loss is differentiated
enum { MEAN_ROWS = 2, WEIGHT = 3 };
enum { QUERIES = ROWS * PLACES * WIDTH, KEYS = ROWS * WORDS * WIDTH };

struct data {
    float others[ROWS * SLOTS * PLACES], words[ROWS * SLOTS * WORDS];
    // as the device has them: words by tokens first
    double device_others[ROWS * SLOTS * PLACES], device_words[ROWS * WORDS * SLOTS];
    double factor[ROWS], losses[2 * ROWS * SLOTS], map[ROWS * SLOTS * PLACES];
    double q[QUERIES], k[KEYS], dq[QUERIES], dk[KEYS];
    double seen[2 * ROWS * SLOTS * PLACES];
    struct unmix u;
};

static void fill(struct data *s, enum unmix_maps maps)
{
    static const int32_t shown[ROWS] = {2, 1, 3}; // the second takes no part

    *s = (struct data){.u = {.layers = 2,
                             .maps = maps,
                             .n = ROWS,
                             .slots = SLOTS,
                             .places = PLACES,
                             .tokens = WORDS,
                             .shown = shown}};
    for (int i = 0; i < ROWS * SLOTS * PLACES; i++) {
        s->others[i] = (float)(i * 7 % 11) / 10;
        s->device_others[i] = s->others[i];
    }
    for (int i = 0; i < ROWS * SLOTS * WORDS; i++) {
        s->words[i] = i % WORDS == i / WORDS % SLOTS + 1 ? 0.75f : i % WORDS == 4 ? 0.25f : 0;
        s->device_words[(i / WORDS / SLOTS * WORDS + i % WORDS) * SLOTS + i / WORDS % SLOTS] =
            s->words[i];
    }
    for (int n = 0; n < ROWS; n++) {
        s->factor[n] = (double)WEIGHT / MEAN_ROWS / shown[n] / s->u.layers;
    }
    for (int i = 0; i < KEYS; i++) {
        s->q[i % QUERIES] = sin(3.7 * i + 1);
        s->k[i] = cos(2.3 * i + 2);
    }
    s->u.others = s->device_others;
    s->u.words = s->device_words;
    s->u.factor = s->factor;
    s->u.losses = s->losses;
    s->u.map = s->map;
}

// the probability of a subject's words at place x of row n, mean over heads
static double attention_of(const struct data *s, int n, int x, int subject)
{
    double sum = 0;

    for (int h = 0; h < HEADS; h++) {
        double p[WORDS], total = 0;
        for (int t = 0; t < WORDS; t++) {
            double dot = 0;
            for (int c = 0; c < D; c++) {
                dot += s->q[(n * PLACES + x) * WIDTH + h * D + c] *
                       s->k[(n * WORDS + t) * WIDTH + h * D + c];
            }
            p[t] = exp(dot / sqrt(D));
            total += p[t];
        }
        for (int t = 0; t < WORDS; t++) {
            sum += p[t] / total * s->words[(n * SLOTS + subject) * WORDS + t] / HEADS;
        }
    }
    return sum;
}

// what the map of a subject is divided by
static double scale_of(const struct data *s, int n, int subject)
{
    double sum = 0, largest = 0;

    for (int x = 0; x < PLACES; x++) {
        const double a = attention_of(s, n, x, subject);
        sum += a;
        largest = MAX(largest, a);
    }
    return s->u.maps == UNMIX_MEAN ? sum / PLACES : s->u.maps == UNMIX_MAX ? largest : 1;
}

static double expected(const struct data *s)
{
    double loss = 0;

    for (int n = 0; n < ROWS; n++) {
        for (int i = 0; i < s->u.shown[n] && s->u.shown[n] > 1; i++) {
            const double scale = scale_of(s, n, i);
            double sum = 0, squares = 0;
            for (int x = 0; x < PLACES; x++) {
                const double m = s->others[(n * SLOTS + i) * PLACES + x];
                const double a = attention_of(s, n, x, i) / scale;
                sum += m;
                squares += m * a * a;
            }
            loss += squares / sum / s->u.shown[n] / MEAN_ROWS;
        }
    }
    return loss;
}

static double run(struct data *s)
{
    static const float zeros[QUERIES + KEYS];
    g_autoptr(kernels) table = kernels_reference(KERNELS_F32);
    struct tape *t =
        tape_create(table, (struct tape_options){.training = true, .outer_bytes = 1 << 20}, NULL);
    struct tensor *q = tape_input(t, zeros, ROWS, 2, 2, WIDTH, true);
    struct tensor *k = tape_input(t, zeros, ROWS, 1, WORDS, WIDTH, true);

    memcpy(q->data, s->q, sizeof s->q);
    memcpy(k->data, s->k, sizeof s->k);
    unmix_attention(t, q, k, HEADS, &s->u, 1);
    tape_backward(t, q, NULL);
    memcpy(s->dq, q->gradient, sizeof s->dq);
    memcpy(s->dk, k->gradient, sizeof s->dk);
    tape_free(t);
    double loss = 0;
    for (int i = 0; i < ROWS * SLOTS; i++) {
        const int shown = s->u.shown[i / SLOTS];
        loss += s->losses[ROWS * SLOTS + i] / shown / MEAN_ROWS;
    }
    return loss;
}

static void test_value(const void *maps)
{
    struct data s;

    fill(&s, (enum unmix_maps)GPOINTER_TO_INT(maps));
    g_assert_cmpfloat_with_epsilon(run(&s), expected(&s), 1e-12);
    g_assert_cmpfloat(expected(&s), >, 1e-3);
    for (int i = 0; i < ROWS * SLOTS; i++) {
        g_assert_cmpfloat(s.losses[i], ==, 0); // of the other layer
    }
}

// the gradient is that of weight / layers times the loss of this layer
static void check_gradient(struct data *s, double *values, double *gradient, int count)
{
    const double step = 1e-4, factor = (double)WEIGHT / s->u.layers;
    g_autofree double *kept = NULL;
    double largest = 0, worst = 0;

    run(s);
    kept = g_memdup2(gradient, count * sizeof *kept);
    for (int i = 0; i < count; i++) {
        const double old = values[i];
        values[i] = old + step;
        const double more = run(s);
        values[i] = old - step;
        const double less = run(s);
        values[i] = old;
        const double wanted = factor * (more - less) / (2 * step);
        largest = MAX(largest, fabs(wanted));
        worst = MAX(worst, fabs(wanted - kept[i]));
    }
    g_assert_cmpfloat(largest, >, 1e-3);
    g_assert_cmpfloat(worst, <, 1e-6 * largest);
}

// what was seen is the maps themselves, added up over runs
static void test_seen(void)
{
    struct data s;

    fill(&s, UNMIX_MEAN);
    s.u.seen = s.seen;
    run(&s);
    run(&s);
    for (int i = 0; i < ROWS * SLOTS * PLACES; i++) {
        const int n = i / PLACES / SLOTS, subject = i / PLACES % SLOTS;
        const double wanted = 2 * attention_of(&s, n, i % PLACES, subject);
        g_assert_cmpfloat(s.seen[i], ==, 0);
        g_assert_cmpfloat_with_epsilon(s.seen[ROWS * SLOTS * PLACES + i], wanted, 1e-12);
    }
}

static void test_gradient(const void *maps)
{
    struct data s;

    fill(&s, (enum unmix_maps)GPOINTER_TO_INT(maps));
    check_gradient(&s, s.q, s.dq, QUERIES);
    check_gradient(&s, s.k, s.dk, KEYS);
}

// a piece of a network that the loss is taken in
static struct tensor *segment(struct tape *t, const void *context, struct tensor *const *in)
{
    unmix_attention(t, in[0], in[1], HEADS, context, 1);
    return attention(t, in[0], in[1], in[1], HEADS, false);
}

static void run_segment(struct data *s, bool replay)
{
    static const float zeros[QUERIES + KEYS];
    g_autoptr(kernels) table = kernels_reference(KERNELS_F32);
    struct tape *t = tape_create(
        table,
        (struct tape_options){
            .training = true, .replay = replay, .outer_bytes = 1 << 20, .inner_bytes = 1 << 20},
        NULL);
    struct tensor *q = tape_input(t, zeros, ROWS, 2, 2, WIDTH, true);
    struct tensor *k = tape_input(t, zeros, ROWS, 1, WORDS, WIDTH, true);
    float dy[QUERIES];

    memcpy(q->data, s->q, sizeof s->q);
    memcpy(k->data, s->k, sizeof s->k);
    for (int i = 0; i < QUERIES; i++) {
        dy[i] = (float)i / QUERIES;
    }
    tape_backward(t, tape_segment(t, segment, &s->u, (struct tensor *[]){q, k}, 2), dy);
    memcpy(s->dq, q->gradient, sizeof s->dq);
    memcpy(s->dk, k->gradient, sizeof s->dk);
    tape_free(t);
}

// segments that are run again on the way back count the loss once
static void test_replay(void)
{
    struct data kept, replayed;

    fill(&kept, UNMIX_MAX);
    fill(&replayed, UNMIX_MAX);
    run_segment(&kept, false);
    run_segment(&replayed, true);
    g_assert_cmpfloat(kept.losses[1], ==, replayed.losses[1]);
    g_assert_cmpmem(kept.dq, sizeof kept.dq, replayed.dq, sizeof replayed.dq);
    g_assert_cmpmem(kept.dk, sizeof kept.dk, replayed.dk, sizeof replayed.dk);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = UNMIX_PLAIN; i <= UNMIX_MAX; i++) {
        static const char *const names[] = {"plain", "mean", "max"};
        g_autofree char *value = g_strdup_printf("/op-unmix/value/%s", names[i]);
        g_autofree char *gradient = g_strdup_printf("/op-unmix/gradient/%s", names[i]);
        g_test_add_data_func(value, GINT_TO_POINTER(i), test_value);
        g_test_add_data_func(gradient, GINT_TO_POINTER(i), test_gradient);
    }
    g_test_add_func("/op-unmix/seen", test_seen);
    g_test_add_func("/op-unmix/replay", test_replay);
    return g_test_run();
}
