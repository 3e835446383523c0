/* svd: U diag(s) Vt is W, U and V are orthonormal also for the smallest values, and the
 * same input gives the same bits. A set of shapes as large as those of Stable Diffusion runs with
 * -m slow.
 *
 * --cuda: on the first device, which is to have done what it can. */
#include "engine/spectrum/svd.h"

#include "engine/base/error.h"
#include "engine/spectrum/svd_check.h"
#include "tests/svd_matrix.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static struct {
    struct kernels_spectra spectra;
    const struct kernels_spectra *own;
    int made; // decompositions
} device;

static bool count_factors(void *worker, const double *inverse, float *u, float *vt)
{
    const bool made = device.own->factors(worker, inverse, u, vt);

    g_atomic_int_add(&device.made, made);
    return made;
}

static kernels *open_device(void)
{
    g_autoptr(GError) error = NULL;
    kernels *k = kernels_cuda(NULL, 0, KERNELS_IN_F32, &error);

    g_assert_no_error(error);
    g_assert_true(k->spectra->usable(k, NULL));
    device.own = k->spectra;
    device.spectra = *k->spectra;
    device.spectra.factors = count_factors;
    k->spectra = &device.spectra;
    return k;
}

static void assert_signs(const struct matrix *a)
{
    for (int j = 0; j < a->r; j++) {
        float peak = 0;
        for (int i = 0; i < a->m; i++) {
            const float value = a->u[(size_t)i * a->r + j];
            peak = fabsf(value) > fabsf(peak) ? value : peak;
        }
        g_assert_cmpfloat(peak, >, 0);
    }
}

// decomposes, and asserts all that svd.h promises
static void assert_decomposes(struct matrix *a)
{
    decompose(a);
    const struct svd_accuracy accuracy = measure(a);

    g_test_message("%dx%d: reconstruction %.1e, orthonormality %.1e, s %.2e to %.2e", a->m, a->n,
                   accuracy.reconstruction, accuracy.orthonormality, a->s[0], a->s[a->r - 1]);
    g_assert_cmpfloat(accuracy.reconstruction, <=, 1e-6);
    g_assert_cmpfloat(accuracy.orthonormality, <=, 1e-5);
    g_assert_true(accuracy.descending);
    g_assert_true(svd_accuracy_good(&accuracy));
    assert_signs(a);
}

/* ---- shapes ---- */

static void test_random(void)
{
    static const int shapes[][2] = {{1, 1},     {1, 40},   {40, 1},   {2, 3},    {3, 2},
                                    {32, 4},    {4, 36},   {36, 32},  {64, 64},  {65, 63},
                                    {63, 577},  {577, 63}, {4, 2880}, {300, 96}, {96, 1100},
                                    {2100, 24}, {160, 160}};

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(matrix) a = matrix_random(shapes[i][0], shapes[i][1], (guint32)i, 0.02);
        const int before = device.made;
        assert_decomposes(a);
        g_assert_cmpint(device.made - before, ==, svd_device != NULL);
    }
}

static void test_small_model(void)
{
    static const int shapes[][2] = {{160, 1440}, {192, 192}, {2000, 192}};

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(matrix) a = matrix_random(shapes[i][0], shapes[i][1], (guint32)i, 0.02);
        assert_decomposes(a);
    }
}

static void test_large(void)
{
    static const int shapes[][2] = {{320, 2880},   {640, 640},   {1280, 1280}, {2560, 320},
                                    {1280, 11520}, {49408, 768}, {5120, 640}};

    if (!g_test_slow()) {
        g_test_skip("runs with -m slow");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(matrix) a = matrix_random(shapes[i][0], shapes[i][1], (guint32)i, 0.02);
        assert_decomposes(a);
    }
}

/* ---- values ---- */

// conditions 1e2 to 1e12, evenly spaced in the logarithm; tall, wide and square
static void test_graded(void)
{
    static const int shapes[][2] = {{48, 48}, {40, 130}, {130, 40}};
    double s[48];

    for (int shape = 0; shape < 3; shape++) {
        for (int power = 2; power <= 12; power++) {
            const int r = MIN(shapes[shape][0], shapes[shape][1]);
            for (int i = 0; i < r; i++) {
                s[i] = 3 * pow(10, -(double)power * i / (r - 1));
            }
            g_autoptr(matrix) a =
                matrix_with_values(shapes[shape][0], shapes[shape][1], s, (guint32)power);
            assert_decomposes(a);
            for (int i = 0; i < r; i++) { // rounding W to float moves values by 1e-7 of the first
                g_assert_cmpfloat(fabs(a->s[i] - s[i]), <=, 1e-6 * s[0]);
            }
        }
    }
}

