/* The pictures that are kept: written and read again, in order, bounded, damaged, on a full disk,
 * by two processes at once, and by one that is killed. */
#include "plugin/history.h"

#include "tests/temporary_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct host_area place = {.x = -3, .y = 4, .width = 6, .height = 5};

// a picture of one colour whose values 8 bits hold
static picture *make_picture(int width, int height, int value)
{
    picture *p = picture_create(width, height, 4, NULL);

    for (int i = 0; i < width * height * 4; i++) {
        p->pixels[i] = (float)((value + i) % 256) / 255;
    }
    return p;
}

static char *keep(const char *folder, const char *run, int index, int value, const float *mask)
{
    const struct history_entry entry = {.prompt = (char *)"ein Füchslein im „Schnee“",
                                        .settings = (char *)"{\"prompt\":\"ein Füchslein\"}",
                                        .area = place};
    g_autoptr(picture) p = make_picture(6, 5, value);
    g_autoptr(GError) error = NULL;
    char *name = history_add(folder, run, index, p, mask, &entry, &error);

    g_assert_no_error(error);
    return name;
}

static void assert_picture(const picture *p, int value)
{
    g_autoptr(picture) expected = make_picture(p->width, p->height, value);

    g_assert_cmpint(p->channels, ==, 4);
    for (int i = 0; i < p->width * p->height * 4; i++) {
        g_assert_cmpfloat_with_epsilon(p->pixels[i], expected->pixels[i], 1e-6);
    }
}

static void test_again(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *run = history_run();
    g_autofree float *mask = g_new(float, 30);
    float *read;
    struct history_entry entry;
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 30; i++) {
        mask[i] = (float)(i * 8) / 255;
    }
    g_autofree char *plain = keep(folder, run, 0, 3, NULL), *masked = keep(folder, run, 1, 9, mask);
    g_assert_true(history_read(folder, masked, &entry, &error));
    g_assert_cmpstr(entry.settings, ==, "{\"prompt\":\"ein Füchslein\"}");
    g_assert_cmpstr(entry.prompt, ==, "ein Füchslein im „Schnee“");
    g_assert_cmpmem(&entry.area, sizeof entry.area, &place, sizeof place);
    g_assert_true(entry.masked);
    g_autoptr(picture) p = history_picture(folder, masked, &entry, &read, &error);
    assert_picture(p, 9);
    for (int i = 0; i < 30; i++) {
        g_assert_cmpfloat_with_epsilon(read[i], mask[i], 1e-6);
    }
    g_free(read);
    history_entry_clear(&entry);
    g_assert_true(history_read(folder, plain, &entry, &error));
    g_assert_false(entry.masked);
    g_autoptr(picture) q = history_picture(folder, plain, &entry, &read, &error);
    assert_picture(q, 3);
    g_assert_null(read);
    history_entry_clear(&entry);
    history_remove(folder, masked);
    history_remove(folder, plain);
    g_assert_cmpint(temporary_folder_count(folder), ==, 0);
    temporary_folder_remove(folder);
}

// the newest run first, its pictures in their order
static void test_order(void)
{
    char *folder = temporary_folder_create();
    const char *const runs[] = {"20260101-000000-000001-00000001",
                                "20260101-000000-000002-00000000"};
    const char *const expected[] = {
        "20260101-000000-000002-00000000-0000.png", "20260101-000000-000002-00000000-0001.png",
        "20260101-000000-000001-00000001-0000.png", "20260101-000000-000001-00000001-0001.png"};

    for (int i = 0; i < 4; i++) {
        g_free(keep(folder, runs[i % 2], i / 2, 0, NULL));
    }
    g_auto(GStrv) names = history_list(folder);
    g_assert_cmpint(g_strv_length(names), ==, 4);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpstr(names[i], ==, expected[i]);
    }
    g_assert_true(history_same_run(names[0], names[1]));
    g_assert_false(history_same_run(names[1], names[2]));
    temporary_folder_remove(folder);
}

