/* CLIP's two towers and what is done to pictures before, against transformers: the tiny models
 * tests/fixtures/models/clip and clip-gelu, on what PyTorch computed (tests/fixtures/make_clip.py).
 * And what is said of folders that are none or damaged. */
#include "engine/base/safetensors.h"
#include "engine/evaluate/clip.h"
#include "engine/model/clip_pictures.h"
#include "tests/picture_fixture.h"
#include "tests/temporary_folder.h"

#include <math.h>
#include <string.h>

#define BOUND 5e-6 // as that of the text encoder of Stable Diffusion models

// those of make_clip.py
static const char *const pictures[] = {"rgb8", "baseline-expected", "grey8"};

static char *model_folder(const char *name)
{
    return g_test_build_filename(G_TEST_DIST, "fixtures", "models", name, NULL);
}

static picture *read_picture(const char *name)
{
    g_autofree char *file = g_strconcat(name, ".png", NULL);

    return picture_fixture_read("pictures", file);
}

// a tensor of the trace, g_free it
static float *wanted(const char *model, const char *what, const char *which, int64_t *n)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "fixtures", "traces", "clip.safetensors", NULL);
    g_autoptr(safetensors) file = safetensors_open(path, NULL);
    g_autofree char *name = g_strjoin(".", model, what, which, NULL);
    const struct safetensors_tensor *t = safetensors_find(file, name);

    g_assert_nonnull(t);
    float *values = g_new(float, t->values);
    g_assert_true(safetensors_read_f32(file, t, values, NULL));
    *n = t->values;
    return values;
}

static void assert_near(const float *got, const float *want, int64_t n, double bound)
{
    double difference = 0, size = 0;

    for (int64_t i = 0; i < n; i++) {
        difference += pow((double)got[i] - want[i], 2);
        size += pow(want[i], 2);
    }
    g_test_message("relative error %.3g", sqrt(difference / size));
    g_assert_cmpfloat(sqrt(difference / size), <, bound);
}

/* ---- against transformers ---- */

// to the byte: only the division by the deviation rounds
static void test_pixels(const void *model)
{
    g_autofree char *folder = model_folder(model);
    struct clip_pictures c;

    g_assert_true(clip_pictures_read(folder, &c, NULL));
    for (size_t k = 0; k < G_N_ELEMENTS(pictures); k++) {
        g_autoptr(picture) p = read_picture(pictures[k]);
        int64_t n;
        g_autofree float *want = wanted(model, "pixels", pictures[k], &n);
        g_autofree float *got = clip_pictures_prepare(&c, p, NULL);
        const int64_t plane = n / 3;
        g_assert_cmpint(plane, ==, c.crop * c.crop);
        for (int64_t i = 0; i < n; i++) {
            g_assert_cmpfloat(fabsf(got[i] - want[i % 3 * plane + i / 3]), <, 2e-6);
        }
    }
}

struct towers {
    const char *model;
    bool cpu; // on the CPU's fast table, else on the reference
};

static void test_towers(const void *data)
{
    static const char *const texts[] = {"a photo of a dog, sitting on the beach!", "",
                                        "VAN GOGH's clock & 12 red cups "};
    const struct towers *towers = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(kernels) k =
        towers->cpu ? kernels_cpu(2, KERNELS_IN_F32, &error) : kernels_reference(KERNELS_F32);
    g_autofree char *folder = model_folder(towers->model);
    struct clip *c = clip_open(folder, k, &error);
    float got[64];
    int64_t n;

    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(pictures); i++) {
        g_autoptr(picture) p = read_picture(pictures[i]);
        g_autofree float *want = wanted(towers->model, "picture", pictures[i], &n);
        g_assert_cmpint(n, ==, clip_width(c));
        g_assert_true(clip_picture(c, p, got, &error));
        assert_near(got, want, n, BOUND);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char number[] = {(char)('0' + i), '\0'};
        g_autofree float *want = wanted(towers->model, "text", number, &n);
        g_autoptr(GString) text = g_string_new(texts[i]);
        g_autofree char *left_out = NULL;
        for (int times = 1; i == 2 && times < 12; times++) {
            g_string_append(text, texts[i]);
        }
        g_assert_true(clip_text(c, text->str, got, &left_out, &error));
        g_assert_cmpint(left_out != NULL, ==, i == 2);
        assert_near(got, want, n, BOUND);
    }
    clip_close(c);
}

/* ---- what is wrong with a folder ---- */

// a copy of the model in a folder, whose files can be written
static void copy_model(const char *folder)
{
    static const char *const names[] = {"config.json", "merges.txt", "model.safetensors",
                                        "preprocessor_config.json", "vocab.json"};
    g_autofree char *from = model_folder("clip");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *source = g_build_filename(from, names[i], NULL);
        g_autofree char *to = g_build_filename(folder, names[i], NULL);
        g_autofree char *data = NULL;
        gsize length;
        g_assert_true(g_file_get_contents(source, &data, &length, NULL));
        g_assert_true(g_file_set_contents(to, data, (gssize)length, NULL));
    }
}