// rows of falling magnitude: a true condition far beyond what rounding to float leaves of the
// others
static void test_graded_rows(void)
{
    for (int power = 2; power <= 24; power += 2) {
        g_autoptr(matrix) a = matrix_random(40, 70, 5, 1), b = matrix_create(70, 40);
        for (int i = 0; i < 40; i++) {
            for (int j = 0; j < 70; j++) {
                a->w[i * 70 + j] *= (float)pow(10, -power * i / 39.0);
                b->w[j * 40 + i] = a->w[i * 70 + j];
            }
        }
        assert_decomposes(a);
        assert_decomposes(b);
        for (int i = 0; i < 40; i++) {
            g_assert_cmpfloat(fabsf(a->s[i] - b->s[i]), <=, 1e-6 * a->s[0]);
        }
    }
}

static void test_repeated(void)
{
    double s[60];

    for (int i = 0; i < 60; i++) {
        s[i] = i < 20 ? 4 : i < 50 ? 1 : 1e-3;
    }
    g_autoptr(matrix) wide = matrix_with_values(60, 90, s, 1);
    g_autoptr(matrix) tall = matrix_with_values(90, 60, s, 2);
    assert_decomposes(wide);
    assert_decomposes(tall);
    for (int i = 0; i < 60; i++) {
        g_assert_cmpfloat_with_epsilon(wide->s[i], s[i], 1e-6);
        g_assert_cmpfloat_with_epsilon(tall->s[i], s[i], 1e-6);
    }

    // the identity, and all values the same in another basis
    g_autoptr(matrix) identity = matrix_create(33, 33);
    for (int i = 0; i < 33; i++) {
        identity->w[i * 34] = 1;
    }
    assert_decomposes(identity);
    for (int i = 0; i < 60; i++) {
        s[i] = 0.5;
    }
    g_autoptr(matrix) rotation = matrix_with_values(60, 60, s, 3);
    assert_decomposes(rotation);
}

/* ---- lack of rank ---- */

static void test_zero_rows(void)
{
    static const int shapes[][2] = {{40, 90}, {90, 40}, {50, 50}};

    for (int shape = 0; shape < 3; shape++) {
        const int m = shapes[shape][0], n = shapes[shape][1];
        g_autoptr(matrix) rows = matrix_random(m, n, 7, 1), columns = matrix_random(m, n, 8, 1);
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                rows->w[i * n + j] *= i % 5 != 2;
                columns->w[i * n + j] *= j % 5 != 2;
            }
        }
        assert_decomposes(rows);
        assert_decomposes(columns);
    }
}

static void test_low_rank(void)
{
    g_autoptr(matrix) one = matrix_create(30, 80);
    for (int i = 0; i < 30; i++) {
        for (int j = 0; j < 80; j++) {
            one->w[i * 80 + j] = (float)((i + 1) * (j - 40));
        }
    }
    assert_decomposes(one);
    g_assert_cmpfloat(one->s[1], <=, 1e-6 * one->s[0]);

    // two rows that are the same, two columns that are
    g_autoptr(matrix) twice = matrix_random(50, 40, 3, 1);
    memcpy(twice->w, twice->w + 40, 40 * sizeof(float));
    for (int i = 0; i < 50; i++) {
        twice->w[i * 40 + 7] = twice->w[i * 40 + 9];
    }
    assert_decomposes(twice);
    g_assert_cmpfloat(twice->s[39], <=, 1e-6 * twice->s[0]);
}

static void test_zeros(void)
{
    static const int shapes[][2] = {{1, 1}, {12, 30}, {30, 12}, {1, 9}, {9, 1}};

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(matrix) a = matrix_create(shapes[i][0], shapes[i][1]);
        assert_decomposes(a);
        for (int j = 0; j < a->r; j++) {
            g_assert_cmpfloat(a->s[j], ==, 0);
        }
    }
}

// the squares of these do not fit a float, their Gram matrix does not either
static void test_magnitudes(void)
{
    static const double scales[] = {1e-30, 1e-20, 1e-10, 1e10, 1e20, 1e30, 1e35};

    for (size_t i = 0; i < G_N_ELEMENTS(scales); i++) {
        g_autoptr(matrix) a = matrix_random(24, 31, (guint32)i, scales[i]);
        assert_decomposes(a);
        g_autoptr(matrix) b = matrix_random(31, 24, (guint32)i, scales[i]);
        assert_decomposes(b);
    }
}

/* ---- what is refused ---- */

static void test_refused(void)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    g_autoptr(svd_work) work = svd_work_create(svd_device);

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(matrix) a = matrix_random(20, 30, 1, 1);
        g_autoptr(GError) error = NULL;
        a->w[599] = values[i];
        g_assert_false(svd_thin(20, 30, a->w, a->u, a->s, a->vt, work, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, "infinite"));
    }

    // finite, but no float holds the first singular value
    g_autoptr(matrix) large = matrix_create(20, 20);
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 400; i++) {
        large->w[i] = 3e38f;
    }
    g_assert_false(svd_thin(20, 20, large->w, large->u, large->s, large->vt, work, &error));
    g_assert_nonnull(strstr(error->message, "too large"));
}

