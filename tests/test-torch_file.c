/* Files of torch.save: the same tensors as safetensors', and what is refused. */
#include "engine/base/error.h"
#include "engine/base/pickle.h"
#include "engine/base/safetensors.h"
#include "tests/temporary_folder.h"

#include <string.h>

static char *fixture(const char *name)
{
    return g_test_build_filename(G_TEST_DIST, "fixtures", "pickles", name, NULL);
}

static struct safetensors *open_good(const char *name)
{
    g_autofree char *path = fixture(name);
    g_autoptr(GError) error = NULL;
    struct safetensors *file = safetensors_open(path, &error);

    g_assert_no_error(error);
    return file;
}

static void assert_same(const struct safetensors *file, const struct safetensors *plain,
                        const struct safetensors_tensor *want)
{
    const struct safetensors_tensor *got = safetensors_find(file, want->name);
    g_autofree float *a = g_new(float, want->values + 1), *b = g_new(float, want->values + 1);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(got);
    g_assert_cmpstr(got->dtype_name, ==, want->dtype_name);
    g_assert_cmpint(got->n_dims, ==, want->n_dims);
    g_assert_cmpmem(got->shape, (size_t)want->n_dims * sizeof *want->shape, want->shape,
                    (size_t)want->n_dims * sizeof *want->shape);
    if (want->dtype == DTYPE_OTHER) {
        return;
    }
    g_assert_true(safetensors_read_f32(file, got, a, &error));
    g_assert_true(safetensors_read_f32(plain, want, b, &error));
    g_assert_cmpmem(a, (size_t)want->values * sizeof *a, b, (size_t)want->values * sizeof *b);
}

// by torch.save, in the form of the name
static void test_written(const void *name)
{
    g_autoptr(safetensors) file = open_good(name);
    g_autoptr(safetensors) plain = open_good("plain.safetensors");
    g_autoptr(GError) error = NULL;
    float values[6];

    for (size_t i = 0; i < safetensors_count(plain); i++) {
        assert_same(file, plain, safetensors_at(plain, i));
    }
    g_assert_cmpint(safetensors_count(file), ==, safetensors_count(plain) + 1);
    // listed, and not read as if its values lay in another order
    const struct safetensors_tensor *turned = safetensors_find(file, "turned");
    g_assert_cmpint(turned->dtype, ==, DTYPE_OTHER);
    g_assert_false(safetensors_read_f32(file, turned, values, &error));
    g_assert_nonnull(strstr(error->message, "another order"));
}

static void test_embedding(void)
{
    g_autoptr(safetensors) file = open_good("embedding.pt");

    g_assert_cmpint(safetensors_count(file), ==, 1);
    g_assert_cmpstr(safetensors_at(file, 0)->name, ==, "string_to_param.*");
    g_assert_cmpint(safetensors_at(file, 0)->shape[0], ==, 2);
    g_assert_cmpstr(safetensors_metadata(file, "name"), ==, "glow");
}

