/* Models on disk: both layouts hold the same values, every way of storing is read, every damage and
 * every foreign model is a sentence. */
#include "engine/model/checkpoint.h"

#include "engine/base/error.h"
#include "tests/edited_model.h"

#include <unistd.h>

#define UNET_FILE "unet/diffusion_pytorch_model.safetensors"
#define VAE_FILE  "vae/diffusion_pytorch_model.safetensors"
#define TEXT_FILE "text_encoder/model.safetensors"

static struct checkpoint *open_fixture(const char *name)
{
    g_autofree char *path = fixture_path(name);
    g_autoptr(GError) error = NULL;
    struct checkpoint *model = checkpoint_open(path, &error);

    g_assert_no_error(error);
    return model;
}

// the first tensor's values, as the model has them; the caller frees them
static float *read_tensor(const struct checkpoint *model, const struct model_tensor *tensor)
{
    g_autoptr(GError) error = NULL;
    float *values = g_new(float, model_tensor_values(tensor));

    checkpoint_read(model, tensor->component, tensor->name, tensor->shape, tensor->n_dims, values,
                    &error);
    g_assert_no_error(error);
    return values;
}

// the type that the first tensor of a component is stored in
static enum dtype stored_type(const struct checkpoint *model, enum model_component component)
{
    size_t i = 0;

    while (checkpoint_at(model, i)->component != component) {
        i++;
    }
    return checkpoint_stored(model, i)->dtype;
}

// both models have the same tensors, and those of `b` are those of `a` rounded to `type`
static void assert_same(const struct checkpoint *a, const struct checkpoint *b, enum dtype type)
{
    g_assert_cmpint(checkpoint_count(a), ==, checkpoint_count(b));
    for (size_t i = 0; i < checkpoint_count(a); i++) {
        const struct model_tensor *tensor = checkpoint_at(a, i);
        const size_t n = (size_t)model_tensor_values(tensor);
        g_autofree float *x = read_tensor(a, tensor), *y = read_tensor(b, tensor);
        g_autofree char *stored = g_malloc(n * 4);
        dtype_from_f32(type, x, stored, n);
        dtype_to_f32(type, stored, x, n);
        g_assert_cmpmem(x, n * sizeof(float), y, n * sizeof(float));
    }
}

// folder in f32 with old names, single file in f16
static void test_sd1(void)
{
    g_autoptr(checkpoint) folder = open_fixture("sd1");
    g_autoptr(checkpoint) single = open_fixture("sd1.safetensors");

    assert_same(folder, single, DTYPE_F16);
    g_assert_cmpint(checkpoint_count(folder), ==, 326 + 36 + 180);
    g_assert_false(checkpoint_is_single(folder));
    g_assert_true(checkpoint_is_single(single));
    g_assert_cmpint(stored_type(folder, MODEL_UNET), ==, DTYPE_F32);
    g_assert_cmpint(stored_type(single, MODEL_VAE), ==, DTYPE_F16);
    g_assert_cmpint(checkpoint_schedule_config(folder)->prediction_type, ==, PREDICTION_EPSILON);
    g_assert_false(checkpoint_unet_config(single)->use_linear_projection);
    g_assert_true(checkpoint_text_config(single)->quick_gelu);
    const char *const query = "decoder.mid_block.attentions.0.to_q.weight";
    const char *const norm = "text_model.final_layer_norm.bias";
    g_assert_cmpstr(checkpoint_find(folder, MODEL_VAE, query)->name, ==, query);
    g_assert_cmpstr(checkpoint_find(folder, MODEL_TEXT_ENCODER, norm)->name, ==, norm);
    g_assert_null(checkpoint_find(folder, MODEL_UNET, norm));
}

// folder of shards, single file in bf16 with OpenCLIP's names and one layer more
static void test_sd2(void)
{
    g_autoptr(checkpoint) folder = open_fixture("sd2");
    g_autoptr(checkpoint) single = open_fixture("sd2.safetensors");

    assert_same(folder, single, DTYPE_BF16);
    g_assert_cmpint(stored_type(folder, MODEL_TEXT_ENCODER), ==, DTYPE_F32);
    g_assert_cmpint(checkpoint_schedule_config(single)->prediction_type, ==, PREDICTION_V);
    g_assert_true(checkpoint_unet_config(folder)->use_linear_projection);
    g_assert_null(checkpoint_notices(folder)[0]);
    checkpoint_set_prediction(single, PREDICTION_EPSILON);
    g_assert_cmpint(checkpoint_schedule_config(single)->prediction_type, ==, PREDICTION_EPSILON);
}

