/* Cosines of subjects against ones counted by hand and by NumPy; the table, the CSV and the figure. */
#include "engine/subject/compare.h"
#include "engine/subject/comparison.h"
#include "engine/base/error.h"
#include "tests/temporary_folder.h"

#include <math.h>
#include <string.h>

static struct subject *make(const float *a, const float *b, float scalar)
{
    struct subject *s = subject_create();

    subject_set_shift(s, "a.delta", a, 3);
    subject_set_shift(s, "b.delta", b, 2);
    subject_set_shift(s, "norm.delta", &scalar, 1);
    return s;
}

/* a: (1,2,2).(2,-1,2) / 9 = 4/9; b: (1,0).(1,1) / sqrt 2. The scalars, opposite, have no say. */
static void test_by_hand(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(subject_file) x = make((float[]){1, 2, 2}, (float[]){1, 0}, 1);
    g_autoptr(subject_file) y = make((float[]){2, -1, 2}, (float[]){1, 1}, -1);
    const struct subject *const both[] = {x, y};
    double cosine[LAYER_GROUPS * 4];
    int layers[LAYER_GROUPS * 4];

    g_assert_true(
        compare_subjects(both, (const char *const[]){"x", "y"}, 2, cosine, layers, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(fabs(cosine[0] - 1), <, 1e-12);
    g_assert_cmpfloat(fabs(cosine[3] - 1), <, 1e-12);
    g_assert_cmpfloat(fabs(cosine[1] - (4.0 / 9 + sqrt(0.5)) / 2), <, 1e-7);
    g_assert_cmpfloat(cosine[1], ==, cosine[2]);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpint(layers[i], ==, 2);
    }
}

// the length of a shift does not matter, its sign does; a layer of zeros is no layer
static void test_scale(void)
{
    g_autoptr(subject_file) x = make((float[]){1, 2, 2}, (float[]){1, 0}, 1);
    g_autoptr(subject_file) y = make((float[]){-3, -6, -6}, (float[]){0, 0}, 1);
    const struct subject *const both[] = {x, y};
    double cosine[LAYER_GROUPS * 4];
    int layers[LAYER_GROUPS * 4];

    g_assert_true(compare_subjects(both, (const char *const[]){"x", "y"}, 2, cosine, layers, NULL));
    g_assert_cmpfloat(fabs(cosine[1] + 1), <, 1e-7);
    g_assert_cmpint(layers[0], ==, 2);
    g_assert_cmpint(layers[1], ==, 1);
    g_assert_cmpint(layers[3], ==, 1);
}

// other layers, or layers of another length: two models
static void test_nothing_in_common(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(subject_file) x = subject_create(), y = subject_create();
    const struct subject *const both[] = {x, y};
    double cosine[LAYER_GROUPS * 4];
    int layers[LAYER_GROUPS * 4];

    subject_set_shift(x, "a.delta", (float[]){1, 2}, 2);
    subject_set_shift(y, "a.delta", (float[]){1, 2, 3}, 3);
    subject_set_shift(y, "b.delta", (float[]){1, 2}, 2);
    g_assert_false(
        compare_subjects(both, (const char *const[]){"left", "right"}, 2, cosine, layers, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "left"));
    g_assert_nonnull(strstr(error->message, "right"));
}

/* ---- groups of layers ---- */

// every name of Stable Diffusion 1.5 in the groups that people would say
static void test_groups(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "fixtures/subjects/sd15.txt", NULL);
    g_autofree char *text = NULL;
    int count[LAYER_GROUPS] = {0};

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i] != NULL; i++) {
        if (strstr(lines[i], ".delta") != NULL) {
            count[LAYERS_ALL]++;
            count[layer_group_place(lines[i])]++;
            count[layer_group_kind(lines[i])]++;
        }
    }
    // of the UNet 391 layers, 109 of them norms and 64 of its 128 of attention across; of the text
    // encoder 99, 25 of them norms and 48 of attention
    static const int want[LAYER_GROUPS] = {
        [LAYERS_ALL] = 391 + 99,   [LAYERS_TEXT] = 99,  [LAYERS_DOWN] = 141,
        [LAYERS_MID] = 26,         [LAYERS_UP] = 219,   [LAYERS_ENDS] = 5,
        [LAYERS_SELF] = 64 + 48,   [LAYERS_CROSS] = 64, [LAYERS_FORWARD] = 32 + 24,
        [LAYERS_NORMS] = 109 + 25, [LAYERS_CONVS] = 66, [LAYERS_OTHER] = 56 + 2};
    for (int g = 0; g < LAYER_GROUPS; g++) {
        g_test_message("%s", layer_group_name((enum layer_group)g));
        g_assert_cmpint(count[g], ==, want[g]);
    }
}

// the lines of a CSV as NumPy has them, to what eight digits keep
static void check_csv(const struct comparison *c, const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "fixtures/compare", name, NULL);
    g_autofree char *made = comparison_csv(c), *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(made, "\n", -1), want = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, g_strv_length(want));
    g_assert_cmpstr(lines[0], ==, want[0]);
    for (int i = 1; want[i][0] != '\0'; i++) {
        const char *own = strrchr(lines[i], ',') + 1, *its = strrchr(want[i], ',') + 1;
        // NumPy's script counts pairs of all layers, as the CSV does
        g_autofree char *before = g_strndup(want[i], (gsize)(its - want[i]));
        g_assert_true(g_str_has_prefix(lines[i], before));
        g_assert_cmpint(*own == '\0', ==, *its == '\0');
        g_assert_cmpfloat(fabs(g_ascii_strtod(own, NULL) - g_ascii_strtod(its, NULL)), <, 1e-8);
    }
}