struct damage {
    const char *title, *file;
    const char *old, *by; // bytes of the file, of one length in weights; by NULL: the file is gone
    const char *sentence; // of the error, a part
};

// every place where these bytes are
static void change(const char *path, const struct damage *d)
{
    g_autofree char *data = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    char *at = memmem(data, length, d->old, strlen(d->old));
    g_assert_nonnull(at);
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_byte_array_append(all, (guint8 *)data, (guint)(at - data));
    g_byte_array_append(all, (const guint8 *)d->by, (guint)strlen(d->by));
    const char *behind = at + strlen(d->old);
    g_byte_array_append(all, (const guint8 *)behind, (guint)(data + length - behind));
    g_assert_true(g_file_set_contents(path, (char *)all->data, (gssize)all->len, NULL));
}

static void test_damage(const void *data)
{
    const struct damage *d = data;
    char *folder = temporary_folder_create();
    g_autoptr(GError) error = NULL;
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);

    copy_model(folder);
    g_autofree char *path = g_build_filename(folder, d->file, NULL);
    if (d->by != NULL) {
        change(path, d);
    } else {
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_assert_null(clip_open(folder, k, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, d->file));
    g_assert_nonnull(strstr(error->message, d->sentence));
    temporary_folder_remove(folder);
}

// the first value of a tensor becomes no number
static void test_nan(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);
    g_autofree char *data = NULL;
    gsize length;

    copy_model(folder);
    g_autoptr(safetensors) file = safetensors_open(path, NULL);
    const struct safetensors_tensor *t = safetensors_find(file, "visual_projection.weight");
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    memset(data + t->offset, 0xff, sizeof(float));
    g_assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
    g_assert_null(clip_open(folder, k, &error));
    g_assert_nonnull(strstr(error->message, "visual_projection.weight"));
    g_assert_nonnull(strstr(error->message, "NaN"));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    static const struct towers towers[] = {
        {"clip", false}, {"clip-gelu", false}, {"clip", true}, {"clip-gelu", true}};
    static const struct damage damages[] = {
        {"no-vision", "config.json", "\"vision_config\"", "\"other_config\"", "vision tower"},
        {"patches", "config.json", "\"image_size\": 32", "\"image_size\": 33", "patches of 8"},
        {"heads", "config.json", "\"hidden_size\": 48", "\"hidden_size\": 47", "4 heads"},
        {"activation", "config.json", "\"quick_gelu\",\n    \"hidden_size\": 48",
         "\"relu\",\n    \"hidden_size\": 48", "only these"},
        {"shape", "model.safetensors", "\"shape\":[24,48]", "\"shape\":[48,24]", "has shape"},
        {"missing", "model.safetensors", "vision_model.pre_layrnorm.bias",
         "vision_model.pre_layrnorm.b1as", "is missing"},
        {"no-config", "config.json", NULL, NULL, "config.json"},
        {"no-weights", "model.safetensors", NULL, NULL, "no weights"},
        {"no-vocabulary", "vocab.json", NULL, NULL, "vocab.json"},
        {"no-preprocessor", "preprocessor_config.json", NULL, NULL, "preprocessor_config.json"},
        {"bilinear", "preprocessor_config.json", "\"resample\": 3", "\"resample\": 2", "bicubic"},
        {"no-crop", "preprocessor_config.json", "\"do_center_crop\": true",
         "\"do_center_crop\": false", "do_center_crop"},
        {"size", "preprocessor_config.json", "shortest_edge", "longest_edge", "shortest_edge"},
        {"wide", "preprocessor_config.json", "\"width\": 32", "\"width\": 31", "no square"},
        {"deviation", "preprocessor_config.json", "0.26862954", "0.0", "not above 0"},
        {"channels", "preprocessor_config.json", "0.48145466,", "", "three numbers"},
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/clip/pixels", "clip", test_pixels);
    g_test_add_data_func("/clip/pixels/gelu", "clip-gelu", test_pixels);
    for (size_t i = 0; i < G_N_ELEMENTS(towers); i++) {
        g_autofree char *path = g_strdup_printf("/clip/towers/%s/%s", towers[i].model,
                                                towers[i].cpu ? "cpu" : "reference");
        g_test_add_data_func(path, &towers[i], test_towers);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autofree char *path = g_strconcat("/clip/damage/", damages[i].title, NULL);
        g_test_add_data_func(path, &damages[i], test_damage);
    }
    g_test_add_func("/clip/damage/nan", test_nan);
    return g_test_run();
}
