/* Figures: pixels where lines, bars, intervals and cells must be, and whatever may come
 * as numbers, names and places. */
#include "engine/base/error.h"
#include "engine/picture/picture.h"
#include "engine/plot/plot.h"
#include "tests/temporary_folder.h"

#include <locale.h>
#include <math.h>
#include <string.h>

// of the first two series
enum { BLUE = 0x0072b2, ORANGE = 0xd55e00 };

/* ---- pixels ---- */

struct box {
    int n, left, right, top, bottom;
};

static bool is_colour(const picture *p, int x, int y, unsigned colour)
{
    const float *v = p->pixels + ((size_t)y * p->width + x) * p->channels;

    for (int c = 0; c < 3; c++) {
        if (lrintf(255 * v[c]) != (long)(colour >> (16 - 8 * c) & 255)) {
            return false;
        }
    }
    return true;
}

// of the pixels of just this colour in some rows
static struct box find(const picture *p, unsigned colour, int from, int to)
{
    struct box b = {0, G_MAXINT, -1, G_MAXINT, -1};

    for (int y = from; y < to; y++) {
        for (int x = 0; x < p->width; x++) {
            if (is_colour(p, x, y, colour)) {
                b = (struct box){b.n + 1, MIN(b.left, x), MAX(b.right, x), MIN(b.top, y),
                                 MAX(b.bottom, y)};
            }
        }
    }
    return b;
}

static picture *draw(const char *folder, const struct plot *p)
{
    g_autofree char *path = g_build_filename(folder, "plot.png", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(plot_write(p, path, &error));
    g_assert_no_error(error);
    picture *drawn = picture_read(path, 1, &error);
    g_assert_no_error(error);
    return drawn;
}

// of y = x from one corner to the other each pixel is on the straight line between its ends
static void test_line(void)
{
    char *folder = temporary_folder_create();
    const double xy[] = {0, 25, 50, 100};
    const struct plot_series s = {.kind = PLOT_LINE, .n = 4, .x = xy, .y = xy};
    const struct plot p = {.series = &s, .n_series = 1};
    g_autoptr(picture) drawn = draw(folder, &p);
    const struct box all = find(drawn, BLUE, 0, drawn->height);

    g_assert_cmpint(all.right - all.left, >, drawn->width / 2);
    g_assert_cmpint(all.bottom - all.top, >, drawn->height / 2);
    for (int y = all.top + 4; y < all.bottom - 4; y++) {
        const struct box row = find(drawn, BLUE, y, y + 1);
        const double want =
            all.right - (double)(y - all.top) / (all.bottom - all.top) * (all.right - all.left);
        g_assert_cmpint(row.n, >, 0);
        g_assert_cmpfloat(fabs((row.left + row.right) / 2.0 - want), <, 3);
    }
    temporary_folder_remove(folder);
}

// a gap where there is no number, and the lowest and highest of many points in their places
static void test_broken_line(void)
{
    char *folder = temporary_folder_create();
    const double y[] = {1, 1, NAN, 1, 1};
    const struct plot_series s = {.kind = PLOT_LINE, .n = 5, .y = y};
    const struct plot p = {.series = &s, .n_series = 1};
    g_autoptr(picture) drawn = draw(folder, &p);
    const struct box all = find(drawn, BLUE, 0, drawn->height);
    int gap = 0;

    for (int x = all.left; x <= all.right; x++) {
        gap += !is_colour(drawn, x, (all.top + all.bottom) / 2, BLUE);
    }
    // two of the four steps
    g_assert_cmpfloat(fabs(gap / (double)(all.right - all.left) - 0.5), <, 0.03);
    temporary_folder_remove(folder);
}

static void test_many_points(void)
{
    enum { N = 10000 };
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "many.svg", NULL);
    g_autofree double *y = g_new(double, N);
    const double ends_x[] = {1, N}, ends_y[] = {0, 100};
    for (int i = 0; i < N; i++) {
        y[i] = 50 + i * 7919 % 11;
    }
    y[4321] = 0;
    y[8765] = 100;
    const struct plot_series s[] = {
        {.kind = PLOT_LINE, .n = N, .y = y},
        {.kind = PLOT_POINTS, .colour = 1, .n = 2, .x = ends_x, .y = ends_y}};
    const struct plot p = {.series = s, .n_series = 2};
    g_autoptr(picture) drawn = draw(folder, &p);
    const struct box line = find(drawn, BLUE, 0, drawn->height);
    const struct box marks = find(drawn, ORANGE, 0, drawn->height);

    // of the marks the middle is at 0 and 100
    g_assert_cmpint(ABS(line.top - (marks.top + 8)), <=, 8);
    g_assert_cmpint(ABS(line.bottom - (marks.bottom - 8)), <=, 8);
    g_assert_true(plot_write(&p, path, NULL));
    GStatBuf info;
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_size, <, 150000);
    temporary_folder_remove(folder);
}

