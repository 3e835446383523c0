/* Colours: every way in which a file says what they are, against the definitions in double (see
 * fixtures/colours/make_colours.py), what is said of profiles that are of no use, and the way
 * back into a file. */
#include "engine/base/error.h"
#include "engine/picture/canvas.h"
#include "engine/picture/patch.h"
#include "engine/picture/picture_origin.h"
#include "tests/picture_fixture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Profiles hold numbers of 16 bits behind the point; a table and 8 bits of Pillow's are coarser. */
#define EXACT 2e-4f
#define BYTE  (1.01f / 255)

static const struct colours {
    const char *name, *expected; // NULL: what the file holds, 23 x 17 of the formula
    float tolerance;
    const char *warning; // a word of it, NULL for none
} colours[] = {
    {"wide8.png", "wide8", EXACT, NULL},
    {"wide.webp", "wide8", EXACT, NULL},
    {"wide8.tif", "wide8", EXACT, NULL},
    {"wide-float.tif", "wide8", EXACT, NULL},
    {"wide16.png", "wide16", EXACT, NULL},
    {"wide16.tif", "wide16", EXACT, NULL},
    {"wide-alpha16.png", "wide16", EXACT, NULL},
    {"wide.jpg", "wide-jpg", BYTE, NULL},
    {"wide-palette.png", "wide-palette", EXACT, NULL},
    {"profile-first.png", "wide8", EXACT, NULL},
    {"grey8.png", "grey8", EXACT, NULL},
    {"grey8.tif", "grey8", EXACT, NULL},
    {"grey-alpha8.png", "grey8", EXACT, NULL},
    {"grey16.png", "grey16", EXACT, NULL},
    {"grey-gamma.png", "grey-gamma", EXACT, NULL},
    {"grey.jpg", "grey-jpg", BYTE, NULL},
    {"gamma.png", "gamma", EXACT, NULL},
    {"gamma-primaries.png", "gamma-primaries", EXACT, NULL},
    {"primaries.png", "primaries", EXACT, NULL},
    {"as-srgb.png", "as-srgb", 0, NULL},
    {"srgb-first.png", "srgb-first", 0, NULL},
    {"code-points.png", "code-points", EXACT, NULL},
    {"code-points-first.png", "code-points-first", EXACT, NULL},
    {"ink.jpg", "ink", BYTE, NULL},
    {"ink8.tif", "ink", BYTE, NULL},
    {"ink16.tif", "ink", BYTE, NULL},
    {"ink-plain.jpg", "ink-plain", BYTE, NULL},
    {"one-way.tif", "one-way", BYTE, "back to its colour profile"},
    {"code-points-video.png", "as-srgb", 0, "cICP"},
    {"wrong-kind.png", "as-srgb", 0, "profile"},
    {"wrong-kind.tif", "as-srgb", 0, "another kind, not for RGB"},
    {"damaged.png", "as-srgb", 0, "damaged"},
    {"damaged.webp", "as-srgb", 0, "damaged"},
    {"damaged.tif", "as-srgb", 0, "damaged"},
    {"damaged-gamma.png", "damaged-gamma", EXACT, "damaged"},
    {"wide-lost-part.jpg", "plain-jpg", BYTE, "damaged"},
    {"ink-wrong.jpg", "ink-plain", BYTE, "another kind, not for CMYK"},
};

static void test_read(gconstpointer data)
{
    const struct colours *c = data;
    g_autofree char *expected = g_strconcat(c->expected, "-expected.tif", NULL);
    g_autoptr(picture) p = picture_fixture_read("colours", c->name),
                       want = picture_fixture_read("colours", expected);
    float most = 0;

    g_assert_cmpint(p->width, ==, want->width);
    g_assert_cmpint(p->height, ==, want->height);
    for (int i = 0; i < p->width * p->height; i++) {
        for (int k = 0; k < 3; k++) {
            const float value = p->pixels[i * p->channels + k];
            most = MAX(most, fabsf(value - want->pixels[3 * i + k]));
        }
    }
    g_test_message("at most %g, %s", most, picture_warning(p));
    g_assert_cmpfloat(most, <=, c->tolerance);
    g_assert_true((picture_warning(p) != NULL) == (c->warning != NULL));
    g_assert_true(c->warning == NULL || strstr(picture_warning(p), c->warning) != NULL);
    g_assert_true(c->warning == NULL || strstr(picture_warning(p), c->name) != NULL);
}