// what: of the sentence
static void assert_refused(const char *path, const char *what)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(safetensors_open(path, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_test_message("%s", error->message);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_nonnull(strstr(error->message, what));
    g_assert_true(g_str_has_suffix(error->message, "."));
}

static void test_hostile(void)
{
    static const struct {
        const char *name, *what;
    } cases[] = {
        {"system", "\"posix system\""},
        {"eval", "\"builtins eval\""},
        {"build", "\"argparse Namespace\""},
        {"instance", "step 0x69 (i)"},
        {"extension", "step 0x82"},
        {"storage-name", "values of a are missing"},
        {"beyond", "lie beyond"},
        {"before", "damaged"},
        {"stride", "lie beyond"},
        {"huge", "lie beyond"},
        {"negative", "damaged"},
        {"dimensions", "damaged"},
        {"type", "\"torch UnknownStorage\""},
        {"no-tensor", "damaged"},
        {"cycle", "nested"},
        {"shared", "nested"},
        {"memo", "damaged"},
        {"no-memo", "damaged"},
        {"empty-stack", "damaged"},
        {"no-mark", "damaged"},
        {"odd-pairs", "damaged"},
        {"no-end", "cut off"},
        {"length", "cut off"},
        {"length-64", "cut off"},
        {"protocol-0", "step 0x64"},
        {"twice", "is there twice"},
        {"packed", "packed"},
        {"last", "lie beyond"},
        {"stretched", "lie beyond"},
        {"grown", "more values"},
        {"two", "data.pkl twice"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("hostile-%s.pt", cases[i].name);
        g_autofree char *path = fixture(name);
        assert_refused(path, cases[i].what);
    }
}

static void add_text(GString *bytes, const char *text)
{
    const guint32 length = GUINT32_TO_LE((guint32)strlen(text));

    g_string_append_c(bytes, 'X');
    g_string_append_len(bytes, (const char *)&length, sizeof length);
    g_string_append(bytes, text);
}

// calls that each copy a list which is there once
static void test_copies(void)
{
    g_autoptr(GString) bytes = g_string_new("\x80\x02");
    g_autoptr(GError) error = NULL;
    size_t used;

    g_string_append(bytes, "NN\x86q\1]q\2("); // a pair, and a list
    for (int i = 0; i < 4000; i++) {
        g_string_append(bytes, "h\1");
    }
    g_string_append(bytes, "eccollections\nOrderedDict\nq\3");
    for (int i = 0; i < 4000; i++) {
        g_string_append(bytes, "h\3h\2\x85R0");
    }
    g_string_append(bytes, ".");
    g_assert_null(pickle_read((const uint8_t *)bytes->str, bytes->len, "this", &used, &error));
    g_assert_nonnull(strstr(error->message, "more values than any"));
}

/* A file of before PyTorch 1.6 whose dict {name: {0: text, 1: text ...}} says its name and text often. */
static void assert_long(const char *name, const char *text, int times)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "long.pt", NULL);
    g_autoptr(GString) bytes = g_string_new("\x80\x02\x8a\x0a");

    g_string_append_len(bytes, "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 11);
    g_string_append(bytes, "\x80\x02M\xe9\x03.\x80\x02}.\x80\x02");
    add_text(bytes, text);
    g_string_append(bytes, "q\1"
                           "0}");
    add_text(bytes, name);
    g_string_append(bytes, "}");
    for (int i = 0; i < times; i++) {
        const guint32 key = GUINT32_TO_LE((guint32)i);
        g_string_append_c(bytes, 'J');
        g_string_append_len(bytes, (const char *)&key, sizeof key);
        g_string_append(bytes, "h\1s");
    }
    g_string_append(bytes, "s.\x80\x02].");
    g_assert_true(g_file_set_contents(path, bytes->str, (gssize)bytes->len, NULL));
    assert_refused(path, "names and texts are longer than any");
    temporary_folder_remove(folder);
}

static void test_long(void)
{
    g_autofree char *long_text = g_strnfill(100000, 'x'), *long_name = g_strnfill(3000, 'x');

    assert_long("name", long_text, 1000);
    assert_long(long_name, "text", 30000);
}

// every beginning of a good file: refused, and nothing beyond its end is read
static void test_cut_off(const void *name)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "cut.pt", NULL), *good = fixture(name);
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(good, &bytes, &size, NULL));
    for (gsize length = 0; length < size; length += 1 + size / 97) {
        g_autoptr(GError) error = NULL;
        g_assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
        g_assert_null(safetensors_open(path, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    }
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/torch_file/zip", "zip.pt", test_written);
    g_test_add_data_func("/torch_file/old", "old.pt", test_written);
    g_test_add_func("/torch_file/embedding", test_embedding);
    g_test_add_func("/torch_file/hostile", test_hostile);
    g_test_add_func("/torch_file/copies", test_copies);
    g_test_add_func("/torch_file/long", test_long);
    g_test_add_data_func("/torch_file/cut-zip", "zip.pt", test_cut_off);
    g_test_add_data_func("/torch_file/cut-old", "old.pt", test_cut_off);
    return g_test_run();
}