// its ends at what two other points say
static void test_intervals(void)
{
    char *folder = temporary_folder_create();
    const double x[] = {1, 2, 3}, y[] = {10, 50, 80}, none[] = {NAN, 20, NAN},
                 high[] = {NAN, 80, NAN};
    const double at[] = {1.5, 1.5}, ends[] = {20, 80};
    const struct plot_series s[] = {
        {.kind = PLOT_POINTS, .n = 3, .x = x, .y = y, .y_low = none, .y_high = high},
        {.kind = PLOT_LINE, .colour = 1, .n = 2, .x = at, .y = ends}};
    const struct plot p = {.series = s, .n_series = 2};
    g_autoptr(picture) drawn = draw(folder, &p);
    const struct box line = find(drawn, ORANGE, 0, drawn->height);
    int top = G_MAXINT, bottom = -1;

    // the column of the second point, which is in the middle of the first and the third
    const struct box points = find(drawn, BLUE, 0, drawn->height);
    const int middle = (points.left + points.right) / 2;
    for (int column = middle - 2; column <= middle + 2; column++) {
        for (int row = 0; row < drawn->height; row++) {
            if (is_colour(drawn, column, row, BLUE)) {
                top = MIN(top, row);
                bottom = MAX(bottom, row);
            }
        }
    }
    g_assert_cmpint(ABS(top - line.top), <=, 3);
    g_assert_cmpint(ABS(bottom - line.bottom), <=, 3);
    temporary_folder_remove(folder);
}

// as long as their numbers, from the same 0, in the order of the rows; of two series below each other
static void test_bars(void)
{
    char *folder = temporary_folder_create();
    const char *const rows[] = {"one", "two", "three"};
    const double x[] = {100, 50, 0}, second[] = {25, NAN, 75};
    const struct plot_series s[] = {{.kind = PLOT_BARS, .n = 3, .x = x},
                                    {.kind = PLOT_BARS, .colour = 1, .n = 3, .x = second}};
    const struct plot p = {.rows = rows, .n_rows = 3, .series = s, .n_series = 2};
    g_autoptr(picture) drawn = draw(folder, &p);
    const struct box blue = find(drawn, BLUE, 0, drawn->height);
    const struct box first = find(drawn, BLUE, blue.top, blue.top + 4);
    const struct box last = find(drawn, BLUE, blue.bottom - 4, blue.bottom);
    const struct box orange = find(drawn, ORANGE, 0, drawn->height);
    const struct box quarter = find(drawn, ORANGE, orange.top, orange.top + 4);

    g_assert_cmpint(first.left, ==, last.left);
    const double whole = first.right - first.left + 1;
    g_assert_cmpfloat(fabs((last.right - last.left + 1) / whole - 0.5), <, 0.01);
    g_assert_cmpfloat(fabs((quarter.right - quarter.left + 1) / whole - 0.25), <, 0.01);
    g_assert_cmpint(orange.top, >, blue.top);
    g_assert_cmpint(orange.bottom, >, blue.bottom);
    temporary_folder_remove(folder);
}

