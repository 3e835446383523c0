/* Writing pictures: what is read back is what was written, texts come back as they were, and a
 * picture that cannot be written leaves the folder as it was. */
#include "engine/base/error.h"
#include "engine/picture/picture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char *folder, *path;
};

static void place_init(struct place *place, const char *name)
{
    place->folder = g_dir_make_tmp("svdiff-picture-XXXXXX", NULL);
    g_assert_nonnull(place->folder);
    place->path = g_build_filename(place->folder, name, NULL);
}

// how many files are in the folder, hidden ones too
static int count_files(const struct place *place)
{
    g_autoptr(GDir) folder = g_dir_open(place->folder, 0, NULL);
    int n = 0;

    while (g_dir_read_name(folder)) {
        n++;
    }
    return n;
}

static void place_finish(struct place *place)
{
    g_unlink(place->path);
    g_assert_cmpint(g_rmdir(place->folder), ==, 0);
    g_free(place->folder);
    g_free(place->path);
}

// values all over 0..1, none of them on a step of 8 bits
static picture *make_picture(int width, int height, int channels)
{
    picture *p = picture_create(width, height, channels, NULL);

    for (int i = 0; i < width * height * channels; i++) {
        p->pixels[i] = (float)fmod(i * 0.61803398875, 1.0);
    }
    return p;
}

static void test_png(gconstpointer data)
{
    const int channels = GPOINTER_TO_INT(data);
    g_autoptr(picture) p = make_picture(31, 9, channels), back = NULL;
    g_autoptr(GError) error = NULL;
    struct place place;

    place_init(&place, "a.png");
    p->pixels[0] = -3;
    p->pixels[1] = 7;
    g_assert_true(picture_write(place.path, p, NULL, 0, &error));
    g_assert_no_error(error);
    back = picture_read(place.path, 1, NULL);
    g_assert_cmpint(back->channels, ==, channels == 1 ? 3 : channels);
    for (int i = 0; i < 31 * 9 * back->channels; i++) {
        const int from = channels == 1 ? i / 3 : i;
        const double want = rint(CLAMP(p->pixels[from], 0.0f, 1.0f) * 255.0) / 255;
        g_assert_cmpfloat(fabs(back->pixels[i] - want), <, 1e-6);
    }
    place_finish(&place);
}

static void test_tiff(gconstpointer data)
{
    const int channels = GPOINTER_TO_INT(data);
    // more than one strip
    g_autoptr(picture) p = make_picture(301, 190, channels), back = NULL;
    const struct picture_text text = {"parameters", "a cat, Größe 3, 猫"};
    g_autoptr(GError) error = NULL;
    struct place place;

    place_init(&place, "a.TIFF");
    g_assert_true(picture_write(place.path, p, &text, 1, &error));
    g_assert_no_error(error);
    back = picture_read(place.path, 1, NULL);
    g_assert_cmpint(back->channels, ==, channels == 1 ? 3 : channels);
    for (int i = 0; i < 301 * 190 * back->channels; i++) {
        g_assert_cmpfloat(back->pixels[i], ==, p->pixels[channels == 1 ? i / 3 : i]);
    }
    place_finish(&place);
}

// a slope, which a lossy format changes little
static picture *make_slope(int channels)
{
    picture *p = picture_create(61, 39, channels, NULL);

    for (int i = 0; i < 61 * 39 * channels; i++) {
        const int x = i / channels % 61, y = i / channels / 61, c = i % channels;
        p->pixels[i] = c == 3 ? (float)x / 60 : (float)(x + 20 * c) / 120 + (float)y / 100;
    }
    return p;
}

static gsize size_of(const char *path)
{
    GStatBuf info;

    g_assert_cmpint(g_stat(path, &info), ==, 0);
    return (gsize)info.st_size;
}

static const struct lossy {
    const char *name;
    int channels, read; // what is read back
} lossy[] = {{"a.jpg", 3, 3},  {"a.jpeg", 1, 3}, {"a.JPG", 4, 3},
             {"a.webp", 3, 3}, {"a.webp", 1, 3}, {"a.webp", 4, 4}};

/* What is read back is near to what was written, clear places in a JPEG are white; more quality is
 * nearer and larger. */
static void test_lossy(gconstpointer data)
{
    const struct lossy *l = data;
    static const float white[3] = {1, 1, 1};
    g_autoptr(picture) p = make_slope(l->channels);
    double off[2] = {0};
    gsize size[2];
    struct place place;

    place_init(&place, l->name);
    for (int k = 0; k < 2; k++) {
        const struct picture_writing w = {.quality = k == 0 ? 30 : 95};
        g_assert_true(picture_write_with(place.path, p, &w, NULL));
        size[k] = size_of(place.path);
        g_autoptr(picture) back = picture_read(place.path, 1, NULL);
        g_autoptr(picture) want = make_slope(l->channels);
        if (l->read == 3) {
            picture_flatten(want, white);
        }
        g_assert_cmpint(back->channels, ==, l->read);
        for (int i = 0; i < 61 * 39 * l->read; i++) {
            off[k] += fabs(back->pixels[i] - want->pixels[want->channels == 1 ? i / 3 : i]);
        }
        off[k] /= 61 * 39 * l->read;
    }
    g_test_message("off %g and %g, bytes %zu and %zu", off[0], off[1], size[0], size[1]);
    g_assert_cmpfloat(off[1], <, 0.01);
    g_assert_cmpfloat(off[1], <, off[0]);
    g_assert_cmpint(size[0], <, size[1]);
    place_finish(&place);
}

