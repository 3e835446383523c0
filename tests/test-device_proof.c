/* A device is proven by computing what the CPU does: the CPU's own types hold, a table whose entries do nothing does not,
 * entry by entry, and what was found is kept for that device alone. */
#include "engine/session/device_proof.h"

#include "engine/svdiff.h"

#include "tests/temporary_folder.h"

#include <string.h>

// what the proof does not ask for: tests/device sees these
static const char *const unasked[] = {
    "linear_backward_weight",
    "conv_backward_weight",
    "convert", // nothing to do in f32
    "embedding_forward",
    "embedding_backward",
    "chosen_rows_forward",
    "chosen_rows_backward",
    "unmix",
    "normals",
    "latents_draw",
    "latents_input",
    "latents_guide",
    "latents_rescale",
    "latents_step",
    "latents_hold",
};

#define ENTRY(name, kind, work, arguments, ...)                                                    \
    static void idle_##name(const kernels *k, __VA_ARGS__)                                         \
    {                                                                                              \
    }
#include "kernels/entries.h"
#undef ENTRY

static bool is_unasked(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(unasked); i++) {
        if (strcmp(unasked[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static kernels *table(enum kernels_precision precision)
{
    g_autoptr(GError) error = NULL;
    kernels *k = kernels_cpu(1, precision, &error);

    g_assert_no_error(error);
    return k;
}

static void test_holds(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(kernels) f32 = table(KERNELS_IN_F32);

    device_proof(f32, 1, &error);
    g_assert_no_error(error);
    if (!kernels_cpu_has_bf16()) {
        g_test_message("this processor has no bfloat16");
        return;
    }
    g_autoptr(kernels) bf16 = table(KERNELS_IN_BF16);
    device_proof(bf16, 1, &error);
    g_assert_no_error(error);
}

static void assert_seen(const char *name, const kernels *k)
{
    g_autoptr(GError) error = NULL;

    // the CPU's own products ask for it, on some processors
    if (strcmp(name, "gemm") == 0) {
        return;
    }
    const bool seen = !device_proof(k, 1, &error);

    g_test_message("%s: %s", name, seen ? error->message : "not seen");
    g_assert_true(seen != is_unasked(name));
    g_assert_true(!seen || strstr(error->message, "does not compute what the CPU does") != NULL);
}

static void test_idle_entries(void)
{
    g_autoptr(kernels) k = table(KERNELS_IN_F32);
    const kernels whole = *k;

#define ENTRY(name, kind, work, arguments, ...)                                                    \
    k->name = idle_##name;                                                                         \
    assert_seen(#name, k);                                                                         \
    k->name = whole.name;
#include "kernels/entries.h"
#undef ENTRY
}

static bool known(const kernels *k, const struct kernels_cuda_device *d, const char *folder)
{
    g_autoptr(GError) error = NULL;
    const bool good = device_proof_known(k, d, 1, folder, &error);

    g_assert_true(good == (error == NULL));
    return good;
}

static void test_known(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *kept = g_build_filename(folder, "svdiff", NULL);
    struct kernels_cuda_device d = {
        .name = "A [device]", .major = 9, .driver = 13000, .bytes = 1 << 30};
    g_autoptr(kernels) good = table(KERNELS_IN_F32), bad = table(KERNELS_IN_F32);

    bad->scale_columns = idle_scale_columns;
    g_assert_false(known(bad, &d, kept));
    g_assert_false(known(bad, &d, kept)); // not kept
    g_assert_true(known(good, &d, kept));
    g_assert_true(known(bad, &d, kept)); // not asked again
    d.driver++;
    g_assert_false(known(bad, &d, kept));
    g_assert_true(known(good, &d, kept));
    d.driver--;
    g_assert_true(known(bad, &d, kept)); // beside the other
    temporary_folder_remove(folder);
}

static void test_kept_badly(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *file = g_build_filename(folder, "devices", NULL);
    g_autofree char *below = g_build_filename(file, "further", NULL);
    const struct kernels_cuda_device d = {.name = "A device", .major = 9};
    g_autoptr(kernels) good = table(KERNELS_IN_F32), bad = table(KERNELS_IN_F32);

    bad->scale_columns = idle_scale_columns;
    // what is no list of devices is written anew
    g_assert_true(g_file_set_contents(file, "\xff[[\nproven=tr", -1, NULL));
    g_assert_false(known(bad, &d, folder));
    g_assert_true(known(good, &d, folder));
    g_assert_true(known(bad, &d, folder));
    // no folder can be there: found out each time
    g_assert_true(known(good, &d, below));
    g_assert_false(known(bad, &d, below));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-proof/holds", test_holds);
    g_test_add_func("/device-proof/idle-entries", test_idle_entries);
    g_test_add_func("/device-proof/known", test_known);
    g_test_add_func("/device-proof/kept-badly", test_kept_badly);
    return g_test_run();
}