// a cell of each end, of what lies between, and one without a number
static void test_matrix(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "matrix.PNG", NULL);
    const double values[] = {1, -1, NAN, 0.2};
    const char *const names[] = {"a", "b"};
    const struct plot_matrix one = {.values = values};
    const struct plot_matrices m = {.matrices = &one,
                                    .n = 1,
                                    .rows = names,
                                    .columns = names,
                                    .n_rows = 2,
                                    .n_columns = 2,
                                    .low = -1,
                                    .high = 1};
    g_autoptr(GError) error = NULL;

    g_assert_true(plot_write_matrices(&m, path, &error));
    g_assert_no_error(error);
    g_autoptr(picture) drawn = picture_read(path, 1, &error);
    g_assert_no_error(error);
    const struct box high = find(drawn, 0x650a1c, 0, drawn->height);
    const struct box low = find(drawn, 0x08305c, 0, drawn->height);
    const struct box middle = find(drawn, 0xfbd9c6, 0, drawn->height);
    // some pixels of a cell are its number's, most are not
    const int side = high.right - high.left + 1;
    g_assert_cmpint(side, >, 70);
    g_assert_cmpint(high.n, >, side * side * 3 / 4);
    g_assert_true(low.left > high.right && low.top == high.top && low.n > side * side * 3 / 4);
    g_assert_true(middle.left == low.left && middle.top > low.bottom &&
                  middle.n > side * side * 3 / 4);
    // beside it, away from what stands in the cell
    g_assert_true(is_colour(drawn, high.left + 10, middle.top + 10, 0xebebeb));
    g_assert_true(is_colour(drawn, high.right - 10, middle.bottom - 10, 0xebebeb));
    temporary_folder_remove(folder);
}

/* ---- SVG ---- */

// whole, in XML, and not too large
static void check_svg(const char *path, gsize most)
{
    static const GMarkupParser all = {0};
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&all, 0, NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(path, &text, &length, &error));
    g_assert_cmpuint(length, <, most);
    g_assert_true(g_markup_parse_context_parse(context, text, (gssize)length, &error));
    g_assert_true(g_markup_parse_context_end_parse(context, &error));
    g_assert_no_error(error);
    g_assert_nonnull(strstr(text, "<svg"));
    // numbers have no comma, whatever the locale
    g_assert_null(strstr(text, "NaN"));
    g_assert_null(strstr(text, "nan"));
    g_assert_null(strstr(text, "inf"));
}

/* What may come: each in both kinds of file. */
static void test_hostile(void)
{
    static const double none[] = {NAN, INFINITY, -INFINITY, 1e300, -1e101};
    static const double equal[] = {3, 3, 3, 3, 3}, one[] = {-7}, tiny[] = {1e-310, 2e-310, 5e-324},
                        mixed[] = {NAN, 1, INFINITY, 2, NAN}, huge[] = {-1e100, 1e100},
                        zero[] = {0, 0};
    static const struct {
        const double *y;
        int n;
    } cases[] = {{none, 5},  {equal, 5}, {one, 1},  {tiny, 3},
                 {mixed, 5}, {huge, 2},  {zero, 2}, {NULL, 0}};
    g_autofree char *longest = g_strnfill(100000, 'x');
    const char *const names[] = {longest, "<&\"'>\n\t", "\xff\xfe\x80", "",
                                 "Füchsin 狐 \xf0\x9f\xa6\x8a"};
    char *folder = temporary_folder_create();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int kind = PLOT_LINE; kind <= PLOT_BARS; kind++) {
            const struct plot_series s = {.name = names[kind],
                                          .kind = (enum plot_kind)kind,
                                          .colour = -kind,
                                          .n = cases[i].n,
                                          .x = kind == PLOT_BARS ? cases[i].y : NULL,
                                          .y = kind == PLOT_BARS ? NULL : cases[i].y,
                                          .y_low = none,
                                          .y_high = none,
                                          .labels = names};
            const struct plot p = {.title = names[i % 5],
                                   .x_label = longest,
                                   .y_label = names[2],
                                   .rows = kind == PLOT_BARS ? names : NULL,
                                   .n_rows = kind == PLOT_BARS ? 5 : 0,
                                   .series = &s,
                                   .n_series = 1};
            g_autofree char *svg = g_build_filename(folder, "plot.svg", NULL);
            g_autoptr(picture) drawn = draw(folder, &p);
            g_assert_true(plot_write(&p, svg, NULL));
            check_svg(svg, 200000);
        }
    }
    temporary_folder_remove(folder);
}

