/* Files are written whole or not at all: committed, given up, without space, over other things. */
#include "engine/base/atomic_file.h"

#include "engine/base/error.h"
#include "tests/temporary_folder.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void assert_text(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void test_commit(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(GError) error = NULL;

    struct atomic_file *file = atomic_file_create(path, &error);
    g_assert_no_error(error);
    g_assert_true(atomic_file_reserve(file, 1 << 20, &error));
    g_assert_true(atomic_file_write(file, "....", 4, &error));
    g_assert_true(atomic_file_write(file, "cd", 2, &error));
    g_assert_true(atomic_file_write_at(file, "gh", 2, 8, &error));
    g_assert_true(atomic_file_write_at(file, "ef", 2, 6, &error));
    g_assert_true(atomic_file_write_at(file, "12ab", 4, 0, &error));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(atomic_file_commit(file, &error));
    atomic_file_close(file);
    assert_text(path, "12abcdefgh");
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);
    temporary_folder_remove(folder);
}

// what is given up leaves the old file and nothing else
static void test_abandon(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "file", NULL);

    g_assert_true(atomic_file_store(path, "old", 3, NULL));
    struct atomic_file *file = atomic_file_create(path, NULL);
    g_assert_true(atomic_file_write(file, "new", 3, NULL));
    atomic_file_close(file);
    assert_text(path, "old");
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);
    temporary_folder_remove(folder);
}

// a file keeps its permissions, a link stays a link
static void test_replace(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    struct stat info;

    g_assert_true(atomic_file_store(path, "old", 3, NULL));
    g_assert_cmpint(chmod(path, 0640), ==, 0);
    g_assert_cmpint(symlink("file", link), ==, 0);
    g_assert_true(atomic_file_store(link, "new", 3, NULL));
    assert_text(path, "new");
    g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0640);
    temporary_folder_remove(folder);
}

static void assert_refused(const char *path, const char *what)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(atomic_file_store(path, "x", 1, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, what));
}

static void test_refusals(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    g_autofree char *nowhere = g_build_filename(folder, "missing", "file", NULL);
    g_autofree char *slash = g_strconcat(folder, "/new/", NULL);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    assert_refused(fifo, "no regular file");
    assert_refused(folder, "a folder");
    assert_refused("/dev/null", "no regular file");
    assert_refused(nowhere, "No such file");
    assert_refused(slash, "name");
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);
    temporary_folder_remove(folder);
}

// a limit on the size of files stands in for a full disk
static void test_no_space(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autofree char *block = g_malloc0(65536);
    g_autoptr(GError) reserve_error = NULL;
    g_autoptr(GError) write_error = NULL;
    struct rlimit before, limit;

    g_assert_true(atomic_file_store(path, "old", 3, NULL));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    limit = before;
    limit.rlim_cur = 4096;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    struct atomic_file *file = atomic_file_create(path, NULL);
    bool reserved = atomic_file_reserve(file, (int64_t)1 << 40, &reserve_error);
    bool written = atomic_file_write(file, block, 65536, &write_error);
    atomic_file_close(file);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);

    g_assert_false(reserved);
    g_assert_error(reserve_error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_false(written);
    g_assert_true(g_str_has_prefix(write_error->message, path));
    assert_text(path, "old");
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/atomic_file/commit", test_commit);
    g_test_add_func("/atomic_file/abandon", test_abandon);
    g_test_add_func("/atomic_file/replace", test_replace);
    g_test_add_func("/atomic_file/refusals", test_refusals);
    g_test_add_func("/atomic_file/no-space", test_no_space);
    return g_test_run();
}
