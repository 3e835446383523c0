/* test-cuda_table.cpp: that the CUDA table is whole, and what it says where it cannot be made. The rig
 * plays the machine: RIG_DRIVER is its driver's version, RIG_DEVICES how many devices it has,
 * RIG_CAPABILITY ten times their compute capability, RIG_MEMORY their MiB. */
#include "kernels/cuda.h"

static void test_whole()
{
    g_autoptr(GError) error = NULL;
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_BF16, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(kernels_cuda_missing(k), ==, NULL);
    g_assert_cmpint(k->precision, ==, KERNELS_IN_BF16);
    g_assert_cmpint(k->weight, ==, KERNELS_BF16);
    g_assert_cmpint(k->activation, ==, KERNELS_BF16);
    g_assert_false(k->host_memory);
    g_assert_cmpuint(kernels_peak_bytes(k), ==, CUDA_WORKSPACE + CUDA_LIBRARY);
}

// a device that multiplies float16 alone does so
static void test_older()
{
    g_setenv("RIG_CAPABILITY", "75", TRUE);
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_F16, NULL);
    g_unsetenv("RIG_CAPABILITY");
    g_assert_nonnull(k);
    g_assert_cmpint(k->activation, ==, KERNELS_F16);
}

// an entry that is taken away is named
static void test_missing()
{
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_F32, NULL);
    g_autoptr(kernels) bare = g_new0(kernels, 1);

    bare->destroy = [](kernels *table) { g_free(table); };
    kernels_cuda_begin(bare);
    g_assert_cmpstr(kernels_cuda_missing(bare), ==, "gemm");
    k->unmix = bare->unmix;
    g_assert_cmpstr(kernels_cuda_missing(k), ==, "unmix");
}

struct machine {
    const char *name, *value; // of the variable
    int number;               // the device that is asked for
    enum kernels_precision precision;
    const char *sentence;
};

static void test_refused(gconstpointer data)
{
    const struct machine *machine = (const struct machine *)data;
    g_autoptr(GError) error = NULL;

    g_setenv(machine->name, machine->value, TRUE);
    kernels *k = kernels_cuda_create(machine->number, machine->precision, &error);
    g_unsetenv(machine->name);
    g_assert_null(k);
    g_assert_cmpstr(error->message, ==, machine->sentence);
}

static const struct machine machines[] = {
    {"RIG_DRIVER", "0", 0, KERNELS_IN_F32,
     "there is no NVIDIA driver on this machine: install one, or use the CPU"},
    {"RIG_DRIVER", "12040", 0, KERNELS_IN_F32,
     "the NVIDIA driver is made for CUDA 12.4, and CUDA 13.0 is needed: install a newer driver, or "
     "use the CPU"},
    {"RIG_DEVICES", "0", 0, KERNELS_IN_F32,
     "the NVIDIA driver finds no device on this machine: use the CPU"},
    {"RIG_DEVICES", "2", 2, KERNELS_IN_F32,
     "there is no CUDA device 2 on this machine, the last one is 1"},
    {"RIG_CAPABILITY", "75", 0, KERNELS_IN_BF16,
     "CUDA device 0 does not compute in bf16: use the precision f16 or f32"},
    {"RIG_CAPABILITY", "75", 0, KERNELS_IN_TF32,
     "CUDA device 0 does not compute in tf32: use the precision f16 or f32"},
    {"RIG_MEMORY", "47", 0, KERNELS_IN_F32,
     "CUDA device 0 has 47 of 47 MiB of its memory left, and 96 MiB are needed to begin with: "
     "close "
     "what uses it, or use the CPU"},
};

// a device's failure is told by sync, once; the rig refuses what lies in memory of the host
static void test_failure()
{
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_F32, NULL);
    g_autoptr(GError) error = NULL;
    char host[16] = {0};

    k->copy(k, host, host, sizeof host);
    g_assert_false(k->sync(k, &error));
    g_assert_cmpstr(error->message, ==, "invalid argument");
    g_assert_true(k->sync(k, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cuda/whole", test_whole);
    g_test_add_func("/cuda/older", test_older);
    g_test_add_func("/cuda/missing", test_missing);
    g_test_add_func("/cuda/failure", test_failure);
    for (const struct machine &machine : machines) {
        g_autofree char *path = g_strdup_printf("/cuda/%s=%s/%s", machine.name, machine.value,
                                                kernels_precision_word(machine.precision));
        g_test_add_data_func(path, &machine, test_refused);
    }
    return g_test_run();
}