static void test_bounds(void)
{
    char *folder = temporary_folder_create();
    float mask[30] = {0};

    for (int i = 0; i < HISTORY_MAX + 3; i++) {
        g_autofree char *run = g_strdup_printf("20260101-000000-%06d-00000000", i);
        g_free(keep(folder, run, 0, 0, i < 4 ? mask : NULL));
    }
    history_tidy(folder);
    g_auto(GStrv) names = history_list(folder);
    g_assert_cmpint(g_strv_length(names), ==, HISTORY_MAX);
    g_assert_cmpstr(names[HISTORY_MAX - 1], ==, "20260101-000000-000003-00000000-0000.png");
    g_assert_cmpint(temporary_folder_count(folder), ==, HISTORY_MAX + 1); // one has a mask
    temporary_folder_remove(folder);
}

// the oldest go when there are too many bytes, but never the newest
static void test_bytes(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *old = keep(folder, "20260101-000000-000000-00000000", 0, 0, NULL);
    g_autofree char *new = keep(folder, "20260101-000000-000001-00000000", 0, 0, NULL);
    g_autofree char *path = g_build_filename(folder, new, NULL);

    g_assert_cmpint(truncate(path, HISTORY_BYTES_MAX + 1), ==, 0); // a hole takes no space
    history_tidy(folder);
    g_auto(GStrv) names = history_list(folder);
    g_assert_cmpint(g_strv_length(names), ==, 1);
    g_assert_cmpstr(names[0], ==, new);
    temporary_folder_remove(folder);
}

static void assert_unreadable(const char *folder, const char *name)
{
    g_autoptr(GError) error = NULL;
    struct history_entry entry;

    g_assert_false(history_read(folder, name, &entry, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "not kept any more"));
}

// cut anywhere, or another picture: a sentence, and never half of it
static void test_damaged(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *name = keep(folder, "20260101-000000-000000-00000000", 0, 0, NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL), *bytes = NULL;
    g_autoptr(picture) p = make_picture(6, 5, 0);
    gsize length;

    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    for (gsize cut = 0; cut < length; cut += 7) {
        struct history_entry entry;
        float *mask = NULL;
        g_assert_true(g_file_set_contents(path, bytes, (gssize)cut, NULL));
        const bool known = history_read(folder, name, &entry, NULL);
        g_autoptr(picture) read = known ? history_picture(folder, name, &entry, &mask, NULL) : NULL;
        g_assert_null(read);
        g_assert_null(mask);
        history_entry_clear(&entry);
    }
    g_assert_true(picture_write(path, p, NULL, 0, NULL)); // without texts
    assert_unreadable(folder, name);
    g_assert_true(g_file_set_contents(path, "text", 4, NULL));
    assert_unreadable(folder, name);
    g_unlink(path);
    assert_unreadable(folder, name);
    temporary_folder_remove(folder);
}

// places that no image has
static void test_places(void)
{
    static const char *const places[] = {"",         "1 2 3",          "0 0 0 5",
                                         "0 0 5 -5", "0 0 99999999 5", "a b c d"};
    char *folder = temporary_folder_create();
    g_autoptr(picture) p = make_picture(6, 5, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        const struct picture_text texts[] = {
            {"svdiff-settings", "{}"}, {"Description", "a"}, {"svdiff-place", places[i]}};
        g_autofree char *path = g_build_filename(folder, "20260101-0000.png", NULL);
        g_assert_true(picture_write(path, p, texts, 3, NULL));
        assert_unreadable(folder, "20260101-0000.png");
    }
    temporary_folder_remove(folder);
}

