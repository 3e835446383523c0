/* The names of a model: the same for every copy of the same values, others for other values,
 * remembered while the files are untouched. */
#include "engine/model/model_hash.h"

#include "engine/base/error.h"
#include "tests/edited_model.h"

#define UNET_FILE "unet/diffusion_pytorch_model.safetensors"

// made by tests/peers/model_hash.py
static const struct model_hashes sd1 = {
    "6f26b23d7fdb655b4648173ec8a78657ddffc3fb4cfbf7bc0f2d3cff245f2ded",
    "63e86313cc0146e67f99f56f9401fb23c6481d065d8dc3cd765c14f5fe346f1d"};
static const struct model_hashes sd2 = {
    "10ce890b557288f9ab8593bae37ffac4eb7bd121bf6f77a27d5b42cf3efc7197",
    "d13f315eac21884882d39b99b0b6aed09343a29acb34bca415d02ea19b1caa4c"};

static struct model_hashes hashes_of(const char *path, int threads)
{
    struct model_hashes hashes = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(path, &error);
    g_assert_no_error(error);

    g_assert_true(model_hashes(model, MODEL_HASHES, threads, NULL, NULL, &hashes, &error));
    g_assert_no_error(error);
    return hashes;
}

static void assert_same(const struct model_hashes *a, const struct model_hashes *b)
{
    g_assert_cmpstr(a->base, ==, b->base);
    g_assert_cmpstr(a->spectra, ==, b->spectra);
}

// an independent program agrees; a folder of shards; however many threads
static void test_values(void)
{
    g_autofree char *one = fixture_path("sd1"), *two = fixture_path("sd2");
    const struct model_hashes a = hashes_of(one, 1), b = hashes_of(two, 3);

    assert_same(&a, &sd1);
    assert_same(&b, &sd2);
}

// an f32 folder with old names and an f16 file are one base, whose spectra differ a little
static void test_copies(void)
{
    g_autofree char *single = fixture_path("sd1.safetensors");
    const struct model_hashes b = hashes_of(single, 0);

    g_assert_cmpstr(b.base, ==, sd1.base);
    g_assert_cmpstr(b.spectra, !=, sd1.spectra);
}

// a bias has no shift and is part of neither, a norm has no spectrum, a matrix is part of both
static void test_parts(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");

    edit_weights(copy, UNET_FILE, (struct edit){.name = "conv_out.bias", .poison = 7});
    const struct model_hashes bias = hashes_of(copy, 0);
    assert_same(&bias, &sd1);
    edit_weights(copy, UNET_FILE, (struct edit){.name = "conv_norm_out.weight", .poison = 7});
    const struct model_hashes norm = hashes_of(copy, 0);
    g_assert_cmpstr(norm.base, !=, sd1.base);
    g_assert_cmpstr(norm.spectra, ==, sd1.spectra);
    edit_weights(copy, UNET_FILE, (struct edit){.name = "conv_out.weight", .poison = 7});
    const struct model_hashes matrix = hashes_of(copy, 0);
    g_assert_cmpstr(matrix.base, !=, norm.base);
    g_assert_cmpstr(matrix.spectra, !=, sd1.spectra);
    temporary_folder_remove(folder);
}

// the file in which the hashes of the model in this folder are remembered; g_free it
static char *memory_of(const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(folder, &error);

    g_assert_no_error(error);
    g_autofree char *identity = checkpoint_identity(model);
    return g_build_filename(g_get_user_cache_dir(), "svdiff", "models", identity, NULL);
}

// the second time nothing is read; a damaged memory is not believed
static void test_remembered(void)
{
    static const char one[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const char two[] = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");
    g_autofree char *memory = memory_of(copy);
    g_autofree char *both = g_strconcat(one, " ", two, NULL);
    g_autofree char *other = g_strconcat(one, "-", two, NULL);
    g_autofree char *wrong = g_strconcat(one, " ", sd1.base, NULL);
    const char *const damaged[] = {"", "0123", one, other, wrong};

    wrong[100] = 'x';
    const struct model_hashes first = hashes_of(copy, 0);
    assert_same(&first, &sd1);
    g_assert_true(g_file_set_contents(memory, both, -1, NULL));
    const struct model_hashes second = hashes_of(copy, 0);
    g_assert_cmpstr(second.base, ==, one);
    g_assert_cmpstr(second.spectra, ==, two);
    for (size_t i = 0; i < G_N_ELEMENTS(damaged); i++) {
        g_assert_true(g_file_set_contents(memory, damaged[i], -1, NULL));
        const struct model_hashes third = hashes_of(copy, 0);
        assert_same(&third, &sd1);
    }
    temporary_folder_remove(folder);
}

// the one that is asked for is found out and remembered, and the other when it is asked for
static void test_alone(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
    g_autofree char *memory = memory_of(copy);
    g_autofree char *half = g_strconcat(sd1.base, " -", NULL), *text = NULL;
    struct model_hashes hashes = {0}, again = {0};

    g_assert_true(model_hashes(model, MODEL_HASH_BASE, 0, NULL, NULL, &hashes, &error));
    g_assert_cmpstr(hashes.base, ==, sd1.base);
    g_assert_cmpstr(hashes.spectra, ==, "");
    g_assert_true(g_file_get_contents(memory, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, half);
    g_assert_true(model_hashes(model, MODEL_HASH_SPECTRA, 0, NULL, NULL, &hashes, &error));
    assert_same(&hashes, &sd1);
    g_assert_true(model_hashes(model, MODEL_HASH_SPECTRA, 0, NULL, NULL, &again, &error));
    assert_same(&again, &sd1);
    g_assert_no_error(error);
    temporary_folder_remove(folder);
}

static void test_unreadable(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");
    g_autoptr(GError) error = NULL;

    edit_weights(copy, UNET_FILE, (struct edit){.name = "conv_in.weight", .poison = NAN});
    g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
    g_assert_no_error(error);
    struct model_hashes hashes = {0};
    g_assert_false(model_hashes(model, MODEL_HASHES, 0, NULL, NULL, &hashes, &error));
    g_assert_nonnull(strstr(error->message, "conv_in.weight"));
    temporary_folder_remove(folder);
}

static bool count_or_cancel(void *user, const struct progress *now)
{
    int *calls = user;

    g_assert_cmpint(now->step, <=, now->steps);
    return ++*calls < 3;
}

static void test_cancel(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd2");
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
    struct model_hashes hashes = {0};
    int calls = 0;

    // one thread: the caller's alone reports, and among others it may get no work
    g_assert_false(model_hashes(model, MODEL_HASHES, 1, count_or_cancel, &calls, &hashes, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    g_assert_cmpint(calls, ==, 3);
    g_clear_error(&error);
    calls = -10000;
    g_assert_true(model_hashes(model, MODEL_HASHES, 1, count_or_cancel, &calls, &hashes, &error));
    assert_same(&hashes, &sd2);
    g_assert_cmpint(calls, >, -10000);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    char *cache = temporary_folder_create();

    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model_hash/values", test_values);
    g_test_add_func("/model_hash/copies", test_copies);
    g_test_add_func("/model_hash/parts", test_parts);
    g_test_add_func("/model_hash/remembered", test_remembered);
    g_test_add_func("/model_hash/alone", test_alone);
    g_test_add_func("/model_hash/unreadable", test_unreadable);
    g_test_add_func("/model_hash/cancel", test_cancel);
    int status = g_test_run();
    temporary_folder_remove(cache);
    return status;
}