static void test_numpy(void)
{
    enum { N = 5, THINGS = 3 };
    static const char *const names[N] = {"fox-1", "fox-2", "owl-1", "owl-2", "hat-1"};
    static const char *const called[THINGS] = {"fox", "owl", "hat"};
    static const int things[N] = {0, 0, 1, 1, 2};
    double cosine[LAYER_GROUPS * N * N], all[LAYER_GROUPS * THINGS * THINGS];
    int layers[LAYER_GROUPS * N * N], ones[N * N], pairs[THINGS * THINGS];
    struct subject *subjects[N];
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < N; i++) {
        g_autofree char *file = g_strconcat(names[i], ".safetensors", NULL);
        g_autofree char *path = g_test_build_filename(G_TEST_DIST, "fixtures/compare", file, NULL);
        subjects[i] = subject_open(path, &error);
        g_assert_no_error(error);
    }
    g_assert_true(compare_subjects((const struct subject *const *)subjects, names, N, cosine,
                                   layers, &error));
    for (int i = 0; i < N * N; i++) {
        ones[i] = 1;
        // 16 that count, four of them the hat's not; with itself also the one of a length of its own
        const bool hat = i % N == N - 1 || i / N == N - 1;
        g_assert_cmpint(layers[i], ==, (hat ? 12 : 16) + (i % N == i / N));
    }
    check_csv(&(struct comparison){N, names, cosine, ones, false}, "files.csv");
    compare_things(cosine, N, things, THINGS, all, pairs);
    g_assert_cmpint(pairs[0], ==, 1);
    g_assert_cmpint(pairs[1], ==, 4);
    g_assert_cmpint(pairs[8], ==, 0);
    check_csv(&(struct comparison){THINGS, called, all, pairs, false}, "things.csv");
    for (int i = 0; i < N; i++) {
        subject_free(subjects[i]);
    }
}

/* ---- what is shown ---- */

// the same matrix for all groups, but for one that has no numbers
static struct comparison two(double *all, const char *const *names, const int *pairs)
{
    static const double cosine[] = {1, -0.25, -0.25, 1};

    for (int i = 0; i < LAYER_GROUPS * 4; i++) {
        all[i] = i / 4 == LAYERS_MID ? NAN : cosine[i % 4];
    }
    all[LAYERS_UP * 4] = NAN;
    return (struct comparison){2, names, all, pairs, false};
}

static void test_text(void)
{
    static const char *const names[] = {"dog", "a longer one"};
    double all[LAYER_GROUPS * 4];
    struct comparison c = two(all, names, NULL);
    g_autofree char *text = comparison_text(&c);

    g_assert_cmpstr(text, ==,
                    "                 dog  a longer one\n"
                    "         dog   1.000        -0.250\n"
                    "a longer one  -0.250         1.000");
    c.groups = true;
    g_autofree char *groups = comparison_text(&c);
    g_assert_true(g_str_has_prefix(groups, "all layers\n"));
    g_assert_nonnull(strstr(groups, "\n\nUNet up\n                 dog  a longer one\n"
                                    "         dog       -        -0.250\n"));
    g_assert_null(strstr(groups, "UNet mid"));
}

static void test_csv(void)
{
    static const char *const names[] = {"dog, \"old\"", "cat"};
    static const int pairs[] = {1, 4, 4, 0};
    double all[LAYER_GROUPS * 4];
    struct comparison c = two(all, names, pairs);
    g_autofree char *csv = comparison_csv(&c);

    g_assert_true(g_str_has_prefix(csv, "group,first,second,pairs,cosine\n"
                                        "all layers,\"dog, \"\"old\"\"\",\"dog, \"\"old\"\"\",1,1\n"
                                        "all layers,\"dog, \"\"old\"\"\",cat,4,-0.25\n"
                                        "all layers,cat,cat,0,1\n"));
    g_assert_nonnull(strstr(csv, "\nUNet mid,cat,cat,0,\n"));
}

// larger with groups; one that has no number is not there
static void test_plot(void)
{
    static const char *const names[] = {"dog", "cat"};
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "alike.png", NULL);
    g_autofree char *svg = g_build_filename(folder, "alike.svg", NULL);
    double all[LAYER_GROUPS * 4];
    struct comparison c = two(all, names, NULL);

    for (int groups = 0; groups < 2; groups++) {
        c.groups = groups > 0;
        g_autoptr(GError) error = NULL;
        g_assert_true(comparison_plot(&c, path, &error) && comparison_plot(&c, svg, &error));
        g_assert_no_error(error);
    }
    g_assert_false(comparison_plot(&c, "alike.txt", NULL));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compare/by-hand", test_by_hand);
    g_test_add_func("/compare/scale", test_scale);
    g_test_add_func("/compare/nothing-in-common", test_nothing_in_common);
    g_test_add_func("/compare/groups", test_groups);
    g_test_add_func("/compare/numpy", test_numpy);
    g_test_add_func("/compare/text", test_text);
    g_test_add_func("/compare/csv", test_csv);
    g_test_add_func("/compare/plot", test_plot);
    return g_test_run();
}
