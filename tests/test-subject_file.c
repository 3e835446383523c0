/* subject_file: svdiff-pytorch's files open as they are and come back byte for byte; what is no
 * subject is a sentence. */
#include "engine/subject/subject_file.h"

#include "engine/base/error.h"
#include "engine/base/safetensors_write.h"
#include "tests/temporary_folder.h"

#include <math.h>
#include <string.h>

// of the files that the Python package safetensors makes of the same tensors (make_shift_names.py)
#define UNET_SHA256 "f59c4063d684c7d917a6d27101c4f89a94945ea420ffd5e4d688b740bf2728ca"
#define TEXT_SHA256 "1659224dcf93649d543c6661106b5d3c2fda3591b5742db1cda93a58ec9b0ddb"

static char *fixture(const char *folder, const char *name)
{
    return g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures", folder, name, NULL);
}

static char *file_sha256(const char *path, gsize *length)
{
    g_autofree char *data = NULL;

    g_assert_true(g_file_get_contents(path, &data, length, NULL));
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, *length);
}

/* All shifts of Stable Diffusion 1.5, UNet and text encoder; values as in make_shift_names.py. */
static struct subject *make_sd15(void)
{
    g_autofree char *path = fixture("subjects", "sd15.txt"), *text = NULL;
    struct subject *s = subject_create();
    g_autofree float *values = g_new(float, 2000);
    uint32_t index = 0;
    bool in_text = false;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", 0);
    for (char **line = lines; *line != NULL; line++) {
        char *blank = strchr(*line, ' ');
        *blank = 0;
        int count = (int)g_ascii_strtoll(blank + 1, NULL, 10);
        if (subject_name_is_text(*line) && !in_text) {
            in_text = true;
            index = 0; // each file counts from 0
        }
        for (int i = 0; i < count; i++, index++) {
            values[i] = (float)((index * 2654435761u >> 8) * 0x1p-27 - 0.0625);
        }
        subject_set_shift(s, *line, values, count);
    }
    return s;
}

static int subject_count(const struct subject *s)
{
    g_autofree const char **names = subject_names(s);

    return (int)g_strv_length((char **)names);
}

static int64_t subject_values(const struct subject *s)
{
    g_autofree const char **names = subject_names(s);
    int64_t values = 0;

    for (const char **name = names; *name != NULL; name++) {
        int n;
        subject_shift(s, *name, &n);
        values += n;
    }
    return values;
}

static void check_equal(const struct subject *a, const struct subject *b)
{
    g_autofree const char **names = subject_names(a);

    g_assert_cmpint(subject_count(a), ==, subject_count(b));
    for (const char **name = names; *name != NULL; name++) {
        int n, m;
        const float *x = subject_shift(a, *name, &n), *y = subject_shift(b, *name, &m);
        g_assert_nonnull(y);
        g_assert_cmpmem(x, (size_t)n * sizeof *x, y, (size_t)m * sizeof *y);
    }
}

// svdiff-pytorch's folder of a real size: its bytes, back in, and out again
static void test_pytorch_folder(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *pair = g_build_filename(folder, "new", "pair", NULL);
    g_autofree char *unet = g_build_filename(pair, SUBJECT_FILE_UNET, NULL);
    g_autofree char *text = g_build_filename(pair, SUBJECT_FILE_TEXT, NULL);
    g_autoptr(subject_file) s = make_sd15();
    g_autoptr(GError) error = NULL;
    struct subject_left_out left;
    gsize length;

    subject_set_metadata(s, "prompt", "photo of a dog");
    subject_write_folder(s, pair, &left, &error);
    g_assert_no_error(error);
    g_assert_cmpint(left.tensors, ==, 0);
    g_assert_cmpfloat(left.share, ==, 0);
    g_autofree char *unet_sum = file_sha256(unet, &length);
    g_assert_cmpint(length, ==, 935484);
    g_assert_cmpstr(unet_sum, ==, UNET_SHA256);
    g_autofree char *text_sum = file_sha256(text, &length);
    g_assert_cmpint(length, ==, 235480);
    g_assert_cmpstr(text_sum, ==, TEXT_SHA256);

    g_autoptr(subject_file) both = subject_open(pair, &error);
    g_assert_no_error(error);
    g_assert_cmpint(subject_count(both), ==, 490);
    g_assert_cmpint(subject_values(both), ==, 222805 + 56166);
    check_equal(s, both);
    g_assert_null(subject_metadata(both, "prompt"));
    g_assert_null(subject_notices(both)[0]);

    // the UNet's half alone opens too, and says that there is another
    g_autoptr(subject_file) half = subject_open(unet, &error);
    g_assert_no_error(error);
    g_assert_cmpint(subject_count(half), ==, 391);
    g_assert_cmpint(subject_values(half), ==, 222805);
    g_assert_nonnull(strstr(subject_notices(half)[0], SUBJECT_FILE_TEXT));
    temporary_folder_remove(folder);
}

