/* Weights in 8 bits against PyTorch: every value of both types, and scales under each name and of
 * each shape; then what does not fit. */
#include "engine/model/weight_scale.h"

#include "engine/base/error.h"
#include "engine/model/checkpoint.h"
#include "tests/edited_model.h"

static struct weight_files *open_fixture(void)
{
    g_autofree char *path = fixture_path("fp8.safetensors");
    g_autoptr(GError) error = NULL;
    struct weight_files *weights = weight_files_open_file(path, &error);

    g_assert_no_error(error);
    return weights;
}

// reads both with their shapes; the caller frees
static float *read_values(const struct weight_files *weights, const char *name,
                          struct weight_place *place)
{
    g_assert_true(weight_files_find(weights, name, place));
    float *values = g_new(float, place->tensor->values);
    g_assert_true(safetensors_read_f32(place->file, place->tensor, values, NULL));
    return values;
}

static void test_types(void)
{
    static const char *const names[] = {"e4m3", "e5m2"};
    g_autoptr(weight_files) weights = open_fixture();

    for (size_t k = 0; k < G_N_ELEMENTS(names); k++) {
        g_autofree char *key = g_strconcat(names[k], ".expected", NULL);
        struct weight_place place;
        g_autofree float *got = read_values(weights, names[k], &place);
        g_assert_cmpint(place.tensor->dtype, ==, k == 0 ? DTYPE_F8_E4M3 : DTYPE_F8_E5M2);
        g_autofree float *expected = read_values(weights, key, &place);
        for (int i = 0; i < 256; i++) {
            g_assert_true(isnan(expected[i])
                              ? isnan(got[i])
                              : got[i] == expected[i] && !signbit(got[i]) == !signbit(expected[i]));
        }
    }
}

// whole, and in parts that begin and end anywhere
static void check_scale(const struct weight_files *weights, const char *name)
{
    g_autofree char *key = g_strconcat(name, ".expected", NULL);
    g_autoptr(GError) error = NULL;
    struct weight_place place, other;
    struct weight_scale scale;
    g_autofree float *stored = read_values(weights, name, &place);
    g_autofree float *expected = read_values(weights, key, &other);
    const int64_t n = place.tensor->values;
    g_autofree float *got = g_memdup2(stored, (gsize)n * sizeof(float));

    g_assert_true(weight_scale_find(weights, &place, &scale, &error));
    g_assert_no_error(error);
    weight_scale_apply(&scale, 0, n, got);
    g_assert_cmpmem(got, (gsize)n * sizeof(float), expected, (gsize)n * sizeof(float));
    for (int64_t part = 1; part < n; part = 2 * part + 1) {
        memcpy(got, stored, (gsize)n * sizeof(float));
        for (int64_t first = 0; first < n; first += part) {
            weight_scale_apply(&scale, first, MIN(part, n - first), got + first);
        }
        g_assert_cmpmem(got, (gsize)n * sizeof(float), expected, (gsize)n * sizeof(float));
    }
    weight_scale_finish(&scale);
}

static void test_scales(void)
{
    static const char *const names[] = {"one.weight",  "list.weight",     "bias",
                                        "rows.weight", "columned.weight", "kernel.weight",
                                        "even.weight", "cut.weight",      "turned.weight",
                                        "none.weight", "wide.weight"};
    g_autoptr(weight_files) weights = open_fixture();

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_test_message("%s", names[i]);
        check_scale(weights, names[i]);
    }
}

static void test_refused(void)
{
    static const char *const cases[][2] = {{"misfit.weight", "[5], which is no scale of"},
                                           {"blocks.weight", "[3, 3], which is no scale of"},
                                           {"nan.weight", "nan.weight_scale, the scale of"}};
    g_autoptr(weight_files) weights = open_fixture();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        struct weight_scale scale;
        struct weight_place place;
        g_assert_true(weight_files_find(weights, cases[i][0], &place));
        g_assert_false(weight_scale_find(weights, &place, &scale, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
        g_assert_null(scale.values);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i][1]));
        g_assert_true(g_str_has_suffix(error->message, "."));
    }
}

// names of scales and marks, which belong to no network and are not told
static void test_names(void)
{
    static const char *const parts[] = {"a.scale_weight", "a.weight_scale", "a.weight_scale_inv",
                                        "a.weight.scale", "scaled_fp8",     "a.scaled_fp8",
                                        "a.input_scale",  "a.scale_input",  "a.comfy_quant"};
    static const char *const others[] = {"a.weight", "scale_factor", "a.scaler", "a.bias"};

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_assert_true(weight_scale_is_part(parts[i]));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_assert_false(weight_scale_is_part(others[i]));
    }
}

// a whole model: near to the one that it was made of, as 8 bits allow, and without a notice
static void test_model(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = copy_fixture(folder, "sd1-fp8.safetensors");
    g_autofree char *wide = copy_fixture(folder, "sd1.safetensors");
    g_autofree char *from = fixture_path("sd1.config");
    g_autofree char *short_config = g_build_filename(folder, "sd1-fp8.config", NULL);
    g_autofree char *wide_config = g_build_filename(folder, "sd1.config", NULL);
    g_autoptr(GError) error = NULL;

    copy_tree(from, short_config);
    copy_tree(from, wide_config);
    g_autoptr(checkpoint) model = checkpoint_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(checkpoint) original = checkpoint_open(wide, &error);
    g_assert_no_error(error);
    g_assert_null(checkpoint_notices(model)[0]);
    int narrow = 0;
    for (size_t i = 0; i < checkpoint_count(model); i++) {
        const int64_t n = model_tensor_values(checkpoint_at(model, i));
        g_autofree float *a = g_new(float, n), *b = g_new(float, n);
        double difference = 0, size = 0;
        g_assert_true(checkpoint_read_part(model, i, 0, n, a, &error));
        g_assert_true(checkpoint_read_part(original, i, 0, n, b, &error));
        for (int64_t k = 0; k < n; k++) {
            difference += ((double)a[k] - b[k]) * ((double)a[k] - b[k]);
            size += (double)b[k] * b[k];
        }
        // half a place of 3 and of 2 bits of mantissa, and of their square root on average
        const enum dtype type = checkpoint_stored(model, i)->dtype;
        narrow += type == DTYPE_F8_E4M3;
        const double bound = type == DTYPE_F8_E4M3 ? 0.04 : type == DTYPE_F8_E5M2 ? 0.08 : 0;
        g_assert_cmpfloat(sqrt(difference), <=, bound * sqrt(size));
    }
    g_assert_cmpint(narrow, >, 100);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/weight_scale/types", test_types);
    g_test_add_func("/weight_scale/scales", test_scales);
    g_test_add_func("/weight_scale/refused", test_refused);
    g_test_add_func("/weight_scale/names", test_names);
    g_test_add_func("/weight_scale/model", test_model);
    return g_test_run();
}