static void test_hostile_matrix(void)
{
    enum { N = 60 };
    const char *const odd[] = {"\xff", "<a>", ""};
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "m.svg", NULL);
    g_autofree double *values = g_new0(double, N *N);
    g_autofree const char **names = g_new0(const char *, N);
    for (int i = 0; i < N * N; i++) {
        values[i] = i % 7 == 0 ? NAN : i % 11 == 0 ? INFINITY : i % 13 == 0 ? 1e250 : -0.0;
        names[i / N] = odd[i / N % 3];
    }
    for (int n = 0; n <= N; n += N / 4) {
        struct plot_matrix all[5] = {{.title = odd[0]}, {.title = NULL}, {.title = odd[2]}};
        for (int i = 0; i < 5; i++) {
            all[i].values = values;
        }
        const struct plot_matrices m = {.matrices = all,
                                        .n = n == 0 ? 0 : 5,
                                        .rows = names,
                                        .columns = names,
                                        .n_rows = n,
                                        .n_columns = n,
                                        .low = 0,
                                        .high = 1e-9,
                                        .label = odd[0]};
        g_autoptr(GError) error = NULL;
        g_assert_true(plot_write_matrices(&m, path, &error));
        g_assert_no_error(error);
        check_svg(path, 4000000);
    }
    temporary_folder_remove(folder);
}

// numbers are written with a point where people write a comma
static void test_locale(void)
{
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        g_test_skip("there is no German locale");
        return;
    }
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "plot.svg", NULL);
    const double y[] = {0.1, 0.25, 0.3};
    const struct plot_series s = {.kind = PLOT_LINE, .n = 3, .y = y};
    const struct plot p = {.series = &s, .n_series = 1};
    g_autofree char *german = NULL, *plain = NULL;

    g_assert_true(plot_write(&p, path, NULL));
    g_assert_true(g_file_get_contents(path, &german, NULL, NULL));
    setlocale(LC_ALL, "C");
    g_assert_true(plot_write(&p, path, NULL));
    g_assert_true(g_file_get_contents(path, &plain, NULL, NULL));
    g_assert_cmpuint(strlen(german), ==, strlen(plain));
    temporary_folder_remove(folder);
}

/* ---- files ---- */

static void refused(const char *path, int code, const char *said)
{
    const double y[] = {1, 2};
    const struct plot_series s = {.kind = PLOT_LINE, .n = 2, .y = y};
    const struct plot p = {.series = &s, .n_series = 1};
    g_autoptr(GError) error = NULL;

    g_assert_false(plot_write(&p, path, &error));
    g_assert_error(error, SVDIFF_ERROR, code);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_nonnull(strstr(error->message, said));
}

static void test_files(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *nowhere = g_build_filename(folder, "no", "plot.png", NULL);
    g_autofree char *taken = g_build_filename(folder, "taken.svg", NULL);

    refused("plot.pdf", SVDIFF_ERROR_USAGE, "must end in .png or .svg");
    refused("png", SVDIFF_ERROR_USAGE, "must end in");
    refused(nowhere, SVDIFF_ERROR_FAILED, "cannot be written");
    g_assert_cmpint(g_mkdir(taken, 0700), ==, 0);
    refused(taken, SVDIFF_ERROR_FAILED, "a folder");
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);
    temporary_folder_remove(folder);
}