// through our own file and back: byte for byte what svdiff-pytorch had
static void test_there_and_back(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "dog.safetensors", NULL);
    g_autofree char *unet = g_build_filename(folder, SUBJECT_FILE_UNET, NULL);
    g_autoptr(subject_file) s = make_sd15();
    g_autoptr(GError) error = NULL;
    struct subject_left_out left;
    gsize length;

    subject_set_metadata(s, "prompt", "photo of a \"[V]\" dog\n");
    subject_set_metadata(s, "seed", "7");
    subject_set_metadata(s, "format", "pt");
    subject_set_metadata(s, "gone", "x");
    subject_set_metadata(s, "gone", NULL);
    subject_write(s, path, &error);
    g_assert_no_error(error);
    g_autoptr(subject_file) read = subject_open(path, &error);
    g_assert_no_error(error);
    check_equal(s, read);
    g_autofree const char **keys = subject_metadata_keys(read);
    g_autofree char *joined = g_strjoinv(" ", (char **)keys);
    g_assert_cmpstr(joined, ==, "format prompt seed version");
    g_assert_cmpstr(subject_metadata(read, "prompt"), ==, "photo of a \"[V]\" dog\n");
    g_assert_cmpstr(subject_metadata(read, "format"), ==, "svdiff");
    g_assert_cmpstr(subject_metadata(read, "version"), ==, "1");

    subject_write_folder(read, folder, &left, &error);
    g_assert_no_error(error);
    g_autofree char *sum = file_sha256(unet, &length);
    g_assert_cmpstr(sum, ==, UNET_SHA256);
    temporary_folder_remove(folder);
}

// the same shifts in whatever order give the same bytes
static void test_bytes(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *a = g_build_filename(folder, "a.safetensors", NULL);
    g_autofree char *b = g_build_filename(folder, "b.safetensors", NULL);
    g_autofree char *one = NULL, *two = NULL;
    const float values[3] = {1, -2, 3};
    gsize n, m;

    for (int turn = 0; turn < 2; turn++) {
        static const char *const names[] = {"conv_in.delta", "a.b.delta", "text_model.c.delta"};
        g_autoptr(subject_file) s = subject_create();
        for (int i = 0; i < 3; i++) {
            subject_set_shift(s, names[turn == 0 ? i : 2 - i], values, 3);
        }
        subject_set_shift(s, "conv_in.delta", values, 2); // replaced
        subject_set_metadata(s, turn == 0 ? "x" : "y", "1");
        subject_set_metadata(s, turn == 0 ? "y" : "x", "1");
        g_assert_cmpint(subject_values(s), ==, 8);
        g_assert_true(subject_write(s, turn == 0 ? a : b, NULL));
    }
    g_assert_true(g_file_get_contents(a, &one, &n, NULL));
    g_assert_true(g_file_get_contents(b, &two, &m, NULL));
    g_assert_cmpmem(one, n, two, m);
    temporary_folder_remove(folder);
}

static void check_named(const char *path, const char *const *names, int n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(subject_file) s = subject_open(path, &error);

    g_assert_no_error(error);
    g_autofree const char **found = subject_names(s);
    g_assert_cmpint(subject_count(s), ==, n);
    for (int i = 0; i < n; i++) {
        g_assert_cmpstr(found[i], ==, names[i]);
    }
    g_assert_null(found[n]);
}

// writes a file with tensors of two values, 0.5 and 1.5
static void write_tensors(const char *path, const char *const *names, int n, enum dtype dtype,
                          const char *const *keys, const char *const *texts)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(struct safetensors_entry));
    const float values[2] = {0.5f, 1.5f};
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < n; i++) {
        struct safetensors_entry entry = {.name = names[i], .dtype = dtype, .n_dims = 1};
        entry.shape[0] = 2;
        g_array_append_val(entries, entry);
    }
    g_autoptr(safetensors_writer) writer = safetensors_writer_create(
        path, (const void *)entries->data, (size_t)n, keys, texts, &error);
    for (int i = 0; i < n; i++) {
        g_assert_true(safetensors_writer_put(writer, names[i], values, &error));
    }
    g_assert_true(safetensors_writer_commit(writer, &error));
}

