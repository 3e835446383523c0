/* spectrum_cache: names, the bound on the folder's size, and that nothing of
 * others is ever removed. */
#include "engine/spectrum/spectrum_cache.h"

#include "engine/base/error.h"
#include "tests/temporary_folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

// 64 hexadecimal digits that end in `last`
static char *make_key(char last)
{
    char *key = g_strnfill(64, 'a');

    key[63] = last;
    return key;
}

// a file of `bytes` bytes that was used `age` seconds ago
static char *make_file(const char *folder, const char *name, size_t bytes, int age)
{
    char *path = g_build_filename(folder, name, NULL);
    g_autofree char *content = g_malloc0(bytes + 1);
    const gint64 then = g_get_real_time() / G_USEC_PER_SEC - age;
    const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};

    g_assert_true(g_file_set_contents(path, content, (gssize)bytes, NULL));
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
    return path;
}

static char *make_spectra(const char *folder, char last, size_t bytes, int age)
{
    g_autofree char *key = make_key(last);
    g_autofree char *name = g_strconcat(key, ".safetensors", NULL);

    return make_file(folder, name, bytes, age);
}

static bool exists(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void test_names(void)
{
    g_autofree char *key = make_key('0'), *path = spectrum_cache_path("/folder", key);
    g_autofree char *folder = spectrum_cache_default_folder();

    g_assert_true(g_str_has_prefix(path, "/folder/aaa"));
    g_assert_true(g_str_has_suffix(path, "a0.safetensors"));
    g_assert_true(g_str_has_prefix(folder, g_get_user_cache_dir()));
    g_assert_true(g_str_has_suffix(folder, "/svdiff/spectra"));
}

static void test_room(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(GError) error = NULL;
    g_autofree char *old = make_spectra(folder, '1', 400, 300);
    g_autofree char *older = make_spectra(folder, '2', 300, 500);
    g_autofree char *young = make_spectra(folder, '3', 200, 100);
    g_autofree char *foreign = make_file(folder, "thesis.safetensors", 900, 900);

    g_assert_cmpuint(temporary_folder_bytes(folder, ".safetensors"), ==, 900 + 900);
    g_assert_true(spectrum_cache_make_room(folder, 100, 1000, &error)); // fits exactly
    g_assert_no_error(error);
    g_assert_cmpuint(temporary_folder_bytes(folder, ".safetensors"), ==, 900 + 900);
    g_assert_true(spectrum_cache_make_room(folder, 101, 1000, &error));
    g_assert_false(exists(older));
    g_assert_true(exists(old) && exists(young));

    // what is used becomes young, and its time of change stays
    struct stat before, after;
    g_assert_cmpint(stat(old, &before), ==, 0);
    spectrum_cache_touch(old);
    g_assert_cmpint(stat(old, &after), ==, 0);
    g_assert_cmpint(before.st_mtime, ==, after.st_mtime);
    g_assert_true(spectrum_cache_make_room(folder, 600, 1000, &error));
    g_assert_false(exists(young));
    g_assert_true(exists(old));

    g_assert_true(spectrum_cache_make_room(folder, 1000, 1000, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(temporary_folder_bytes(folder, ".safetensors"), ==, 900);
    g_assert_true(exists(foreign));
    temporary_folder_remove(folder);
}

static void test_no_room(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(GError) error = NULL;
    g_autofree char *kept = make_spectra(folder, '1', 400, 300);

    // more than the limit: nothing is removed for it
    g_assert_false(spectrum_cache_make_room(folder, 1001, 1000, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "limit"));
    g_assert_true(exists(kept));
    g_clear_error(&error);

    // more than any disk has
    g_assert_false(spectrum_cache_make_room(folder, (uint64_t)1 << 60, UINT64_MAX, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "disk"));
    g_clear_error(&error);

    // a folder under a file
    g_autofree char *inner = g_build_filename(kept, "folder", NULL);
    g_assert_false(spectrum_cache_make_room(inner, 10, 1000, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    temporary_folder_remove(folder);
}

static void test_leftovers(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *key = make_key('1');
    g_autofree char *name = g_strdup_printf(".%s.safetensors.0123abcd", key);
    g_autofree char *fresh_name = g_strdup_printf(".%s.safetensors.77777777", key);
    g_autofree char *old = make_file(folder, name, 10, 3 * 24 * 60 * 60);
    g_autofree char *fresh = make_file(folder, fresh_name, 10, 60);
    g_autofree char *foreign = make_file(folder, ".hidden", 10, 3 * 24 * 60 * 60);

    g_assert_true(spectrum_cache_make_room(folder, 1, 1000, NULL));
    g_assert_false(exists(old));
    g_assert_true(exists(fresh) && exists(foreign));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spectrum_cache/names", test_names);
    g_test_add_func("/spectrum_cache/room", test_room);
    g_test_add_func("/spectrum_cache/no-room", test_no_room);
    g_test_add_func("/spectrum_cache/leftovers", test_leftovers);
    return g_test_run();
}
