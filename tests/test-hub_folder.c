/* The folder of a downloaded model: which of its snapshots is meant. */
#include "engine/model/hub_folder.h"

#include "engine/base/error.h"
#include "tests/temporary_folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// an empty file SNAPSHOT/NAME, a link to a blob as downloads are, and the snapshot's time
static void add_file(const char *hub, const char *snapshot, const char *name, int64_t time)
{
    static const char blob[] = "0123";
    g_autofree char *folder = g_build_filename(hub, "snapshots", snapshot, NULL);
    g_autofree char *blobs = g_build_filename(hub, "blobs", NULL);
    g_autofree char *stored = g_build_filename(blobs, blob, NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *target = g_strconcat("../../blobs/", blob, NULL);
    const struct timespec times[] = {{time, 0}, {time, 0}};

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(blobs, 0700), ==, 0);
    g_assert_true(g_file_set_contents(stored, "{}", 2, NULL));
    g_assert_cmpint(symlink(target, path), ==, 0);
    g_assert_cmpint(utimensat(AT_FDCWD, folder, times, 0), ==, 0);
}

static void write_reference(const char *hub, const char *text)
{
    g_autofree char *folder = g_build_filename(hub, "refs", NULL);
    g_autofree char *path = g_build_filename(folder, "main", NULL);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void assert_finds(const char *hub, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *place = g_build_filename(hub, expected, NULL);
    g_autofree char *found = hub_folder_model(hub, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, *expected == '\0' ? hub : place);
}

static void assert_refuses(const char *hub, const char *what)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(hub_folder_model(hub, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_true(g_str_has_prefix(error->message, hub));
    g_assert_nonnull(strstr(error->message, what));
    g_assert_true(g_str_has_suffix(error->message, "."));
}

// the current one, whatever the times; without a word of it the newest
static void test_snapshots(void)
{
    char *hub = temporary_folder_create();

    add_file(hub, "aaa", "model_index.json", 1000);
    add_file(hub, "bbb", "model_index.json", 3000);
    add_file(hub, "ccc", "model_index.json", 2000);
    assert_finds(hub, "snapshots/bbb");
    write_reference(hub, "aaa\n");
    assert_finds(hub, "snapshots/aaa");
    write_reference(hub, "ccc");
    assert_finds(hub, "snapshots/ccc");

    // words that name no snapshot
    static const char *const wrong[] = {"", "ddd", "../blobs", "..", "../../..", "a\nb", "\xff"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        write_reference(hub, wrong[i]);
        assert_finds(hub, "snapshots/bbb");
    }
    g_autofree char *long_name = g_strnfill(100000, 'a');
    write_reference(hub, long_name);
    assert_finds(hub, "snapshots/bbb");
    temporary_folder_remove(hub);
}

// a snapshot of a few files is no model: where the current one is such, the newest that is
static void test_without_model(void)
{
    char *hub = temporary_folder_create();

    add_file(hub, "aaa", "README.md", 4000);
    write_reference(hub, "aaa");
    assert_refuses(hub, "none of the snapshots");
    add_file(hub, "bbb", "model_index.json", 1000);
    add_file(hub, "ccc", "model_index.json", 2000);
    add_file(hub, "ddd", "config.json", 3000);
    assert_finds(hub, "snapshots/ccc");
    temporary_folder_remove(hub);

    hub = temporary_folder_create();
    g_autofree char *none = g_build_filename(hub, "snapshots", NULL);
    g_assert_cmpint(g_mkdir(none, 0700), ==, 0);
    assert_refuses(hub, "none of the snapshots");
    temporary_folder_remove(hub);
}

// models of one file: that file; of several none is guessed
static void test_files(void)
{
    char *hub = temporary_folder_create();

    add_file(hub, "aaa", "v1-5.safetensors", 1000);
    assert_finds(hub, "snapshots/aaa/v1-5.safetensors");
    g_autofree char *second = g_build_filename(hub, "snapshots/aaa/v1-5-ema.safetensors", NULL);
    g_assert_cmpint(symlink("../../blobs/0123", second), ==, 0);
    g_autofree char *snapshot = g_build_filename(hub, "snapshots", "aaa", NULL);
    assert_refuses(hub, "v1-5-ema.safetensors");
    g_autofree char *index = g_build_filename(snapshot, "model_index.json", NULL);
    g_assert_cmpint(symlink("../../blobs/0123", index), ==, 0);
    assert_finds(hub, "snapshots/aaa");
    temporary_folder_remove(hub);
}

// everything else is what it is, a model with a folder of this name, too
static void test_others(void)
{
    char *hub = temporary_folder_create();

    assert_finds(hub, "");
    assert_finds("/no/such/folder", "");
    add_file(hub, "aaa", "model_index.json", 1000);
    g_autofree char *index = g_build_filename(hub, "model_index.json", NULL);
    g_assert_true(g_file_set_contents(index, "{}", 2, NULL));
    assert_finds(hub, "");
    temporary_folder_remove(hub);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hub_folder/snapshots", test_snapshots);
    g_test_add_func("/hub_folder/without-model", test_without_model);
    g_test_add_func("/hub_folder/files", test_files);
    g_test_add_func("/hub_folder/others", test_others);
    return g_test_run();
}
