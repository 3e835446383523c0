/* spectrum: computed once and kept, found again without reading the model, gone when the folder
 * is full; where nothing can be kept the results are the same. */
#include "engine/spectrum/spectrum.h"

#include "engine/spectrum/spectrum_cache.h"
#include "tests/spectrum_model.h"
#include "tests/temporary_folder.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- computed, kept, found ---- */

static void test_kept(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);

    g_autoptr(spectrum_store) first = open_store(model);
    g_assert_cmpint(model->reads, ==, WEIGHTS);
    g_assert_true(model->phases[SPECTRUM_PHASE_COMPUTE]);
    g_assert_cmpfloat_with_epsilon(model->done, 1, 1e-9);
    g_assert_cmpint(model->announced, ==, 1);
    g_assert_cmpuint(model->announced_bytes, ==, spectrum_bytes(weights, WEIGHTS));
    g_assert_cmpuint(temporary_folder_bytes(folder, ".safetensors"), >=, model->announced_bytes);
    g_assert_cmpuint(temporary_folder_bytes(folder, ".safetensors"), <,
                     model->announced_bytes + 10000);
    g_assert_cmpint(temporary_folder_count(folder), ==, 1);
    assert_gives_all(first, model);

    g_autoptr(spectrum_store) second = open_store(model);
    g_assert_cmpint(model->reads, ==, 0);
    g_assert_cmpint(model->announced, ==, 0);
    assert_gives_all(second, model);
    g_assert_cmpint(model->reads, ==, 0);
    g_assert_cmpstr(spectrum_path(first), ==, spectrum_path(second));

    g_assert_cmpint(model->warnings, ==, 0);
    temporary_folder_remove(folder);
}

static void test_parts(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    float s[24], again[24];

    for (int keep = 0; keep < 2; keep++) {
        model->options.never_keep = !keep;
        g_autoptr(spectrum_store) store = open_store(model);
        g_assert_true(spectrum_get(store, 1, NULL, keep ? again : s, NULL, NULL));
        g_assert_true(spectrum_get(store, 1, NULL, NULL, NULL, NULL));
    }
    g_assert_cmpmem(s, sizeof(s), again, sizeof(again));
    temporary_folder_remove(folder);
}

// another key is another model; a file of this key with other weights in it is not believed
static void test_key(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1), other = model_create(folder, 2);
    struct spectrum_weight renamed[WEIGHTS];

    g_autoptr(spectrum_store) first = open_store(model);
    other->source.key = KEY_TWO;
    g_autoptr(spectrum_store) second = open_store(other);
    g_assert_cmpstr(spectrum_path(second), !=, spectrum_path(first));
    g_assert_nonnull(strstr(spectrum_path(second), KEY_TWO));
    assert_gives_all(second, other);

    memcpy(renamed, weights, sizeof(weights));
    renamed[0].name = "conv";
    model->source.weights = renamed;
    g_autoptr(spectrum_store) name = open_store(model);
    g_assert_cmpint(model->warnings, ==, 1);
    g_assert_true(model->phases[SPECTRUM_PHASE_COMPUTE]);
    assert_gives_all(name, model);
    temporary_folder_remove(folder);
}

static void test_threads(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autofree char *one = NULL, *four = NULL;
    gsize one_bytes, four_bytes;

    model->options.threads = 1;
    g_autoptr(spectrum_store) first = open_store(model);
    g_assert_true(g_file_get_contents(spectrum_path(first), &one, &one_bytes, NULL));
    g_assert_cmpint(g_unlink(spectrum_path(first)), ==, 0);
    model->options.threads = 4;
    g_autoptr(spectrum_store) second = open_store(model);
    g_assert_true(model->phases[SPECTRUM_PHASE_COMPUTE]);
    g_assert_true(g_file_get_contents(spectrum_path(second), &four, &four_bytes, NULL));
    g_assert_cmpmem(one, one_bytes, four, four_bytes);
    temporary_folder_remove(folder);
}

