/* Opening files that are none, that end early, and that change while they are read. */
#include "engine/base/regular_file.h"

#include "engine/base/error.h"
#include "tests/temporary_folder.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void write_text(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

// opening must fail with a sentence that begins with the path and says `what`
static void assert_refused(const char *path, const char *what)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(regular_file_open(path, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_nonnull(strstr(error->message, what));
}

static void test_kinds(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    g_autofree char *missing = g_build_filename(folder, "missing", NULL);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    g_autofree char *socket_path = g_build_filename(folder, "socket", NULL);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_cmpint(symlink("fifo", link), ==, 0);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    g_strlcpy(name.sun_path, socket_path, sizeof(name.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&name, sizeof(name)), ==, 0);

    assert_refused(folder, "a folder");
    assert_refused(fifo, "a FIFO");
    assert_refused(link, "a FIFO");
    assert_refused(socket_path, "socket");
    assert_refused("/dev/zero", "a device");
    assert_refused(missing, "No such file");
    close(listener);
    temporary_folder_remove(folder);
}

static void test_read(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(GError) error = NULL;
    char out[8] = {0};

    write_text(path, "0123456789");
    struct regular_file *file = regular_file_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(file->size, ==, 10);
    g_assert_true(regular_file_read(file, out, 4, 6, &error));
    g_assert_cmpstr(out, ==, "6789");
    g_assert_true(regular_file_unchanged(file, &error));
    g_assert_false(regular_file_read(file, out, 5, 6, &error));
    g_assert_nonnull(strstr(error->message, "ends too early"));
    regular_file_close(file);
    temporary_folder_remove(folder);
}

// shortened in place: noticed; replaced by another file: the old one is still there and whole
static void test_changes(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autofree char *other = g_build_filename(folder, "other", NULL);
    g_autoptr(GError) error = NULL;
    char out[11] = {0};

    write_text(path, "0123456789");
    write_text(other, "x");
    struct regular_file *file = regular_file_open(path, NULL);
    g_assert_cmpint(g_rename(other, path), ==, 0);
    g_assert_true(regular_file_unchanged(file, NULL));
    g_assert_true(regular_file_read(file, out, 10, 0, NULL));
    g_assert_cmpstr(out, ==, "0123456789");
    regular_file_close(file);

    file = regular_file_open(path, NULL);
    g_assert_cmpint(truncate(path, 0), ==, 0);
    g_assert_false(regular_file_unchanged(file, &error));
    g_assert_nonnull(strstr(error->message, "changed while it was in use"));
    regular_file_close(file);
    temporary_folder_remove(folder);
}

static void test_load(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(GError) error = NULL;
    size_t length = 0;

    g_assert_true(g_file_set_contents(path, "ab\0c", 4, NULL));
    g_autofree char *text = regular_file_load(path, 4, &length, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(text, length + 1, "ab\0c", 5);
    g_assert_null(regular_file_load(path, 3, &length, &error));
    g_assert_nonnull(strstr(error->message, "4 bytes"));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/regular_file/kinds", test_kinds);
    g_test_add_func("/regular_file/read", test_read);
    g_test_add_func("/regular_file/changes", test_changes);
    g_test_add_func("/regular_file/load", test_load);
    return g_test_run();
}
