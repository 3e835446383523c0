/* safetensors: what is read is what was written, and every damage of a header is a sentence.
 *
 * The expected bytes of the writer are those that the reference implementation (the Python package
 * safetensors 0.7) gives for the same tensors. */
#include "engine/base/safetensors.h"

#include "engine/base/error.h"
#include "engine/base/safetensors_write.h"
#include "tests/temporary_folder.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

// a file from a header's text and `n` bytes of values 0, 1, 2 ...
static void write_file(const char *path, const char *header, size_t n)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint64_t length = GUINT64_TO_LE((uint64_t)strlen(header));

    g_byte_array_append(bytes, (const guint8 *)&length, 8);
    g_byte_array_append(bytes, (const guint8 *)header, (guint)strlen(header));
    for (size_t i = 0; i < n; i++) {
        guint8 value = (guint8)i;
        g_byte_array_append(bytes, &value, 1);
    }
    g_assert_true(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
}

// no metadata, and metadata that is null, are the same
static void test_null_metadata(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    g_autoptr(GError) error = NULL;
    float value;

    write_file(path,
               "{\"__metadata__\":null,"
               "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
               4);
    g_autoptr(safetensors) file = safetensors_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(safetensors_count(file), ==, 1);
    g_assert_null(safetensors_metadata(file, "format"));
    g_assert_null(safetensors_metadata_keys(file)[0]);
    g_assert_true(safetensors_read_f32(file, safetensors_at(file, 0), &value, &error));
    temporary_folder_remove(folder);
}

static void test_read(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    g_autoptr(GError) error = NULL;
    float values[4];

    // an odd length of header and a byte in front: nothing is aligned
    write_file(path,
               "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
               "\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[1,5]},"
               "\"half\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[5,9]},"
               "\"brain\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[9,11]},"
               "\"wide\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[11,19]},"
               "\"none\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[19,19]},"
               "\"f8\":{\"dtype\":\"F8_E8M0\",\"shape\":[2],\"data_offsets\":[19,21]},"
               "\"new\":{\"dtype\":\"Q3\",\"shape\":[5],\"data_offsets\":[21,23]},"
               "\"__metadata__\":{\"z\":\"1\",\"format\":\"pt\"}}  ",
               23);
    g_autoptr(safetensors) file = safetensors_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(safetensors_count(file), ==, 8);
    g_assert_cmpstr(safetensors_at(file, 0)->name, ==, "b");
    g_assert_cmpstr(safetensors_at(file, 7)->name, ==, "wide");
    g_assert_cmpstr(safetensors_metadata(file, "format"), ==, "pt");
    g_assert_null(safetensors_metadata(file, "absent"));
    g_assert_cmpstr(safetensors_metadata_keys(file)[0], ==, "format");
    g_assert_cmpstr(safetensors_metadata_keys(file)[1], ==, "z");
    g_assert_null(safetensors_metadata_keys(file)[2]);
    g_assert_null(safetensors_find(file, "absent"));

    const struct safetensors_tensor *one = safetensors_find(file, "one");
    g_assert_cmpint(one->n_dims, ==, 0);
    g_assert_cmpint(one->values, ==, 1);
    static const uint8_t one_bytes[] = {1, 2, 3, 4};
    g_assert_true(safetensors_read_f32(file, one, values, &error));
    g_assert_cmpmem(values, 4, one_bytes, 4);

    const struct safetensors_tensor *half = safetensors_find(file, "half");
    g_assert_cmpint(half->shape[0], ==, 2);
    g_assert_true(safetensors_read_f32(file, half, values, &error));
    g_assert_true(values[0] == 1541 * 0x1p-24f && values[1] == 1031 * 0x1p-23f);
    g_assert_true(safetensors_read_f32_part(file, half, 1, 1, values, &error));
    g_assert_true(values[0] == 1031 * 0x1p-23f);

    g_assert_true(safetensors_read_f32(file, safetensors_find(file, "brain"), values, &error));
    g_assert_true(values[0] == 0x1.12p-107f);
    double wide;
    static const uint8_t wide_bytes[] = {11, 12, 13, 14, 15, 16, 17, 18};
    memcpy(&wide, wide_bytes, 8);
    g_assert_true(safetensors_read_f32(file, safetensors_find(file, "wide"), values, &error));
    g_assert_true(values[0] == (float)wide);
    g_assert_true(safetensors_read_f32(file, safetensors_find(file, "none"), values, &error));

    g_assert_false(safetensors_read_f32(file, safetensors_find(file, "f8"), values, &error));
    g_assert_nonnull(strstr(error->message, "tensor f8 has type F8_E8M0"));
    g_clear_error(&error);
    g_assert_false(safetensors_read_f32(file, safetensors_find(file, "new"), values, &error));
    g_assert_nonnull(strstr(error->message, "Q3"));
    temporary_folder_remove(folder);
}

