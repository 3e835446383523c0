/* --device auto on a machine that the rig plays (RIG_DEVICES, RIG_MEMORY): CUDA's table is proven there first. */
#include "engine/session/device_proof.h"

#include "tests/rig/noted_session.h"
#include "tests/temporary_folder.h"

#include <string.h>

// each type within its bounds
static void test_proof(void)
{
    for (int precision = 0; precision < KERNELS_PRECISIONS; precision++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(kernels) k = kernels_cuda(NULL, 0, precision, &error);

        g_assert_no_error(error);
        device_proof(k, 1, &error);
        g_assert_no_error(error);
    }
}

// no room to prove it in: nothing is kept
static void test_unproven(void)
{
    g_setenv("RIG_MEMORY", "96", TRUE);
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_AUTO);
    g_unsetenv("RIG_MEMORY");
    g_assert_cmpstr(s->device, ==, "cpu");
    g_assert_true(g_str_has_prefix(noted, "on the CPU: "));
    g_assert_nonnull(strstr(noted, "(the rig"));
}

static void test_auto(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_AUTO);

    g_assert_cmpstr(s->device, ==, "cuda:0");
    g_setenv("RIG_DEVICES", "0", TRUE);
    g_autoptr(svdiff) without = open_model(SVDIFF_DEVICE_AUTO);
    g_unsetenv("RIG_DEVICES");
    g_assert_cmpstr(without->device, ==, "cpu");
    g_assert_cmpstr(noted, ==, "");
}

int main(int argc, char **argv)
{
    char *cache = temporary_folder_create(); // nothing is proven yet

    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-auto/proof", test_proof);
    g_test_add_func("/device-auto/unproven", test_unproven);
    g_test_add_func("/device-auto/auto", test_auto);
    const int failed = g_test_run();
    temporary_folder_remove(cache);
    return failed;
}