static bool stop_at_half(void *user, double done)
{
    double *largest = user;

    g_assert_cmpfloat(done, >=, *largest);
    g_assert_cmpfloat(done, <=, 1);
    *largest = done;
    return done < 0.5;
}

static bool never_stop(void *user, double done)
{
    double *largest = user;

    *largest = MAX(*largest, done);
    return true;
}

static void test_cancel(void)
{
    g_autoptr(matrix) a = matrix_random(20, 2500, 1, 1);
    g_autoptr(svd_work) work = svd_work_create(svd_device);
    g_autoptr(GError) error = NULL;
    double done = 0;

    svd_work_set_progress(work, stop_at_half, &done);
    g_assert_false(svd_thin(20, 2500, a->w, a->u, a->s, a->vt, work, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    g_clear_error(&error);

    svd_work_set_progress(work, never_stop, &done);
    g_assert_true(svd_thin(20, 2500, a->w, a->u, a->s, a->vt, work, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(done, ==, 1);
}

/* ---- the same again ---- */

static void test_deterministic(void)
{
    const int threads = omp_get_max_threads();
    g_autoptr(matrix) a = matrix_random(150, 400, 1, 1), b = matrix_random(150, 400, 1, 1);
    g_autoptr(matrix) other = matrix_random(60, 20, 1, 1);
    g_autoptr(svd_work) work = svd_work_create(svd_device);

    omp_set_num_threads(1);
    decompose(a);
    omp_set_num_threads(4);
    // memory that held another matrix, and other threads at work besides
    svd_thin(60, 20, other->w, other->u, other->s, other->vt, work, NULL);
    svd_thin(150, 400, b->w, b->u, b->s, b->vt, work, NULL);
    g_assert_cmpint(omp_get_max_threads(), ==, 4);
    g_assert_cmpmem(a->u, 150 * 150 * sizeof(float), b->u, 150 * 150 * sizeof(float));
    g_assert_cmpmem(a->s, 150 * sizeof(float), b->s, 150 * sizeof(float));
    g_assert_cmpmem(a->vt, 150 * 400 * sizeof(float), b->vt, 150 * 400 * sizeof(float));
    omp_set_num_threads(threads);
}

static void decompose_beside(struct matrix **matrices, int count)
{
#pragma omp parallel for num_threads(4)
    for (int i = 0; i < count; i++) {
        struct svd_work *work = svd_work_create(svd_device);
        struct matrix *a = matrices[i];
        svd_thin(a->m, a->n, a->w, a->u, a->s, a->vt, work, NULL);
        svd_work_free(work);
    }
}

static void test_threads(void)
{
    struct matrix *matrices[8];
    g_autoptr(matrix) alone = matrix_random(90, 120, 4, 1);

    decompose(alone);
    for (int i = 0; i < 8; i++) {
        matrices[i] = matrix_random(90, 120, 4, 1);
    }
    decompose_beside(matrices, 8);
    for (int i = 0; i < 8; i++) {
        g_assert_cmpmem(alone->u, 90 * 90 * sizeof(float), matrices[i]->u, 90 * 90 * sizeof(float));
        g_assert_cmpmem(alone->vt, 90 * 120 * sizeof(float), matrices[i]->vt,
                        90 * 120 * sizeof(float));
        matrix_free(matrices[i]);
    }
}

static void test_work_bytes(void)
{
    g_assert_cmpuint(svd_work_bytes(1280, 11520), <, (size_t)100 << 20);
    g_assert_cmpuint(svd_work_bytes(49408, 768), <, (size_t)100 << 20);
    g_assert_cmpuint(svd_work_bytes(1280, 11520), >, (size_t)1280 * 1280 * 8 * 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autoptr(kernels) k = argc > 1 && strcmp(argv[1], "--cuda") == 0 ? open_device() : NULL;
    svd_device = k;
    g_test_add_func("/svd/random", test_random);
    g_test_add_func("/svd/small-model", test_small_model);
    g_test_add_func("/svd/large", test_large);
    g_test_add_func("/svd/graded", test_graded);
    g_test_add_func("/svd/graded-rows", test_graded_rows);
    g_test_add_func("/svd/repeated", test_repeated);
    g_test_add_func("/svd/zero-rows", test_zero_rows);
    g_test_add_func("/svd/low-rank", test_low_rank);
    g_test_add_func("/svd/zeros", test_zeros);
    g_test_add_func("/svd/magnitudes", test_magnitudes);
    g_test_add_func("/svd/refused", test_refused);
    g_test_add_func("/svd/cancel", test_cancel);
    g_test_add_func("/svd/deterministic", test_deterministic);
    g_test_add_func("/svd/threads", test_threads);
    g_test_add_func("/svd/work-bytes", test_work_bytes);
    return g_test_run();
}