static void test_too_much(void)
{
    enum { N = 1200 };
    g_autofree double *values = g_new0(double, N *N);
    g_autofree const char **names = g_new0(const char *, N);
    const struct plot_matrix one = {.values = values};
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < N; i++) {
        names[i] = "x";
    }
    const struct plot_matrices m = {.matrices = &one,
                                    .n = 1,
                                    .rows = names,
                                    .columns = names,
                                    .n_rows = N,
                                    .n_columns = N,
                                    .low = -1,
                                    .high = 1};
    g_assert_false(plot_write_matrices(&m, "much.png", &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "too much"));
}

/* ---- fonts ---- */

// signs that the figure's own font lacks come from the font that has them, in their places
static void test_fonts(void)
{
    static const struct {
        const char *title;
        int n; // signs of 26 pixels, of which 2.6 on each side and all above 20.8 are empty
        double blackens; // how much of a square of 20.8 pixels each one fills
    } titles[] = {{"狐", 1, 1}, {"狐狐狐", 3, 1}, {"\xf0\x9f\xa6\x8a\xf0\x9f\xa6\x8a", 2, 0.5}};
    char *folder = temporary_folder_create();

    for (size_t i = 0; i < G_N_ELEMENTS(titles); i++) {
        const double xy[] = {0, 1};
        const struct plot_series s = {.kind = PLOT_LINE, .n = 2, .x = xy, .y = xy};
        const struct plot p = {.title = titles[i].title, .series = &s, .n_series = 1};
        g_autoptr(picture) drawn = draw(folder, &p);
        const struct box title = find(drawn, 0, 0, 60);
        const double width = 26 * titles[i].n - 5.2, filled = titles[i].blackens * 20.8 * 20.8;
        g_assert_cmpfloat(fabs(title.right - title.left + 1 - width), <, 4);
        g_assert_cmpfloat(fabs(title.bottom - title.top + 1 - 20.8), <, 4);
        g_assert_cmpfloat(title.n, >, 0.8 * titles[i].n * filled);
        g_assert_cmpfloat(title.n, <, 1.05 * titles[i].n * filled);
    }
    temporary_folder_remove(folder);
}

// the fonts that are installed, and those of the fixtures
static void add_fonts(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "fonts.conf", NULL);
    g_autofree char *fixtures = g_test_build_filename(G_TEST_DIST, "fixtures", "fonts", NULL);
    g_autofree char *text = g_strdup_printf(
        "<fontconfig><cachedir>%s</cachedir><include ignore_missing=\"yes\">/etc/fonts/fonts.conf"
        "</include><dir>%s</dir></fontconfig>",
        folder, fixtures);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_setenv("FONTCONFIG_FILE", path, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    char *folder = temporary_folder_create();
    add_fonts(folder);
    g_test_add_func("/plot/line", test_line);
    g_test_add_func("/plot/broken-line", test_broken_line);
    g_test_add_func("/plot/many-points", test_many_points);
    g_test_add_func("/plot/intervals", test_intervals);
    g_test_add_func("/plot/bars", test_bars);
    g_test_add_func("/plot/matrix", test_matrix);
    g_test_add_func("/plot/hostile", test_hostile);
    g_test_add_func("/plot/hostile-matrix", test_hostile_matrix);
    g_test_add_func("/plot/locale", test_locale);
    g_test_add_func("/plot/files", test_files);
    g_test_add_func("/plot/too-much", test_too_much);
    g_test_add_func("/plot/fonts", test_fonts);
    const int failed = g_test_run();
    temporary_folder_remove(folder);
    return failed;
}
