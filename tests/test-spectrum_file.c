/* spectrum_file: wherever the file is damaged, cut short or another one, it is noticed, told, and
 * what is given is right all the same. */
#include "engine/spectrum/spectrum_file.h"

#include "tests/spectrum_model.h"
#include "tests/temporary_folder.h"

#include <sys/stat.h>
#include <unistd.h>

static void flip_byte(const char *path, gsize offset)
{
    g_autofree char *content = NULL;
    gsize bytes;

    g_assert_true(g_file_get_contents(path, &content, &bytes, NULL));
    g_assert_cmpuint(offset, <, bytes);
    content[offset] ^= 0x10;
    g_assert_true(g_file_set_contents(path, content, (gssize)bytes, NULL));
}

static gsize size_of(const char *path)
{
    struct stat info;

    g_assert_cmpint(stat(path, &info), ==, 0);
    return (gsize)info.st_size;
}

// wherever a byte is wrong, what is given is right, it is told once, and the file is made again
static void test_damaged(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autoptr(spectrum_store) original = open_store(model);
    g_autofree char *path = g_strdup(spectrum_path(original));
    const gsize size = size_of(path);
    int tried = 0;

    for (gsize offset = 0; offset < size; offset += 419) {
        flip_byte(path, offset);
        g_autoptr(spectrum_store) damaged = open_store(model);
        assert_gives_all(damaged, model);
        g_assert_cmpint(model->warnings, ==, 1);
        g_autoptr(spectrum_store) again = open_store(model);
        g_assert_cmpint(model->warnings, ==, 0);
        assert_gives_all(again, model);
        g_assert_nonnull(spectrum_path(again));
        g_assert_cmpuint(size_of(path), ==, size);
        tried++;
    }
    g_assert_cmpint(tried, >, 30);
    temporary_folder_remove(folder);
}

static void test_truncated(void)
{
    static const double parts[] = {0, 0.001, 0.3, 0.7, 0.999};
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autoptr(spectrum_store) original = open_store(model);
    g_autofree char *path = g_strdup(spectrum_path(original));
    const gsize size = size_of(path);

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_assert_cmpint(truncate(path, (off_t)(parts[i] * (double)size)), ==, 0);
        g_autoptr(spectrum_store) store = open_store(model);
        g_assert_cmpint(model->warnings, ==, 1);
        g_assert_true(model->phases[SPECTRUM_PHASE_COMPUTE]);
        g_assert_cmpuint(size_of(path), ==, size);
        assert_gives_all(store, model);
    }

    // while it is in use
    g_autoptr(spectrum_store) store = open_store(model);
    g_assert_cmpint(truncate(path, (off_t)(size / 2)), ==, 0);
    assert_gives_all(store, model);
    g_assert_cmpint(model->warnings, ==, 1);
    g_assert_null(spectrum_path(store));
    temporary_folder_remove(folder);
}

// the spectra of another model, and a file of something else, under this model's name
static void test_foreign(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1), other = model_create(folder, 2);
    g_autofree char *content = NULL;
    gsize bytes;

    other->source.key = KEY_TWO;
    g_autoptr(spectrum_store) a = open_store(model), b = open_store(other);
    g_autofree char *path = g_strdup(spectrum_path(a));
    g_assert_true(g_file_get_contents(spectrum_path(b), &content, &bytes, NULL));
    g_assert_true(g_file_set_contents(path, content, (gssize)bytes, NULL));
    g_autoptr(spectrum_store) again = open_store(model);
    g_assert_cmpint(model->warnings, ==, 1);
    assert_gives_all(again, model);

    g_assert_true(g_file_set_contents(path, "PK\003\004 something else", -1, NULL));
    g_autoptr(spectrum_store) third = open_store(model);
    g_assert_cmpint(model->warnings, ==, 1);
    assert_gives_all(third, model);
    g_assert_nonnull(spectrum_path(third));
    temporary_folder_remove(folder);
}

// proving does not mend: a damaged file is an error that names it
static void test_check(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autoptr(spectrum_store) store = open_store(model);
    g_autoptr(GError) error = NULL;
    struct svd_accuracy accuracy[WEIGHTS];

    g_assert_true(spectrum_check(store, accuracy, &error));
    flip_byte(spectrum_path(store), size_of(spectrum_path(store)) / 2);
    g_autoptr(spectrum_store) damaged = open_store(model);
    g_assert_false(spectrum_check(damaged, accuracy, &error));
    g_assert_nonnull(strstr(error->message, "damaged"));
    g_assert_nonnull(strstr(error->message, folder));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spectrum_file/damaged", test_damaged);
    g_test_add_func("/spectrum_file/truncated", test_truncated);
    g_test_add_func("/spectrum_file/foreign", test_foreign);
    g_test_add_func("/spectrum_file/check", test_check);
    return g_test_run();
}