// the formula of every picture there; c = 3 is alpha
static int formula(int i, int c)
{
    const int x = i % 23, y = i / 23;

    return (7 * x + 13 * y + 31 * c + x * y) % 256;
}

static void test_mask(void)
{
    g_autofree char *grey = picture_fixture_path("colours", "grey8.png");
    g_autoptr(picture) mask = picture_read_mask(grey, 1, NULL);

    for (int i = 0; i < 23 * 17; i++) {
        g_assert_cmpfloat(mask->pixels[i], ==, (float)formula(i, 0) / 255.0f);
    }
}

/* ---- back into a file ---- */

struct target {
    char *folder, *path;
};

static void target_init(struct target *target, const char *name)
{
    target->folder = g_dir_make_tmp("svdiff-profile-XXXXXX", NULL);
    target->path = g_build_filename(target->folder, name, NULL);
}

static void target_finish(struct target *target)
{
    g_unlink(target->path);
    g_assert_cmpint(g_rmdir(target->folder), ==, 0);
    g_free(target->folder);
    g_free(target->path);
}

static const struct kept {
    const char *from, *to;
} kept[] = {
    {"wide8.png", "a.png"},           {"wide16.png", "a.png"},      {"wide-alpha16.png", "a.png"},
    {"wide8.tif", "a.png"},           {"wide16.tif", "a.png"},      {"wide.jpg", "a.png"},
    {"wide.webp", "a.png"},           {"wide16.png", "a.tif"},      {"wide-alpha16.png", "a.tif"},
    {"wide8.tif", "a.tif"},           {"wide16.tif", "a.tif"},      {"wide-float.tif", "a.tif"},
    {"grey8.png", "a.png"},           {"grey16.png", "a.png"},      {"grey-alpha8.png", "a.png"},
    {"grey16.png", "a.tif"},          {"grey-alpha8.png", "a.tif"}, {"grey-gamma.png", "a.png"},
    {"gamma-primaries.png", "a.png"}, {"primaries.png", "a.png"},   {"code-points.png", "a.png"},
    {"code-points.png", "a.tif"},     {"gamma.png", "a.tif"},       {"wide-palette.png", "a.png"},
};

// what was read is written with its profile and every sample, in 8 bits as in 16
static void test_kept(gconstpointer data)
{
    const struct kept *k = data;
    g_autoptr(picture) p = picture_fixture_read("colours", k->from), back = NULL;
    g_autoptr(GError) error = NULL;
    struct target target;

    target_init(&target, k->to);
    g_assert_true(picture_write(target.path, p, NULL, 0, &error));
    g_assert_no_error(error);
    back = picture_read(target.path, 1, &error);
    g_assert_no_error(error);
    const struct picture_origin *a = p->origin, *b = back->origin;
    const size_t size = sizeof(float) * p->width * p->height * p->channels;
    g_assert_cmpint(back->channels, ==, p->channels);
    g_assert_cmpmem(a->own->pixels, size, b->own->pixels, size);
    g_assert_cmpmem(p->pixels, size, back->pixels, size);
    g_assert_true(g_bytes_equal(a->icc, b->icc));
    g_assert_cmpint(a->space, ==, b->space);
    g_assert_cmpint(b->bits, ==, g_str_has_suffix(k->to, "tif") ? 32 : a->bits > 8 ? 16 : 8);
    target_finish(&target);
}

