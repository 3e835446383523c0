/* Directions of subjects: against NumPy's singular value decomposition (fixtures/make_directions.py), and
 * what random ones are. */
#include "engine/subject/directions.h"
#include "engine/base/error.h"

#include <math.h>
#include <string.h>

enum { N = 4 };

static struct subject *fixture(const char *name)
{
    g_autofree char *file = g_strconcat(name, ".safetensors", NULL);
    g_autofree char *path =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures", "directions", file, NULL);
    g_autoptr(GError) error = NULL;
    struct subject *s = subject_open(path, &error);

    g_assert_no_error(error);
    return s;
}

struct set {
    struct subject *all[N];
    const char *names[N];
};

static void open_set(struct set *s)
{
    static const char *const names[] = {"subject-1", "subject-2", "subject-3", "subject-4"};

    for (int i = 0; i < N; i++) {
        s->all[i] = fixture(names[i]);
        s->names[i] = names[i];
    }
}

static void close_set(struct set *s)
{
    for (int i = 0; i < N; i++) {
        subject_free(s->all[i]);
    }
}

static struct directions *find(struct set *s, int n, GError **error)
{
    return directions_create((const struct subject *const *)s->all, s->names, n, error);
}

// the same shifts with the same values
static void assert_like(struct subject *got, const char *fixture_name)
{
    g_autoptr(subject_file) mine = got, want = fixture(fixture_name);
    g_autofree const char **names = subject_names(want);
    g_autofree const char **own = subject_names(mine);

    g_assert_cmpint(g_strv_length((char **)names), ==, g_strv_length((char **)own));
    for (const char **name = names; *name != NULL; name++) {
        int a, b;
        const float *x = subject_shift(mine, *name, &a), *y = subject_shift(want, *name, &b);
        g_assert_nonnull(x);
        g_assert_cmpint(a, ==, b);
        for (int i = 0; i < a; i++) {
            g_assert_cmpfloat(fabsf(x[i] - y[i]), <, 1e-6f);
        }
    }
    g_assert_cmpstr(subject_metadata(mine, "base_hash"), ==, subject_metadata(want, "base_hash"));
}

static void test_principal(void)
{
    struct set s;
    open_set(&s);
    for (int i = 0; i < N; i++) {
        subject_set_metadata(s.all[i], "placeholder", "sks");
        subject_set_metadata(s.all[i], "prompt", i == 1 ? "a [V] cat" : "a [V] dog");
    }
    g_autoptr(directions) d = find(&s, N, NULL);
    g_autoptr(subject_file) mean = directions_mean(d);

    g_assert_cmpstr(subject_metadata(mean, "placeholder"), ==, "sks");
    g_assert_null(subject_metadata(mean, "prompt"));
    g_assert_cmpint(directions_count(d), ==, N - 1);
    assert_like(directions_mean(d), "mean");
    for (int k = 0; k < N - 1; k++) {
        g_autofree char *name = g_strdup_printf("principal-%d", k + 1);
        g_autoptr(subject_file) want = fixture(name);
        const double share = g_ascii_strtod(subject_metadata(want, "share"), NULL);
        g_assert_cmpfloat(fabs(directions_share(d, k) - share), <, 1e-7);
        assert_like(directions_principal(d, k), name);
    }
    close_set(&s);
}

// all four differ in one direction alone: the others would be rounding
static void test_on_a_line(void)
{
    struct set s;
    open_set(&s);

    for (int i = 0; i < N; i++) {
        const float values[] = {1 + i, 2 - 2 * i, 3};
        subject_free(s.all[i]);
        s.all[i] = subject_create();
        subject_set_shift(s.all[i], "a.delta", values, 3);
    }
    g_autoptr(directions) d = find(&s, N, NULL);
    g_assert_cmpint(directions_count(d), ==, 1);
    g_assert_cmpfloat(fabs(directions_share(d, 0) - 1), <, 1e-12);
    close_set(&s);
}

static double length_of(const struct subject *s, const char *name)
{
    int n = 0;
    const float *x = subject_shift(s, name, &n);
    double sum = 0;

    for (int i = 0; i < n; i++) {
        sum += (double)x[i] * x[i];
    }
    return sqrt(sum);
}

static void test_random(void)
{
    struct set s;
    open_set(&s);
    g_autoptr(directions) d = find(&s, N, NULL);
    g_autoptr(subject_file) one = directions_random(d, 7, 0), same = directions_random(d, 7, 0),
                            next = directions_random(d, 7, 1);
    g_autofree const char **names = subject_names(one);

    for (const char **name = names; *name != NULL; name++) {
        double squares = 0;
        int n;
        for (int i = 0; i < N; i++) {
            squares += pow(length_of(s.all[i], *name), 2);
        }
        g_assert_cmpfloat(fabs(length_of(one, *name) - sqrt(squares / N)), <, 1e-6);
        const float *x = subject_shift(one, *name, &n), *y = subject_shift(same, *name, &n),
                    *z = subject_shift(next, *name, &n);
        g_assert_true(memcmp(x, y, (size_t)n * sizeof *x) == 0);
        g_assert_true(memcmp(x, z, (size_t)n * sizeof *x) != 0);
    }
    close_set(&s);
}

static void assert_refused(struct set *s, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(find(s, N, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, part));
}

static void test_refused(void)
{
    struct set s;
    open_set(&s);

    subject_set_metadata(s.all[2], "base_hash", NULL); // nobody knows: it may be the same
    g_autoptr(directions) d = find(&s, N, NULL);
    g_assert_nonnull(d);
    subject_set_metadata(s.all[3], "base_hash", "another");
    assert_refused(&s, "subject-1 and subject-4 were learned with different models");
    subject_set_metadata(s.all[3], "base_hash", NULL);
    subject_set_metadata(s.all[1], SUBJECT_KEY_ADAPTERS, "ink");
    assert_refused(&s, "on top of different adapters");
    subject_set_metadata(s.all[1], SUBJECT_KEY_ADAPTERS, NULL);
    subject_set_shift(s.all[3], "conv_in.delta", (float[]){1, 2}, 2);
    assert_refused(&s, "subject-4: conv_in.delta has 2 values, and 7 in another");
    close_set(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/directions/principal", test_principal);
    g_test_add_func("/directions/line", test_on_a_line);
    g_test_add_func("/directions/random", test_random);
    g_test_add_func("/directions/refused", test_refused);
    return g_test_run();
}