// with and without unet., text_encoder. and text_model.; f16; foreign tensors
static void test_names(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    static const char *const written[] = {
        "unet.conv_in.delta",
        "conv_out.delta",
        "embeddings.token_embedding.delta",
        "text_encoder.encoder.layers.0.mlp.fc1.delta",
        "text_encoder.text_model.encoder.layers.0.mlp.fc2.delta",
        "text_model.encoder.layers.1.mlp.fc1.delta",
        "final_layer_norm.delta",
        "encoder_hidden.delta",
        "emb_params",
        ".delta",
    };
    static const char *const expected[] = {
        "conv_in.delta",
        "conv_out.delta",
        "encoder_hidden.delta",
        "text_model.embeddings.token_embedding.delta",
        "text_model.encoder.layers.0.mlp.fc1.delta",
        "text_model.encoder.layers.0.mlp.fc2.delta",
        "text_model.encoder.layers.1.mlp.fc1.delta",
        "text_model.final_layer_norm.delta",
    };
    int count;

    write_tensors(path, written, 10, DTYPE_F16, NULL, NULL);
    check_named(path, expected, 8);
    g_autoptr(subject_file) s = subject_open(path, NULL);
    const float *values = subject_shift(s, "conv_in.delta", &count);
    g_assert_cmpint(count, ==, 2);
    g_assert_cmpfloat(values[1], ==, 1.5);
    g_assert_null(subject_shift(s, "absent.delta", &count));
    g_assert_cmpint(count, ==, 0);
    g_test_message("%s", subject_notices(s)[0]);
    g_assert_nonnull(strstr(subject_notices(s)[0], "(2)"));
    g_assert_null(subject_notices(s)[1]);
    temporary_folder_remove(folder);
}

/* What is element-wise in `s`, that is of another length than in `other`, and its share. */
static struct subject_left_out find_elementwise(const struct subject *s,
                                                const struct subject *other)
{
    struct subject_left_out norms = {0};
    double all = 0, left = 0;
    g_autofree const char **names = subject_names(s);

    for (const char **name = names; *name != NULL; name++) {
        int count, one;
        const float *shift = subject_shift(s, *name, &count);
        subject_shift(other, *name, &one);
        double square = 0;
        for (int i = 0; i < count; i++) {
            square += (double)shift[i] * shift[i];
        }
        all += square;
        g_assert_true(subject_is_elementwise(*name, count) == (count != one));
        g_assert_false(subject_is_elementwise(*name, one));
        if (count != one) {
            norms.tensors++;
            norms.values += count;
            left += square;
        }
    }
    norms.share = left / all;
    return norms;
}

// the tiny model's subjects, and what becomes of element-wise norm shifts on the way to
// svdiff-pytorch
static void test_elementwise(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *elementwise = fixture("models", "sd1-subject-elementwise.safetensors");
    g_autofree char *scalar = fixture("models", "sd1-subject-scalar.safetensors");
    g_autofree char *text = g_build_filename(folder, SUBJECT_FILE_TEXT, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(subject_file) s = subject_open(elementwise, &error);
    g_autoptr(subject_file) other = subject_open(scalar, &error);
    struct subject_left_out left;

    g_assert_no_error(error);
    g_assert_cmpint(subject_count(s), ==, subject_count(other));
    struct subject_left_out norms = find_elementwise(s, other);
    g_assert_cmpint(norms.tensors, >, 10);
    subject_write_folder(s, folder, &left, &error);
    g_assert_no_error(error);
    g_assert_cmpint(left.tensors, ==, norms.tensors);
    g_assert_cmpint(left.values, ==, norms.values);
    g_assert_cmpfloat_with_epsilon(left.share, norms.share, 1e-12);
    g_autoptr(subject_file) back = subject_open(folder, &error);
    g_assert_no_error(error);
    g_assert_cmpint(subject_count(back), ==, subject_count(s) - norms.tensors);
    g_assert_true(g_file_test(text, G_FILE_TEST_EXISTS));

    // nothing is left out of the scalar form
    subject_write_folder(other, folder, &left, &error);
    g_assert_no_error(error);
    g_assert_cmpint(left.tensors, ==, 0);
    g_autoptr(subject_file) whole = subject_open(folder, &error);
    check_equal(other, whole);
    temporary_folder_remove(folder);
}

static void check_refused(const char *path, const char *named)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(subject_open(path, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, named));
    g_assert_nonnull(strstr(error->message, path));
}

static void check_tensors_refused(const char *path, const char *const *names, int n,
                                  const char *named)
{
    write_tensors(path, names, n, DTYPE_F32, NULL, NULL);
    check_refused(path, named);
}