// what a file without a profile says of its colours becomes the same profile at every time
static void test_made_alike(void)
{
    const guint8 created[12] = {7, 208, 0, 1, 0, 1};
    g_autoptr(picture) p = picture_fixture_read("colours", "gamma-primaries.png");
    gsize size = 0;
    const guint8 *header = g_bytes_get_data(p->origin->icc, &size);

    g_assert_cmpuint(size, >, 128);
    g_assert_cmpmem(header + 24, 12, created, sizeof created);
}

static float furthest(const picture *a, const picture *b)
{
    float most = 0;

    g_assert_cmpint(a->channels, ==, b->channels);
    for (int i = 0; i < a->width * a->height * a->channels; i++) {
        most = MAX(most, fabsf(a->pixels[i] - b->pixels[i]));
    }
    return most;
}

static double mean(const picture *a, const picture *b)
{
    const int n = a->width * a->height * a->channels;
    double sum = 0;

    g_assert_cmpint(a->channels, ==, b->channels);
    for (int i = 0; i < n; i++) {
        sum += fabs((double)a->pixels[i] - b->pixels[i]);
    }
    return sum / n;
}

static const struct kept lossy[] = {
    {"wide.jpg", "a.jpg"}, {"grey.jpg", "a.jpg"}, {"wide.jpg", "a.webp"}, {"grey.jpg", "a.webp"}};

// a lossy format keeps the profile, or is sRGB where it has no such kind: it looks the same
static void test_lossy(gconstpointer data)
{
    const struct kept *k = data;
    const struct picture_writing best = {.quality = 100};
    g_autoptr(picture) p = picture_fixture_read("colours", k->from), back = NULL;
    g_autoptr(GError) error = NULL;
    struct target target;

    target_init(&target, k->to);
    g_assert_true(picture_write_with(target.path, p, &best, &error));
    back = picture_read(target.path, 1, &error);
    g_assert_no_error(error);
    g_test_message("on average %g, without its profile %g", mean(p, back), mean(p, p->origin->own));
    g_assert_cmpfloat(mean(p, back), <, 0.05);
    g_assert_cmpfloat(mean(p, back), <, mean(p, p->origin->own) / 2);
    const bool widened = picture_was_grey(p) && g_str_has_suffix(k->to, "webp");
    g_assert_true(widened ? back->origin->icc == NULL
                          : g_bytes_equal(p->origin->icc, back->origin->icc));
    target_finish(&target);
}

/* ---- painting ---- */

// painted in sRGB green over the right part of a picture: its own samples stay on the left
static void check_painting(const char *name, bool extended)
{
    const struct canvas_margins margins = {.right = 9};
    g_autoptr(picture) read = picture_fixture_read("colours", name);
    g_autoptr(picture) init =
        extended ? canvas_extend(read, &margins, NULL) : g_steal_pointer(&read);
    g_autoptr(picture) mask = picture_create(init->width, init->height, 1, NULL);
    struct svdiff_generate_options o = svdiff_generate_defaults(NULL);
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < init->width * init->height; i++) {
        mask->pixels[i] = i % init->width >= 12;
    }
    o.init = init;
    o.mask = mask;
    o.width = o.height = 16;
    o.feather = 0;
    o.outpaint = extended;
    struct patch *p = patch_create(&o, 8, 8, &error);
    g_autoptr(picture) painting = picture_create(p->area.width, p->area.height, 3, NULL);
    for (int i = 0; i < painting->width * painting->height * 3; i++) {
        painting->pixels[i] = i % 3 == 1;
    }
    g_autoptr(picture) out = patch_put_back(p, &o, painting, &error);
    g_assert_no_error(error);
    const picture *was = init->origin->own, *own = out->origin->own;
    bool changed = false;
    for (int i = 0; i < init->width * init->height; i++) {
        const size_t size = 3 * sizeof(float);
        const float *a = was->pixels + (size_t)i * was->channels;
        const float *b = own->pixels + (size_t)i * own->channels;
        g_assert_true(mask->pixels[i] > 0 || memcmp(a, b, size) == 0);
        changed = changed || memcmp(a, b, size) != 0;
    }
    g_assert_true(changed);
    // the two are one picture, seen from two spaces
    g_autoptr(picture) seen =
        mask_crop(own, &(struct mask_box){0, 0, own->width, own->height}, NULL);
    g_assert_true(picture_profile_to_srgb(init->origin->icc, init->origin->space, seen, NULL));
    const int last = (init->height / 2) * init->width + init->width - 1;
    for (int c = 0; c < 3 && !picture_was_grey(init); c++) {
        const float x = seen->pixels[(size_t)last * seen->channels + c];
        g_assert_cmpfloat(fabsf(x - out->pixels[(size_t)last * out->channels + c]), <, 0.05f);
    }
    patch_free(p);
}

