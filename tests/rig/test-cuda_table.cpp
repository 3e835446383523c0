/* test-cuda_table.cpp: that the CUDA table is whole, and what it says where it cannot be made. The rig
 * plays the machine: RIG_DRIVER is its driver's version, RIG_DEVICES how many devices it has,
 * RIG_CAPABILITY ten times their compute capability, RIG_MEMORY their MiB. */
#include "kernels/cuda.h"
#include "tests/rig/rig.h"

static void test_whole()
{
    g_autoptr(GError) error = NULL;
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_BF16, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(kernels_cuda_missing(&cuda_device(k)->own), ==, NULL);
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

// what is the best way of a product is asked once a shape
static void test_ways()
{
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_F32, NULL);
    const size_t bytes = 64 * sizeof(float);
    float *x = (float *)k->alloc(k, bytes), *y = (float *)k->alloc(k, bytes);
    const int before = rig_questions;

    for (int i = 0; i < 6; i++) {
        k->gemm(k, {8, 4, 8, false, false, i % 2 == 1}, x, x, y);
        k->gemm(k, {8, 4, 8, true, false, false}, x, x, y);
        g_assert_true(k->sync(k, NULL));
    }
    g_assert_cmpint(rig_questions - before, ==, 3);
    k->release(k, x, bytes);
    k->release(k, y, bytes);
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

// what is listed, and what is left of a device's memory when something lies in it
static void test_devices()
{
    g_autoptr(GError) error = NULL;
    int count;

    g_setenv("RIG_DEVICES", "3", TRUE);
    g_setenv("RIG_MEMORY", "1000", TRUE);
    g_autofree struct kernels_cuda_device *list = kernels_cuda_list(&count, &error);
    g_assert_no_error(error);
    g_assert_cmpint(count, ==, 3);
    g_assert_cmpstr(list[2].name, ==, "the rig");
    g_assert_cmpint(list[2].major, ==, 9);
    g_assert_cmpint(list[2].minor, ==, 0);
    g_assert_cmpuint(list[2].bytes, ==, (uint64_t)1000 << 20);
    g_autoptr(kernels) k = kernels_cuda_create(2, KERNELS_IN_F32, NULL);
    const size_t before = k->available(k);
    void *memory = k->alloc(k, 1 << 20);
    g_assert_cmpuint(
        before, ==, (size_t)1000 << 20); // the table's own counts as free: a job's peak has it, too
    g_assert_cmpuint(k->available(k), ==, before - (1 << 20));
    k->release(k, memory, 1 << 20);
    g_setenv("RIG_DEVICES", "0", TRUE);
    g_assert_null(kernels_cuda_list(&count, &error));
    g_assert_cmpint(count, ==, 0);
    g_assert_cmpstr(error->message, ==,
                    "the NVIDIA driver finds no device on this machine: use the CPU");
    g_unsetenv("RIG_DEVICES");
    g_unsetenv("RIG_MEMORY");
}

// without cuSOLVER all else is there; what is missing is named, and no worker is made
static void test_no_solver()
{
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_F32, NULL);
    g_autoptr(kernels) whole = kernels_cuda_create(0, KERNELS_IN_F32, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(k->spectra->create(k)); // of a table that nobody asked whether it can
    g_setenv("RIG_SOLVER", "0", TRUE);
    g_assert_false(k->spectra->usable(k, &error));
    g_unsetenv("RIG_SOLVER");
    g_assert_cmpstr(error->message, ==, "libcublas.so.13 of the CUDA Toolkit was not found");
    g_assert_null(k->spectra->create(k));
    g_assert_true(whole->spectra->usable(whole, NULL));
    void *worker = whole->spectra->create(whole);
    g_assert_nonnull(worker);
    whole->spectra->destroy(worker);
}

// a worker takes what is told before, but for the room that its solver may want
static void test_spectra_memory()
{
    static const int sizes[][2] = {{40, 8}, {8, 40}, {24, 24}};
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_F32, NULL);
    g_autofree float *w = g_new0(float, 24 * 24);
    double lambda[24];

    for (int i = 0; i < 24; i++) {
        w[25 * i] = 1;
    }
    g_assert_true(k->spectra->usable(k, NULL));
    const size_t before = k->available(k);
    void *worker = k->spectra->create(k);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_assert_true(k->spectra->solve(worker, sizes[i][0], sizes[i][1], w, lambda));
    }
    const size_t taken = before - k->available(k), told = k->spectra->bytes(3, sizes);
    // of the rig's solver, and of any
    const size_t room = 24 * sizeof(double), most = 4 * 24 * 24 * sizeof(double) + (4 << 20);
    g_assert_cmpuint(taken, ==, told - most + room);
    g_assert_cmpuint(k->spectra->bytes(0, sizes), ==, 0);
    k->spectra->destroy(worker);
    g_assert_cmpuint(k->available(k), ==, before);
}

// a matrix that the device has no memory for is the host's; the next one is not
static void test_no_memory()
{
    g_setenv("RIG_MEMORY", "97", TRUE);
    g_autoptr(kernels) k = kernels_cuda_create(0, KERNELS_IN_F32, NULL);
    g_autofree float *large = g_new0(float, 600 * 600);
    float small[] = {3, 0, 0, 4};
    double lambda[600];

    g_assert_true(k->spectra->usable(k, NULL));
    void *worker = k->spectra->create(k);
    g_assert_false(k->spectra->solve(worker, 600, 600, large, lambda));
    g_assert_true(k->spectra->solve(worker, 2, 2, small, lambda));
    g_assert_cmpfloat(lambda[0], ==, 9);
    g_assert_cmpfloat(lambda[1], ==, 16);
    k->spectra->destroy(worker);
    g_assert_true(k->sync(k, NULL));
    g_unsetenv("RIG_MEMORY");
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
    {"RIG_DEVICES", "-1", 0, KERNELS_IN_F32,
     "the NVIDIA driver does not answer (initialization error): use the CPU"},
    {"RIG_BUSY", "1", 0, KERNELS_IN_F32,
     "CUDA device 0 cannot be used (CUDA-capable device(s) is/are busy or unavailable): use the "
     "CPU"},
    {"RIG_DEVICES", "2", 2, KERNELS_IN_F32,
     "there is no CUDA device 2: this machine has 2, numbered from 0"},
    {"RIG_CAPABILITY", "70", 0, KERNELS_IN_F32,
     "CUDA device 0 (the rig) has the compute capability 7.0, and the CUDA module is made for 7.5 "
     "and "
     "later: use the CPU, or a module that is made for it"},
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
    g_assert_cmpstr(error->message, ==, "invalid argument (in copy)");
    g_assert_true(k->sync(k, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cuda/whole", test_whole);
    g_test_add_func("/cuda/older", test_older);
    g_test_add_func("/cuda/ways", test_ways);
    g_test_add_func("/cuda/missing", test_missing);
    g_test_add_func("/cuda/failure", test_failure);
    g_test_add_func("/cuda/devices", test_devices);
    g_test_add_func("/cuda/no-solver", test_no_solver);
    g_test_add_func("/cuda/spectra-memory", test_spectra_memory);
    g_test_add_func("/cuda/no-memory", test_no_memory);
    for (const struct machine &machine : machines) {
        g_autofree char *path = g_strdup_printf("/cuda/%s=%s/%s", machine.name, machine.value,
                                                kernels_precision_word(machine.precision));
        g_test_add_data_func(path, &machine, test_refused);
    }
    return g_test_run();
}