// a limit on the size of files stands in for a full disk
static void test_no_space(void)
{
    char *folder = temporary_folder_create();
    const struct history_entry entry = {
        .settings = (char *)"{}", .prompt = (char *)"", .area = {0, 0, 64, 64}};
    g_autoptr(picture) p = make_picture(64, 64, 0);
    g_autofree float *mask = g_new0(float, 64 * 64);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    g_autoptr(GError) error = NULL;
    struct rlimit before, limit;

    for (int i = 0; i < 64 * 64 * 4; i++) { // nothing that packs well
        p->pixels[i] = (float)g_rand_int_range(random, 0, 256) / 255;
    }
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    limit = before;
    limit.rlim_cur = 4096; // the mask fits, the picture does not
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    g_autofree char *name =
        history_add(folder, "20260101-000000-000000-00000000", 0, p, mask, &entry, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    g_assert_null(name);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_cmpint(temporary_folder_count(folder), ==, 0);
    temporary_folder_remove(folder);
}

// keeps pictures until it is killed, or `n`
static pid_t start_writer(const char *folder, int n)
{
    const pid_t pid = fork();

    if (pid == 0) {
        g_random_set_seed((guint32)getpid()); // else both name their runs by the same numbers
        for (int i = 0; i < n; i++) {
            g_autofree char *run = history_run();
            float mask[30] = {0};
            g_free(keep(folder, run, 0, i, mask));
            history_tidy(folder);
        }
        _exit(0);
    }
    return pid;
}

// every picture that is there can be read
static int count_whole(const char *folder)
{
    g_auto(GStrv) names = history_list(folder);
    int n = 0;

    for (char **name = names; *name != NULL; name++, n++) {
        struct history_entry entry;
        g_autoptr(GError) error = NULL;
        float *mask;
        g_assert_true(history_read(folder, *name, &entry, &error));
        g_autoptr(picture) p = history_picture(folder, *name, &entry, &mask, &error);
        g_assert_no_error(error);
        g_assert_nonnull(mask);
        g_free(mask);
        history_entry_clear(&entry);
    }
    return n;
}

static void test_two_writers(void)
{
    char *folder = temporary_folder_create();
    const pid_t pids[] = {start_writer(folder, 40), start_writer(folder, 40)};
    int status;

    for (size_t i = 0; i < G_N_ELEMENTS(pids); i++) {
        g_assert_cmpint(waitpid(pids[i], &status, 0), ==, pids[i]);
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    g_assert_cmpint(count_whole(folder), ==, 80);
    temporary_folder_remove(folder);
}

static void make_older(const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};

    for (const char *name; (name = g_dir_read_name(entries)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
    }
}

// at any moment: what is there is whole, and what is left goes later
static void test_killed(void)
{
    char *folder = temporary_folder_create();

    for (int i = 0; i < 20; i++) {
        const pid_t pid = start_writer(folder, 1000000);
        g_usleep((gulong)(2000 + 1500 * i));
        kill(pid, SIGKILL);
        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
        count_whole(folder);
    }
    make_older(folder);
    history_tidy(folder);
    g_assert_cmpint(temporary_folder_count(folder), ==, 2 * count_whole(folder));
    temporary_folder_remove(folder);
}

// the user's alone, also where somebody made it otherwise
static void test_folder(void)
{
    char *data = temporary_folder_create();
    g_autofree char *old = g_build_filename(data, "svdiff", "history", NULL);
    g_autoptr(GError) error = NULL;
    struct stat info;

    g_assert_cmpint(g_mkdir_with_parents(old, 0755), ==, 0);
    g_assert_cmpint(chmod(old, 0755), ==, 0);
    g_setenv("XDG_DATA_HOME", data, TRUE); // before GLib asked for it
    g_autofree char *folder = history_folder(&error);
    g_assert_no_error(error);
    g_assert_cmpstr(folder, ==, old);
    g_assert_cmpint(stat(folder, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0700);
    temporary_folder_remove(data);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/folder", test_folder);
    g_test_add_func("/history/again", test_again);
    g_test_add_func("/history/order", test_order);
    g_test_add_func("/history/bounds", test_bounds);
    g_test_add_func("/history/bytes", test_bytes);
    g_test_add_func("/history/damaged", test_damaged);
    g_test_add_func("/history/places", test_places);
    g_test_add_func("/history/no-space", test_no_space);
    g_test_add_func("/history/two-writers", test_two_writers);
    g_test_add_func("/history/killed", test_killed);
    return g_test_run();
}