static void test_refused(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    static const char *const lora[] = {"lora_unet_mid_block_attn1_to_q.lora_up.weight",
                                       "lora_unet_mid_block_attn1_to_q.lora_down.weight"};
    static const char *const peft[] = {"unet.mid_block.attn1.to_q.lora_A.weight"};
    static const char *const kohya[] = {"lora_unet_mid_block_attn1_to_q.delta"};
    static const char *const model[] = {"model.diffusion_model.input_blocks.0.0.weight"};
    static const char *const twice[] = {"unet.conv_in.delta", "conv_in.delta"};
    static const char *const twice_text[] = {"encoder.a.delta", "text_model.encoder.a.delta"};
    static const char *const fine[] = {"conv_in.delta"};
    static const char *const keys[] = {"format", "version", NULL};
    static const char *const later[] = {"svdiff", "3", NULL};
    static const char *const foreign[] = {"pt", "3", NULL};

    check_tensors_refused(path, lora, 2, "a LoRA");
    check_tensors_refused(path, peft, 1, "a LoRA");
    check_tensors_refused(path, kohya, 1, "as a LoRA does");
    check_tensors_refused(path, model, 1, "a model");
    check_tensors_refused(path, twice, 2, "conv_in.delta is there twice");
    check_tensors_refused(path, twice_text, 2, "text_model.encoder.a.delta is there twice");
    write_tensors(path, fine, 1, DTYPE_F32, keys, later);
    check_refused(path, "later version");
    write_tensors(path, fine, 1, DTYPE_F32, keys, foreign);
    check_named(path, fine, 1);
    check_refused(folder, SUBJECT_FILE_UNET);
    g_assert_true(g_file_set_contents(path, "no tensors", -1, NULL));
    check_refused(path, "safetensors");
    g_assert_cmpint(g_remove(path), ==, 0);
    check_refused(path, "a.safetensors");
    temporary_folder_remove(folder);
}

static void write_header(const char *path, const char *header, const void *values, size_t bytes)
{
    uint64_t length = GUINT64_TO_LE((uint64_t)strlen(header));
    g_autoptr(GByteArray) data = g_byte_array_new();

    g_byte_array_append(data, (const guint8 *)&length, 8);
    g_byte_array_append(data, (const guint8 *)header, (guint)strlen(header));
    g_byte_array_append(data, values, (guint)bytes);
    g_assert_true(g_file_set_contents(path, (const char *)data->data, data->len, NULL));
}

// a shift of another shape or type, empty, infinite or no number
static void test_bad_shifts(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL);
    static const char *const shapes[] = {"[]", "[1,1]", "[0]"};
    const float number[2] = {1, 2}, bad[3][2] = {{NAN, 1}, {1, INFINITY}, {-INFINITY, 1}};

    for (int i = 0; i < 3; i++) {
        int bytes = i == 2 ? 0 : 4;
        g_autofree char *header = g_strdup_printf(
            "{\"x.delta\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[0,%d]}}", shapes[i],
            bytes);
        write_header(path, header, number, (size_t)bytes);
        check_refused(path, "x.delta has the shape");
        write_header(path, "{\"y.delta\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
                     bad[i], 8);
        check_refused(path, "y.delta");
    }
    write_header(path, "{\"z.delta\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
                 number, 8);
    check_refused(path, "z.delta");
    temporary_folder_remove(folder);
}

static void check_folder_refused(const struct subject *s, const char *folder, const char *named)
{
    g_autoptr(GError) error = NULL;
    struct subject_left_out left;

    g_assert_false(subject_write_folder(s, folder, &left, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, named));
}

// folders that cannot be written leave nothing behind
static void test_folder_refused(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *inner = g_build_filename(folder, "inner", NULL);
    g_autofree char *file = g_build_filename(folder, SUBJECT_FILE_TEXT, NULL);
    g_autofree char *below = g_build_filename(file, "below", NULL);
    const float values[2] = {1, 2};
    g_autoptr(subject_file) s = subject_create();

    subject_set_shift(s, "conv_norm_out.delta", values, 2);
    subject_set_shift(s, "text_model.encoder.a.delta", values, 2);
    check_folder_refused(s, inner, "norms");
    g_assert_cmpint(temporary_folder_count(folder), ==, 0);

    // another subject's second file would be taken for this one's
    g_autoptr(subject_file) unet = subject_create();
    subject_set_shift(unet, "conv_in.delta", values, 2);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    check_folder_refused(unet, folder, SUBJECT_FILE_TEXT);
    check_folder_refused(unet, file, "folder");
    check_folder_refused(unet, below, "folder");
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);

    // the second file's place is taken by a folder: the first is not written either
    subject_set_shift(s, "conv_in.delta", values, 2);
    g_assert_cmpint(g_remove(file), ==, 0);
    g_assert_cmpint(g_mkdir(file, 0777), ==, 0);
    check_folder_refused(s, folder, SUBJECT_FILE_TEXT);
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/subject_file/pytorch-folder", test_pytorch_folder);
    g_test_add_func("/subject_file/there-and-back", test_there_and_back);
    g_test_add_func("/subject_file/bytes", test_bytes);
    g_test_add_func("/subject_file/names", test_names);
    g_test_add_func("/subject_file/elementwise", test_elementwise);
    g_test_add_func("/subject_file/refused", test_refused);
    g_test_add_func("/subject_file/bad-shifts", test_bad_shifts);
    g_test_add_func("/subject_file/folder-refused", test_folder_refused);
    return g_test_run();
}