static void test_tokenizer(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1.safetensors");
    g_autofree char *configs = copy_fixture(folder, "sd1.config");
    g_autofree char *expected = g_build_filename(configs, "tokenizer", NULL);
    g_autoptr(GError) error = NULL;

    g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(checkpoint_tokenizer(model), ==, expected);
    rename_file(folder, "sd1.config/tokenizer", "tokenizer");
    g_autofree char *beside = g_build_filename(folder, "tokenizer", NULL);
    g_autoptr(checkpoint) second = checkpoint_open(copy, &error);
    g_assert_cmpstr(checkpoint_tokenizer(second), ==, beside);
    rename_file(folder, "tokenizer", "elsewhere");
    g_autoptr(checkpoint) third = checkpoint_open(copy, &error);
    g_assert_no_error(error);
    g_assert_null(checkpoint_tokenizer(third));
    temporary_folder_remove(folder);
}

static void test_read_checks(void)
{
    g_autoptr(checkpoint) model = open_fixture("sd1");
    const int64_t square[] = {3, 3}, kernel[] = {8, 8, 1, 1};
    g_autoptr(GError) error = NULL;
    g_autofree float *values = g_new(float, 1024);
    const char *query = "decoder.mid_block.attentions.0.to_q.weight";

    g_assert_false(checkpoint_read(model, MODEL_UNET, "no.weight", square, 2, values, &error));
    g_assert_nonnull(strstr(error->message, "the UNet of this model has no tensor no.weight"));
    g_clear_error(&error);
    g_assert_false(checkpoint_read(model, MODEL_VAE, query, square, 2, values, &error));
    g_assert_nonnull(strstr(error->message, "[3, 3] was asked for"));
    g_clear_error(&error);

    // a linear weight as a kernel of 1x1
    const int64_t width = checkpoint_vae_config(model)->block_out_channels[3];
    const int64_t asked[] = {width, width, kernel[2], kernel[3]};
    g_assert_true(checkpoint_read(model, MODEL_VAE, query, asked, 4, values, &error));
}

// fp16 when there is nothing else; both orders of the index's name; never a mixture
static void test_variants(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd2");
    g_autoptr(GError) error = NULL;

    remove_file(copy, "text_encoder/model.safetensors.index.json");
    remove_file(copy, VAE_FILE);
    g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
    g_assert_no_error(error);
    g_assert_cmpint(stored_type(model, MODEL_TEXT_ENCODER), ==, DTYPE_F16);
    g_assert_cmpint(stored_type(model, MODEL_VAE), ==, DTYPE_F16);
    g_assert_cmpint(stored_type(model, MODEL_UNET), ==, DTYPE_F32);

    rename_file(copy, "text_encoder/model.safetensors.index.fp16.json",
                "text_encoder/model.fp16.safetensors.index.json");
    rename_file(copy, "text_encoder/model.fp16-00001-of-00002.safetensors",
                "text_encoder/model-00001-of-00002.fp16.safetensors");
    for (int i = 0; i < 18; i++) { // as many entries name the shard
        edit_text(copy, "text_encoder/model.fp16.safetensors.index.json",
                  "model.fp16-00001-of-00002.safetensors", "model-00001-of-00002.fp16.safetensors");
    }
    g_autoptr(checkpoint) other = checkpoint_open(copy, &error);
    g_assert_no_error(error);
    assert_same(model, other, DTYPE_F32);

    remove_file(copy, "unet/diffusion_pytorch_model.safetensors.index.json");
    rename_file(copy, "unet/diffusion_pytorch_model.fp16.safetensors",
                "unet/diffusion_pytorch_model.non_ema.safetensors");
    g_autoptr(checkpoint) last = checkpoint_open(copy, &error);
    g_assert_no_error(error);
    g_assert_cmpint(stored_type(last, MODEL_UNET), ==, DTYPE_F16);
    temporary_folder_remove(folder);
}