/* ---- on several devices ---- */

enum { DEVICES = 3 };

// devices that count what they are asked for and leave it to the host
static struct counting {
    kernels *k;
    gint solved;
} counting[DEVICES];

static bool is_usable(const kernels *k, GError **error)
{
    return true;
}

static void *create_worker(const kernels *k)
{
    for (int i = 0; i < DEVICES; i++) {
        if (counting[i].k == k) {
            return &counting[i];
        }
    }
    return NULL;
}

static void destroy_worker(void *worker)
{
}

static size_t worker_bytes(size_t count, const int (*sizes)[2])
{
    return 0;
}

static bool count_solve(void *worker, int m, int n, const float *w, double *lambda)
{
    struct counting *c = worker;

    g_atomic_int_inc(&c->solved);
    return false;
}

static bool no_factors(void *worker, const double *inverse, float *u, float *vt)
{
    return false;
}

static const struct kernels_spectra counts = {is_usable,    create_worker, destroy_worker,
                                              worker_bytes, count_solve,   no_factors};

static kernels *open_counting(int i)
{
    counting[i] = (struct counting){.k = kernels_reference(KERNELS_F32)};
    counting[i].k->spectra = &counts;
    return counting[i].k;
}

static kernels *open_further(void *user, int i, GError **error)
{
    return open_counting(i + 1);
}

static kernels *open_none(void *user, int i, GError **error)
{
    error_failed(error, "it is gone.");
    return NULL;
}

// the file that this many devices make is the one of one, and each has computed its share
static void test_devices(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autofree char *one = NULL;
    gsize one_bytes;

    for (int n = 1; n <= DEVICES + 1; n++) {
        const bool lost = n > DEVICES; // the further ones cannot be had
        const int devices = lost ? 1 : n;
        g_autoptr(kernels) first = open_counting(0);
        g_autofree char *file = NULL;
        gsize bytes;

        model->options.k = first;
        model->options.n_more = lost ? 2 : n - 1;
        model->options.open = lost ? open_none : open_further;
        g_autoptr(spectrum_store) store = open_store(model);
        g_assert_cmpint(model->warnings, ==, lost ? 2 : 0);
        for (int d = 0; d < devices; d++) {
            g_assert_cmpint(counting[d].solved, ==, (WEIGHTS - d + devices - 1) / devices);
        }
        g_assert_true(g_file_get_contents(spectrum_path(store), &file, &bytes, NULL));
        g_assert_cmpint(g_unlink(spectrum_path(store)), ==, 0);
        if (n == 1) {
            one = g_steal_pointer(&file);
            one_bytes = bytes;
        } else {
            g_assert_cmpmem(one, one_bytes, file, bytes);
        }
    }
    temporary_folder_remove(folder);
}

/* ---- while they come ---- */

static struct spectrum_store *begin_store(struct model *model)
{
    forget(model);
    return spectrum_begin(&model->source, &model->options);
}