static void test_painting(void)
{
    check_painting("wide8.png", false);
    check_painting("wide16.tif", false);
    check_painting("wide-alpha16.png", false);
    check_painting("wide16.png", true);
    check_painting("grey16.png", false);
    check_painting("grey8.png", true);
}

// grey stays grey: what is painted into it has three equal samples
static void test_grey_painting(void)
{
    g_autoptr(picture) init = picture_fixture_read("colours", "grey8.png");
    g_autoptr(picture) colour = picture_create(4, 1, 3, NULL);
    static const float values[12] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5f, 0.5f, 0.5f};
    static const double weights[3] = {0.2225, 0.7169, 0.0606};

    memcpy(colour->pixels, values, sizeof values);
    g_assert_true(picture_profile_from_srgb(init->origin->icc, init->origin->space, colour, NULL));
    for (int i = 0; i < 4; i++) {
        const double light = i < 3 ? weights[i] : pow((0.5 + 0.055) / 1.055, 2.4);
        const double want = pow(light, 256.0 / 461);
        for (int c = 0; c < 3; c++) {
            // Y of sRGB's primaries, adapted to D50
            g_assert_cmpfloat(fabs(colour->pixels[3 * i + c] - want), <, 0.001);
        }
    }
}

/* ---- depth ---- */

static void test_depth(void)
{
    g_autofree char *path = picture_fixture_path("pictures", "rgb16.png");
    g_autoptr(picture) p = picture_read(path, 1, NULL), back = NULL;
    struct target target;

    target_init(&target, "a.png");
    g_assert_true(picture_write(target.path, p, NULL, 0, NULL));
    back = picture_read(target.path, 1, NULL);
    g_assert_cmpfloat(furthest(p, back), ==, 0);
    g_assert_cmpint(back->origin->bits, ==, 16);
    struct picture_origin *depth = picture_origin_depth(back->origin);
    g_assert_cmpint(depth->bits, ==, 16);
    g_assert_null(picture_origin_depth(NULL));
    picture_origin_unref(depth);
    target_finish(&target);
}

static void add_case(const char *folder, const char *name, const void *data, GTestDataFunc run)
{
    g_autofree char *path = g_strconcat("/picture_profile/", folder, "/", name, NULL);

    g_test_add_data_func(path, data, run);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(colours); i++) {
        add_case("read", colours[i].name, &colours[i], test_read);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_autofree char *name = g_strconcat(kept[i].from, "-to-", kept[i].to, NULL);
        add_case("kept", name, &kept[i], test_kept);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(lossy); i++) {
        g_autofree char *name = g_strconcat(lossy[i].from, "-to-", lossy[i].to, NULL);
        add_case("lossy", name, &lossy[i], test_lossy);
    }
    g_test_add_func("/picture_profile/made-alike", test_made_alike);
    g_test_add_func("/picture_profile/mask", test_mask);
    g_test_add_func("/picture_profile/painting", test_painting);
    g_test_add_func("/picture_profile/grey-painting", test_grey_painting);
    g_test_add_func("/picture_profile/depth", test_depth);
    return g_test_run();
}