// headers that must be refused, how many bytes of values follow, and what the sentence says
static const struct {
    const char *header;
    size_t bytes;
    const char *what;
} damaged[] = {
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "truncated"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, "1 bytes follow"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
     12, "overlap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
     8, "overlap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
     12, "hole"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "hole"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     8, "twice"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
     "too many values"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
     "does not fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "does not fit"},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, "does not fit"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "no range"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "no range"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551615]}}", 4,
     "data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9223372036854775807]}}", 4,
     "truncated"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
     "shape"},
    {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets"},
    {"{\"a\":[1]}", 0, "no description"},
    {"{\"__metadata__\":3}", 0, "__metadata__"},
    {"{\"__metadata__\":[]}", 0, "__metadata__"},
    {"{\"__metadata__\":{\"a\":null}}", 0, "\"a\""},
    {"{\"a\":null}", 0, "tensor a "},
    {"{\"__metadata__\":{\"a\":3}}", 0, "\"a\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}", 4, "JSON"},
    {"{\"\xff\":{}}", 4, "UTF-8"},
    {"{} x", 0, "JSON"},
    {"[]", 0, "no safetensors file"},
};

static void test_damaged(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(damaged); i++) {
        g_autoptr(GError) error = NULL;
        write_file(path, damaged[i].header, damaged[i].bytes);
        g_assert_null(safetensors_open(path, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
        g_test_message("%s", error->message);
        g_assert_true(g_str_has_prefix(error->message, path));
        g_assert_nonnull(strstr(error->message, damaged[i].what));
        g_assert_true(g_str_has_suffix(error->message, "."));
    }
    temporary_folder_remove(folder);
}

static void assert_refused(const char *path, const void *bytes, size_t length, const char *what)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
    g_assert_null(safetensors_open(path, &error));
    g_assert_nonnull(strstr(error->message, what));
}

// files that are something else, and lengths of header that cannot be
static void test_other_files(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    g_autoptr(GString) deep = g_string_new("{\"__metadata__\":");

    assert_refused(path, "", 0, "only 0 bytes");
    assert_refused(path, "\0\0\0\0\0\0\0\0", 8, "only 8 bytes");
    assert_refused(path, "PK\x03\x04 and more", 13, "zip that is cut off");
    assert_refused(path, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15,
                   "cut off");
    assert_refused(path, "GGUF\x03\0\0\0\0\0\0", 11, "GGUF");
    assert_refused(path, "<!DOCTYPE html>", 15, "no safetensors file");
    assert_refused(path, "\0\0\0\0\2\0\0\0{}", 10, "truncated");
    assert_refused(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, "truncated");
    assert_refused(path, "\3\0\0\0\0\0\0\0{}", 10, "truncated");
    for (int i = 0; i < 100000; i++) {
        g_string_append(deep, "{\"a\":");
    }
    write_file(path, deep->str, 0);
    g_autoptr(GError) error = NULL;
    g_assert_null(safetensors_open(path, &error));
    g_assert_nonnull(strstr(error->message, "nested"));
    temporary_folder_remove(folder);
}

// a header of 8 GB in a file that has them (a sparse one)
static void test_huge_header(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, "\0\0\0\0\2\0\0\0{", 9, NULL));
    g_assert_cmpint(truncate(path, (off_t)9 << 30), ==, 0);
    g_assert_null(safetensors_open(path, &error));
    g_assert_nonnull(strstr(error->message, "larger than any model's"));
    temporary_folder_remove(folder);
}