// the bytes that a file holds somewhere
static bool holds(const char *path, const void *bytes, gsize n)
{
    g_autofree char *data = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    return memmem(data, size, bytes, n) != NULL;
}

// whether the file has a chunk of just this content
static bool holds_chunk(const char *path, const char *type, const void *content, guint32 n)
{
    const guint32 length = GUINT32_TO_BE(n);
    g_autoptr(GByteArray) chunk = g_byte_array_new();

    g_byte_array_append(chunk, (const guint8 *)&length, 4);
    g_byte_array_append(chunk, (const guint8 *)type, 4);
    g_byte_array_append(chunk, content, n);
    return holds(path, chunk->data, chunk->len);
}

static void test_texts(void)
{
    const struct picture_text texts[] = {
        {"parameters", "a café\nSteps: 20, Seed: 1"},
        {"svdiff", "{\"prompt\":\"猫 🐈\"}"},
        {"control", "tab\there"},
        {"empty", ""},
    };
    g_autoptr(picture) p = make_picture(5, 4, 3);
    struct place place;

    place_init(&place, "a.png");
    g_assert_true(picture_write(place.path, p, texts, G_N_ELEMENTS(texts), NULL));
    // Latin-1 is a tEXt chunk, the rest iTXt, as other programs expect it
    g_assert_true(holds_chunk(place.path, "tEXt", "parameters\0a caf\xe9\nSteps: 20, Seed: 1", 36));
    g_assert_true(holds_chunk(place.path, "iTXt", "svdiff\0\0\0\0\0{\"prompt\":\"猫 🐈\"}", 32));
    g_assert_true(holds_chunk(place.path, "iTXt", "control\0\0\0\0\0tab\there", 20));
    g_assert_true(holds_chunk(place.path, "tEXt", "empty", 6));
    place_finish(&place);
}

// the user comment of EXIF data, UTF-16 in the big byte order
static void test_exif_texts(gconstpointer name)
{
    const struct picture_text text = {"parameters", "a café 🐈"};
    g_autoptr(picture) p = make_slope(3);
    struct place place;

    place_init(&place, name);
    g_assert_true(picture_write(place.path, p, &text, 1, NULL));
    g_assert_true(
        holds(place.path, "MM\0\x2a\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1a", 22));
    g_assert_true(holds(place.path, "UNICODE\0\0a\0 \0c\0a\0f\0\xe9\0 \xd8\x3d\xdc\x08", 26));
    g_autoptr(picture) back = picture_read(place.path, 1, NULL); // its orientation is none
    g_assert_cmpint(back->width, ==, 61);
    place_finish(&place);
}

// a text that is larger than a marker is cut off, and the picture is whole
static void test_long_text(void)
{
    g_autofree char *value = g_strnfill(200000, 'x');
    const struct picture_text text = {"parameters", value};
    g_autoptr(picture) p = make_slope(3), back = NULL;
    struct place place;

    place_init(&place, "a.jpg");
    g_assert_true(picture_write(place.path, p, &text, 1, NULL));
    back = picture_read(place.path, 1, NULL);
    g_assert_nonnull(back);
    g_assert_true(holds(place.path, "UNICODE\0\0x\0x", 12));
    place_finish(&place);
}

static void expect_refused(const char *path, const picture *p, int code, const char *sentence)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(picture_write(path, p, NULL, 0, &error));
    g_assert_error(error, SVDIFF_ERROR, code);
    if (!strstr(error->message, path) || !strstr(error->message, sentence)) {
        g_test_message("not a sentence with '%s': %s", sentence, error->message);
        g_test_fail();
    }
    g_assert_false(picture_write(path, p, NULL, 0, NULL));
}

static void test_names(void)
{
    const char *const wrong[] = {"a.gif", "a", "a.png.webm", "folder.png/a", "png"};
    g_autoptr(picture) p = make_picture(2, 2, 3);

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_false(picture_check_name(wrong[i], NULL));
        expect_refused(wrong[i], p, SVDIFF_ERROR_USAGE,
                       "a picture's name must end in .png, .tif (float), .jpg or .webp.");
    }
    g_assert_true(picture_check_name("a.PNG", NULL));
    g_assert_true(picture_check_name("folder.x/a.tif", NULL));
    g_assert_true(picture_name_is_lossy("a.JPEG") && picture_name_is_lossy("a.webp"));
    g_assert_false(picture_name_is_lossy("a.tif") || picture_name_is_lossy("a.png"));
    g_assert_false(picture_name_has_alpha("a.jpg"));
    g_assert_true(picture_name_has_alpha("a.webp") && picture_name_has_alpha("a.png"));
}