// foreign tensors are told and skipped; those that every model has are not told
static void test_foreign(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");
    g_autoptr(GError) error = NULL;

    edit_weights(copy, UNET_FILE, (struct edit){.name = "", .extra = "extra.weight"});
    edit_weights(copy, TEXT_FILE, (struct edit){.name = "", .extra = "position_ids"});
    g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(checkpoint_notices(model)[0], "1 tensor belongs"));
    g_assert_nonnull(strstr(checkpoint_notices(model)[0], "extra.weight"));
    g_assert_null(checkpoint_notices(model)[1]);
    temporary_folder_remove(folder);
}

// the damaged copy must be refused with a sentence that names it and says `what`
static void assert_refused(const char *path, const char *what)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(checkpoint_open(path, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_test_message("%s", error->message);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_nonnull(strstr(error->message, what));
    g_assert_true(g_str_has_suffix(error->message, "."));
}

static void test_weights_refused(void)
{
    static const struct {
        const char *file;
        struct edit edit;
        const char *what;
    } cases[] = {
        {UNET_FILE, {.name = "conv_in.bias", .drop = true}, "conv_in.bias of the UNet is missing"},
        {UNET_FILE, {.name = "conv_in.weight", .flatten = true}, "tensor conv_in.weight has shape"},
        {VAE_FILE,
         {.name = "quant_conv.bias", .rename = "q.bias"},
         "of the autoencoder is missing"},
        {TEXT_FILE,
         {.name = "text_model.final_layer_norm.bias", .drop = true},
         "of the text encoder is missing"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *folder = temporary_folder_create();
        g_autofree char *copy = copy_fixture(folder, "sd1");
        edit_weights(copy, cases[i].file, cases[i].edit);
        assert_refused(copy, cases[i].what);
        temporary_folder_remove(folder);
    }
}

// one text of a file changed: configs of other models, types that cannot be used, damaged files
static void test_texts_refused(void)
{
    static const struct {
        const char *file, *from, *to, *what;
    } cases[] = {
        {UNET_FILE, "\"F32\"", "\"U32\"", "has type U32"},
        {"unet/config.json", "\"in_channels\": 4", "\"in_channels\": 8", "InstructPix2Pix"},
        {"unet/config.json", "\"in_channels\": 4", "\"in_channels\": 5", "a depth model"},
        {"unet/config.json", "\"in_channels\": 4", "\"in_channels\": 7", "not of one model"},
        {"unet/config.json", "\"cross_attention_dim\": ", "\"cross_attention_dim\": 1",
         "not of one model"},
        {"unet/config.json", "{", "{\"time_cond_proj_dim\": 256,", "\"time_cond_proj_dim\""},
        {"scheduler/scheduler_config.json", "PNDMScheduler", "EDMEulerScheduler",
         "the scheduler EDMEulerScheduler"},
        {"model_index.json", "{", "{\"text_encoder_2\": [\"transformers\", \"X\"],",
         "a StableDiffusionPipeline with a text_encoder_2"},
        {"model_index.json", "{", "[", "JSON"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *folder = temporary_folder_create();
        g_autofree char *copy = copy_fixture(folder, "sd1");
        edit_text(copy, cases[i].file, cases[i].from, cases[i].to);
        assert_refused(copy, cases[i].what);
        temporary_folder_remove(folder);
    }
}

static void test_shards_refused(void)
{
    static const char index[] = "unet/diffusion_pytorch_model.safetensors.index.json";
    static const char shard[] = "diffusion_pytorch_model-00002-of-00002.safetensors";
    static const char *const outside[] = {"../../../etc/passwd", "/etc/passwd", "..", "", "a\\\\b"};

    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        char *folder = temporary_folder_create();
        g_autofree char *copy = copy_fixture(folder, "sd2");
        edit_text(copy, index, shard, outside[i]);
        assert_refused(copy, "is not in its folder");
        temporary_folder_remove(folder);
    }
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd2");
    edit_text(copy, index, "\"conv_in.bias\"", "\"conv_in.other\"");
    assert_refused(copy, "tensor conv_in.other is missing");
    remove_file(copy, "unet/diffusion_pytorch_model-00002-of-00002.safetensors");
    edit_text(copy, index, "\"conv_in.other\"", "\"conv_in.bias\"");
    assert_refused(copy, "No such file");
    temporary_folder_remove(folder);
}

static void test_folders_refused(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");
    g_autofree char *subject = fixture_path("sd1-subject-scalar.safetensors");
    g_autofree char *missing = g_build_filename(folder, "missing", NULL);

    assert_refused(folder, "model_index.json");
    assert_refused(missing, "No such file");
    assert_refused("/dev/zero", "a device");
    assert_refused(subject, "this is a subject");
    rename_file(copy, UNET_FILE, "unet/diffusion_pytorch_model.bin");
    // by its first bytes, whatever it is called: PyTorch's own name may hold safetensors
    g_autofree char *renamed = g_build_filename(copy, "unet/diffusion_pytorch_model.bin", NULL);
    g_autoptr(checkpoint) opened = checkpoint_open(copy, NULL);
    g_assert_nonnull(opened);
    g_assert_true(g_file_set_contents(renamed, "PK\x03\x04 and so on", -1, NULL));
    assert_refused(copy, "zip that is cut off");
    remove_file(copy, "unet/diffusion_pytorch_model.bin");
    assert_refused(copy, "diffusion_pytorch_model.safetensors is missing");
    temporary_folder_remove(folder);
}

// values that are none are found when the tensor is read
static void test_not_finite(void)
{
    static const float bad[] = {NAN, INFINITY};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *folder = temporary_folder_create();
        g_autofree char *copy = copy_fixture(folder, "sd1");
        g_autoptr(GError) error = NULL;
        g_autofree float *values = g_new(float, 65536);
        edit_weights(copy, UNET_FILE, (struct edit){.name = "conv_out.bias", .poison = bad[i]});
        g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
        g_assert_no_error(error);
        const int64_t shape[] = {4};
        g_assert_false(
            checkpoint_read(model, MODEL_UNET, "conv_out.bias", shape, 1, values, &error));
        g_assert_nonnull(strstr(error->message, "tensor conv_out.bias has values"));
        temporary_folder_remove(folder);
    }
}

// rewritten in place: told at the next tensor; replaced by renaming: read on
static void test_changed_in_use(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1");
    g_autofree char *file = g_build_filename(copy, UNET_FILE, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(checkpoint) model = checkpoint_open(copy, &error);
    const int64_t shape[] = {4};
    float values[4];

    edit_weights(copy, UNET_FILE, (struct edit){.name = "conv_out.bias", .poison = 7});
    g_assert_true(checkpoint_read(model, MODEL_UNET, "conv_out.bias", shape, 1, values, &error));
    g_assert_true(values[3] != 7);
    g_autoptr(checkpoint) fresh = checkpoint_open(copy, &error);
    g_assert_cmpint(truncate(file, 1000), ==, 0);
    g_assert_false(checkpoint_read(fresh, MODEL_UNET, "conv_out.bias", shape, 1, values, &error));
    g_assert_nonnull(strstr(error->message, "changed while it was in use"));
    temporary_folder_remove(folder);
}

// a single file without configs must be SD 1 or 2 by its sizes
static void test_single_without_configs(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *copy = copy_fixture(folder, "sd1.safetensors");

    assert_refused(copy, "NAME.config");
    edit_weights(folder, "sd1.safetensors",
                 (struct edit){.name = "", .extra = "model.diffusion_model.label_emb.0.0.weight"});
    assert_refused(copy, "a Stable Diffusion XL model");
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checkpoint/sd1", test_sd1);
    g_test_add_func("/checkpoint/sd2", test_sd2);
    g_test_add_func("/checkpoint/tokenizer", test_tokenizer);
    g_test_add_func("/checkpoint/read-checks", test_read_checks);
    g_test_add_func("/checkpoint/variants", test_variants);
    g_test_add_func("/checkpoint/foreign", test_foreign);
    g_test_add_func("/checkpoint/weights-refused", test_weights_refused);
    g_test_add_func("/checkpoint/texts-refused", test_texts_refused);
    g_test_add_func("/checkpoint/shards-refused", test_shards_refused);
    g_test_add_func("/checkpoint/folders-refused", test_folders_refused);
    g_test_add_func("/checkpoint/not-finite", test_not_finite);
    g_test_add_func("/checkpoint/changed-in-use", test_changed_in_use);
    g_test_add_func("/checkpoint/single-without-configs", test_single_without_configs);
    return g_test_run();
}