// the same factors as they come, and the same file at the end
static void test_begun(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autofree char *whole = NULL, *begun = NULL;
    gsize whole_bytes, begun_bytes;
    g_autoptr(GError) error = NULL;

    struct spectrum_store *store = open_store(model);
    g_assert_true(g_file_get_contents(spectrum_path(store), &whole, &whole_bytes, NULL));
    g_assert_cmpint(g_unlink(spectrum_path(store)), ==, 0);
    spectrum_close(store);

    // the last one cannot come before somebody waits: those before it are had while it is not there
    model->wait_at = WEIGHTS - 1;
    store = begin_store(model);
    g_assert_cmpint(model->announced, ==, 1);
    for (size_t i = 0; i < WEIGHTS; i++) {
        g_assert_null(spectrum_path(store));
        assert_gives(store, model, i);
    }
    g_assert_true(model->phases[SPECTRUM_PHASE_COMPUTE]);
    g_assert_true(spectrum_finish(store, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(spectrum_path(store), &begun, &begun_bytes, NULL));
    g_assert_cmpmem(whole, whole_bytes, begun, begun_bytes);
    assert_gives_all(store, model);
    g_assert_true(spectrum_finish(store, &error));
    spectrum_close(store);

    // found: nothing is computed
    store = begin_store(model);
    assert_gives_all(store, model);
    g_assert_cmpint(model->reads, ==, 0);
    spectrum_close(store);
    temporary_folder_remove(folder);
}

static void test_begun_in_vain(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autoptr(GError) error = NULL;
    float s[4];

    // cancelled while it waits
    model->wait_at = 3;
    model->cancel_in = SPECTRUM_PHASE_COMPUTE;
    struct spectrum_store *store = begin_store(model);
    g_assert_false(spectrum_get(store, 3, NULL, s, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    g_clear_error(&error);
    spectrum_close(store);
    g_assert_cmpint(temporary_folder_count(folder), ==, 0);

    // a weight that cannot be read is told to who asks for it, or for the end
    model->cancel_in = -1;
    model->fail_at = 3;
    for (int way = 0; way < 2; way++) {
        store = begin_store(model);
        g_assert_false(way == 0 ? spectrum_get(store, 3, NULL, s, NULL, &error)
                                : spectrum_finish(store, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, "proj: gone."));
        g_clear_error(&error);
        spectrum_close(store);
        g_assert_cmpint(temporary_folder_count(folder), ==, 0);
    }
    temporary_folder_remove(folder);
}

// closed early: what is there is whole, or there is nothing
static void test_begun_and_left(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);

    for (int pause = 0; pause < 2; pause++) {
        struct spectrum_store *store = begin_store(model);
        for (int i = 0; pause && i < 1000 && g_atomic_int_get(&model->reads) < WEIGHTS; i++) {
            g_usleep(1000);
        }
        spectrum_close(store);
        const int left = temporary_folder_count(folder);
        g_assert_cmpint(left, <=, 1);
        g_autoptr(spectrum_store) next = open_store(model);
        g_assert_cmpint(model->reads, ==, left == 0 ? WEIGHTS : 0);
        g_assert_cmpint(model->warnings, ==, 0);
        g_assert_cmpint(g_unlink(spectrum_path(next)), ==, 0);
    }
    temporary_folder_remove(folder);
}

/* ---- what cannot be done ---- */

static void assert_fails(struct model *model, int code, const char *part)
{
    g_autoptr(GError) error = NULL;

    forget(model);
    g_assert_null(spectrum_open(&model->source, &model->options, &error));
    g_assert_error(error, SVDIFF_ERROR, code);
    g_assert_nonnull(strstr(error->message, part));
    g_assert_cmpuint(temporary_folder_bytes(model->folder, ".safetensors"), ==, 0);
}

static void test_cancel(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);

    model->cancel_in = SPECTRUM_PHASE_COMPUTE;
    assert_fails(model, SVDIFF_ERROR_CANCELLED, "cancelled");
    g_assert_cmpint(temporary_folder_count(folder), ==, 0);
    model->cancel_in = SPECTRUM_PHASE_CHECK;
    g_autoptr(spectrum_store) store = open_store(model);
    g_autoptr(GError) error = NULL;
    struct svd_accuracy accuracy[WEIGHTS];
    g_assert_false(spectrum_check(store, accuracy, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    temporary_folder_remove(folder);
}

static void test_bad_model(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);

    model->fail_at = 3;
    assert_fails(model, SVDIFF_ERROR_FAILED, "proj: gone.");
    model->fail_at = -1;
    model->values[4][100] = NAN;
    assert_fails(model, SVDIFF_ERROR_FAILED, "conv_out: ");

    // the same without a file
    model->options.never_keep = true;
    g_autoptr(spectrum_store) store = open_store(model);
    g_autoptr(GError) error = NULL;
    float s[4];
    g_assert_false(spectrum_get(store, 4, NULL, s, NULL, &error));
    g_assert_true(g_str_has_prefix(error->message, "conv_out: "));
    temporary_folder_remove(folder);
}

// wherever nothing can be kept, everything is given all the same, and a reason is told
static void test_not_kept(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    g_autofree char *inside = g_build_filename(file, "folder", NULL);

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    for (int why = 0; why < 4; why++) {
        model->options.never_keep = why == 0;
        model->keep = why != 1;
        model->options.limit = why == 2 ? spectrum_bytes(weights, WEIGHTS) - 1 : 0;
        model->options.folder = why == 3 ? inside : folder;
        g_autoptr(spectrum_store) store = open_store(model);
        g_assert_null(spectrum_path(store));
        g_assert_cmpint(model->warnings, ==, why >= 2);
        g_assert_cmpint(model->announced, ==, why == 1);
        g_assert_cmpuint(temporary_folder_bytes(folder, ".safetensors"), ==, 0);
        assert_gives_all(store, model);
        g_autoptr(spectrum_store) begun = begin_store(model);
        assert_gives_all(begun, model);
        g_assert_true(spectrum_finish(begun, NULL));
        g_assert_null(spectrum_path(begun));
    }
    temporary_folder_remove(folder);
}

static void test_limit(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1), other = model_create(folder, 2);

    other->source.key = KEY_TWO;
    model->options.limit = other->options.limit = spectrum_bytes(weights, WEIGHTS) * 3 / 2;
    g_autoptr(spectrum_store) first = open_store(model);
    g_autoptr(spectrum_store) second = open_store(other);
    g_assert_false(g_file_test(spectrum_path(first), G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(spectrum_path(second), G_FILE_TEST_EXISTS));
    assert_gives_all(first, model); // whoever has it open keeps it
    g_assert_cmpint(model->warnings, ==, 0);
    temporary_folder_remove(folder);
}

/* ---- proving ---- */

static void test_check(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(model_pointer) model = model_create(folder, 1);
    g_autoptr(GError) error = NULL;
    struct svd_accuracy accuracy[WEIGHTS];

    for (int keep = 0; keep < 2; keep++) {
        model->options.never_keep = !keep;
        g_autoptr(spectrum_store) store = open_store(model);
        g_assert_true(spectrum_check(store, accuracy, &error));
        g_assert_no_error(error);
        g_assert_true(model->phases[SPECTRUM_PHASE_CHECK]);
        for (int i = 0; i < WEIGHTS; i++) {
            g_assert_true(svd_accuracy_good(&accuracy[i]));
        }
    }

    // a weight that is not the one the spectra were made of
    g_autoptr(spectrum_store) store = open_store(model);
    model->values[2][7] += 0.01f;
    g_assert_true(spectrum_check(store, accuracy, &error));
    for (int i = 0; i < WEIGHTS; i++) {
        g_assert_cmpint(svd_accuracy_good(&accuracy[i]), ==, i != 2);
    }
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spectrum/kept", test_kept);
    g_test_add_func("/spectrum/parts", test_parts);
    g_test_add_func("/spectrum/key", test_key);
    g_test_add_func("/spectrum/threads", test_threads);
    g_test_add_func("/spectrum/devices", test_devices);
    g_test_add_func("/spectrum/begun", test_begun);
    g_test_add_func("/spectrum/begun-in-vain", test_begun_in_vain);
    g_test_add_func("/spectrum/begun-and-left", test_begun_and_left);
    g_test_add_func("/spectrum/cancel", test_cancel);
    g_test_add_func("/spectrum/bad-model", test_bad_model);
    g_test_add_func("/spectrum/not-kept", test_not_kept);
    g_test_add_func("/spectrum/limit", test_limit);
    g_test_add_func("/spectrum/check", test_check);
    return g_test_run();
}