// somebody shortens or rewrites the file between opening and reading
static void test_changed_in_use(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    g_autoptr(GError) error = NULL;
    float values[2];

    write_file(path, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    g_autoptr(safetensors) file = safetensors_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(truncate(path, 10), ==, 0);
    g_assert_false(safetensors_read_f32(file, safetensors_at(file, 0), values, &error));
    g_assert_nonnull(strstr(error->message, "changed while it was in use"));
    temporary_folder_remove(folder);
}

static void test_write(void)
{
    static const struct safetensors_entry entries[] = {
        {"b", DTYPE_F32, 1, {1}},
        {"a", DTYPE_F16, 1, {2}},
        {"c", DTYPE_BF16, 1, {1}},
        {"d", DTYPE_F32, 0, {0}},
        {"\303\251\n\"", DTYPE_F32, 1, {0}},
    };
    static const char expected[] =
        "\x40\x01\0\0\0\0\0\0"
        "{\"__metadata__\":{\"a\":\"2\",\"z\":\"1\\u0001\"},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        "\"d\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]},"
        "\"\303\251\\n\\\"\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[8,8]},"
        "\"c\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[8,10]},"
        "\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[10,14]}}       "
        "\0\0\0\0"
        "\0\0\x80\x3f"
        "\x80\x3f"
        "\0\x3c\0\xc0";
    static const char *const keys[] = {"z", "a", NULL}, *const texts[] = {"1\x01", "2", NULL};
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    g_autoptr(GError) error = NULL;

    g_autoptr(safetensors_writer) writer =
        safetensors_writer_create(path, entries, G_N_ELEMENTS(entries), keys, texts, &error);
    g_assert_no_error(error);
    const float halves[] = {1, -2}, one = 1, zero = 0;
    g_assert_true(safetensors_writer_put(writer, "a", halves, &error));
    g_assert_true(safetensors_writer_put(writer, "b", &zero, &error));
    g_assert_true(safetensors_writer_put(writer, "\303\251\n\"", NULL, &error));
    g_assert_true(safetensors_writer_put(writer, "c", &one, &error));
    g_assert_true(safetensors_writer_put(writer, "d", &one, &error));
    g_assert_true(safetensors_writer_commit(writer, &error));

    g_autofree char *got = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(path, &got, &length, NULL));
    g_assert_cmpmem(got, length, expected, sizeof(expected) - 1);
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);

    g_autoptr(safetensors) file = safetensors_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(safetensors_metadata(file, "z"), ==, "1\x01");
    g_assert_nonnull(safetensors_find(file, "\303\251\n\""));
    temporary_folder_remove(folder);
}

// longer than the parts in which values are converted
static void test_long_tensor(void)
{
    enum { N = 40001 };
    static const struct safetensors_entry entries[] = {{"a", DTYPE_F16, 1, {N}},
                                                       {"b", DTYPE_F64, 1, {N}}};
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    g_autofree float *in = g_new(float, N), *out = g_new0(float, N);

    for (int i = 0; i < N; i++) {
        in[i] = (float)(i % 2048 - 1024) / 8;
    }
    g_autoptr(safetensors_writer) writer =
        safetensors_writer_create(path, entries, 2, NULL, NULL, NULL);
    g_assert_true(safetensors_writer_put(writer, "b", in, NULL));
    g_assert_true(safetensors_writer_put(writer, "a", in, NULL));
    g_assert_true(safetensors_writer_commit(writer, NULL));
    g_autoptr(safetensors) file = safetensors_open(path, NULL);
    for (size_t i = 0; i < 2; i++) {
        memset(out, 0, N * sizeof(float));
        g_assert_true(safetensors_read_f32(file, safetensors_at(file, i), out, NULL));
        g_assert_cmpmem(in, N * sizeof(float), out, N * sizeof(float));
    }
    memset(out, 0, N * sizeof(float));
    g_assert_true(safetensors_read_f32_part(file, safetensors_at(file, 1), 7, N - 9, out, NULL));
    g_assert_cmpmem(in + 7, (N - 9) * sizeof(float), out, (N - 9) * sizeof(float));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/safetensors/read", test_read);
    g_test_add_func("/safetensors/null-metadata", test_null_metadata);
    g_test_add_func("/safetensors/damaged", test_damaged);
    g_test_add_func("/safetensors/other-files", test_other_files);
    g_test_add_func("/safetensors/huge-header", test_huge_header);
    g_test_add_func("/safetensors/changed-in-use", test_changed_in_use);
    g_test_add_func("/safetensors/write", test_write);
    g_test_add_func("/safetensors/long-tensor", test_long_tensor);
    return g_test_run();
}
