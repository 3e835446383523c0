/* The name of a base model: the same for every copy of the same values, another for other values,
 * remembered while the files are untouched. */
#include "engine/spectrum/base_hash.h"

#include "engine/base/error.h"
#include "tests/edited_model.h"

#include <omp.h>

#define UNET_FILE "unet/diffusion_pytorch_model.safetensors"

// made by tests/peers/base_hash.py
#define SD1_HASH "6f26b23d7fdb655b4648173ec8a78657ddffc3fb4cfbf7bc0f2d3cff245f2ded"

static char *hash_of(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(path, &error);
    g_assert_no_error(error);
    char *hash = base_hash(model, NULL, NULL, &error);

    g_assert_no_error(error);
    return hash;
}

// an f32 folder with old names and an f16 file are one base; an independent program agrees
static void test_copies(void)
{
    g_autofree char *folder = fixture_path("sd1");
    g_autofree char *single = fixture_path("sd1.safetensors");
    g_autofree char *a = hash_of(folder), *b = hash_of(single);

    g_assert_cmpstr(a, ==, SD1_HASH);
    g_assert_cmpstr(b, ==, SD1_HASH);
}

// a bias has no shift and is not part of it, a weight is
static void test_values(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");

    edit_weights(copy, UNET_FILE, (struct edit){.name = "conv_out.bias", .poison = 7});
    g_autofree char *bias = hash_of(copy);
    g_assert_cmpstr(bias, ==, SD1_HASH);
    edit_weights(copy, UNET_FILE, (struct edit){.name = "conv_out.weight", .poison = 7});
    g_autofree char *weight = hash_of(copy);
    g_assert_cmpstr(weight, !=, SD1_HASH);
    temporary_folder_remove(folder);
}

// the second time nothing is read; a damaged memory is not believed
static void test_remembered(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
    g_autofree char *identity = checkpoint_identity(model);
    g_autofree char *memory =
        g_build_filename(g_get_user_cache_dir(), "svdiff", "base-hashes", identity, NULL);
    static const char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    g_autofree char *first = base_hash(model, NULL, NULL, &error);
    g_assert_cmpstr(first, ==, SD1_HASH);
    g_file_set_contents(memory, other, -1, &error);
    g_assert_no_error(error);
    g_autofree char *second = base_hash(model, NULL, NULL, &error);
    g_assert_cmpstr(second, ==, other);
    g_file_set_contents(memory, "0123", -1, &error);
    g_assert_no_error(error);
    g_autofree char *third = base_hash(model, NULL, NULL, &error);
    g_assert_cmpstr(third, ==, SD1_HASH);
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
    g_assert_null(base_hash(model, NULL, NULL, &error));
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
    g_autofree char *path = fixture_path("sd2");
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(path, &error);
    int calls = 0;

    omp_set_num_threads(1); // only the caller's thread reports, and it may get no work otherwise
    g_assert_null(base_hash(model, count_or_cancel, &calls, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    g_assert_cmpint(calls, ==, 3);
    g_clear_error(&error);
    calls = -10000;
    g_autofree char *hash = base_hash(model, count_or_cancel, &calls, &error);
    g_assert_no_error(error);
    g_assert_cmpint(calls, >, -10000);
}

int main(int argc, char **argv)
{
    char *cache = temporary_folder_create();

    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base_hash/copies", test_copies);
    g_test_add_func("/base_hash/values", test_values);
    g_test_add_func("/base_hash/remembered", test_remembered);
    g_test_add_func("/base_hash/unreadable", test_unreadable);
    g_test_add_func("/base_hash/cancel", test_cancel);
    int status = g_test_run();
    temporary_folder_remove(cache);
    return status;
}