static void test_bad_targets(void)
{
    g_autoptr(picture) p = make_picture(2, 2, 3);
    struct place place;

    place_init(&place, "a.png");
    g_assert_cmpint(g_mkdir(place.path, 0700), ==, 0);
    expect_refused(place.path, p, SVDIFF_ERROR_FAILED, "this is a folder");
    g_assert_cmpint(g_rmdir(place.path), ==, 0);
    g_assert_cmpint(mkfifo(place.path, 0600), ==, 0);
    expect_refused(place.path, p, SVDIFF_ERROR_FAILED, "this is no regular file");
    expect_refused("/nowhere/a.png", p, SVDIFF_ERROR_FAILED, "No such file or directory");
    place_finish(&place);
}

static void test_not_numbers(void)
{
    g_autoptr(picture) p = make_picture(2, 2, 3);
    struct place place;

    place_init(&place, "a.tif");
    p->pixels[7] = NAN;
    expect_refused(place.path, p, SVDIFF_ERROR_FAILED, "holds values that are not numbers");
    g_assert_cmpint(count_files(&place), ==, 0);
    place_finish(&place);
}

// a limit on the size of files stands for a full disk: the old file stays, no other is left
static void test_no_space(gconstpointer name)
{
    g_autoptr(picture) small = make_picture(4, 4, 3), large = make_picture(200, 200, 3);
    g_autofree char *old = NULL, *now = NULL;
    struct rlimit limit, low;
    struct place place;
    gsize size, size_now;

    place_init(&place, name);
    g_assert_true(picture_write(place.path, small, NULL, 0, NULL));
    g_assert_true(g_file_get_contents(place.path, &old, &size, NULL));
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    low = limit;
    low.rlim_cur = 1000;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
    expect_refused(place.path, large, SVDIFF_ERROR_FAILED, g_strerror(EFBIG));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    g_assert_true(g_file_get_contents(place.path, &now, &size_now, NULL));
    g_assert_cmpmem(old, size, now, size_now);
    g_assert_cmpint(count_files(&place), ==, 1);
    place_finish(&place);
}

// the same picture and texts give the same bytes
static void test_repeatable(gconstpointer name)
{
    g_autoptr(picture) p = make_picture(20, 20, 3);
    const struct picture_text text = {"parameters", "a cat"};
    g_autofree char *first = NULL, *second = NULL;
    struct place place;
    gsize a, b;

    place_init(&place, name);
    g_assert_true(picture_write(place.path, p, &text, 1, NULL));
    g_assert_true(g_file_get_contents(place.path, &first, &a, NULL));
    g_assert_true(picture_write(place.path, p, &text, 1, NULL));
    g_assert_true(g_file_get_contents(place.path, &second, &b, NULL));
    g_assert_cmpmem(first, a, second, b);
    place_finish(&place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/picture_write/png/rgb", GINT_TO_POINTER(3), test_png);
    g_test_add_data_func("/picture_write/png/rgba", GINT_TO_POINTER(4), test_png);
    g_test_add_data_func("/picture_write/png/mask", GINT_TO_POINTER(1), test_png);
    g_test_add_data_func("/picture_write/tiff/rgb", GINT_TO_POINTER(3), test_tiff);
    g_test_add_data_func("/picture_write/tiff/rgba", GINT_TO_POINTER(4), test_tiff);
    g_test_add_data_func("/picture_write/tiff/mask", GINT_TO_POINTER(1), test_tiff);
    g_test_add_func("/picture_write/texts", test_texts);
    for (size_t i = 0; i < G_N_ELEMENTS(lossy); i++) {
        g_autofree char *path =
            g_strdup_printf("/picture_write/lossy/%d-%s", lossy[i].channels, lossy[i].name);
        g_test_add_data_func(path, &lossy[i], test_lossy);
    }
    g_test_add_data_func("/picture_write/exif-texts/jpeg", "a.jpg", test_exif_texts);
    g_test_add_data_func("/picture_write/exif-texts/webp", "a.webp", test_exif_texts);
    g_test_add_func("/picture_write/long-text", test_long_text);
    g_test_add_func("/picture_write/names", test_names);
    g_test_add_func("/picture_write/bad-targets", test_bad_targets);
    g_test_add_func("/picture_write/not-numbers", test_not_numbers);
    g_test_add_data_func("/picture_write/no-space/png", "a.png", test_no_space);
    g_test_add_data_func("/picture_write/no-space/tiff", "a.tif", test_no_space);
    g_test_add_data_func("/picture_write/no-space/jpeg", "a.jpg", test_no_space);
    g_test_add_data_func("/picture_write/no-space/webp", "a.webp", test_no_space);
    g_test_add_data_func("/picture_write/repeatable/png", "a.png", test_repeatable);
    g_test_add_data_func("/picture_write/repeatable/tiff", "a.tif", test_repeatable);
    g_test_add_data_func("/picture_write/repeatable/jpeg", "a.jpg", test_repeatable);
    g_test_add_data_func("/picture_write/repeatable/webp", "a.webp", test_repeatable);
    return g_test_run();
}
