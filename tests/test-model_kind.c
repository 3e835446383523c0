/* What a file is, by its names and shapes, and what SD 1 and 2 are by theirs. */
#include "engine/model/model_kind.h"

#include "engine/model/compvis_config.h"
#include "engine/base/error.h"
#include "tests/edited_model.h"

// a file with these tensors, all zero
static char *write_file(const char *folder, const struct safetensors_entry *entries, size_t n,
                        const char *format)
{
    static const char *const keys[] = {"format", NULL};
    const char *const texts[] = {format, NULL};
    char *path = g_build_filename(folder, "file.safetensors", NULL);
    g_autoptr(safetensors_writer) writer =
        safetensors_writer_create(path, entries, n, format == NULL ? NULL : keys, texts, NULL);

    for (size_t i = 0; i < n; i++) {
        g_autofree float *zeros = g_new0(float, 1 << 22);
        g_assert_true(safetensors_writer_put(writer, entries[i].name, zeros, NULL));
    }
    g_assert_true(safetensors_writer_commit(writer, NULL));
    return path;
}

// files of one or two tensors and what they are
static const struct {
    struct safetensors_entry entries[2];
    const char *metadata; // its format
    enum model_kind kind;
    const char *format, *family;
} files[] = {
    {{{"mid_block.attentions.0.transformer_blocks.0.attn2.to_k.delta", DTYPE_F32, 1, {768}}},
     NULL,
     MODEL_KIND_SUBJECT,
     "svdiff-pytorch",
     "sd1"},
    {{{"mid_block.attentions.0.transformer_blocks.0.attn2.to_k.delta", DTYPE_F32, 1, {1024}}},
     "svdiff-1",
     MODEL_KIND_SUBJECT,
     "svdiff",
     "sd2"},
    {{{"text_model.embeddings.token_embedding.delta", DTYPE_F32, 1, {768}}},
     NULL,
     MODEL_KIND_SUBJECT,
     "svdiff-pytorch",
     "sd1"},
    {{{"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight",
       DTYPE_F16,
       2,
       {4, 768}},
      {"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight",
       DTYPE_F16,
       2,
       {1280, 4}}},
     NULL,
     MODEL_KIND_ADAPTER,
     "kohya",
     "sd1"},
    {{{"unet.up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight",
       DTYPE_F32,
       2,
       {4, 1024}}},
     NULL,
     MODEL_KIND_ADAPTER,
     "peft",
     "sd2"},
    {{{"unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora.down.weight",
       DTYPE_F32,
       2,
       {4, 2048}}},
     NULL,
     MODEL_KIND_ADAPTER,
     "diffusers",
     "sdxl"},
    {{{"mid_block.attentions.0.attn2.processor.to_k_lora.down.weight", DTYPE_F32, 2, {4, 768}}},
     NULL,
     MODEL_KIND_ADAPTER,
     "diffusers-0.16",
     "sd1"},
    {{{"lycoris_mid_block.hada_w1_a", DTYPE_F32, 2, {4, 4}}},
     NULL,
     MODEL_KIND_ADAPTER,
     "lycoris",
     NULL},
    {{{"emb_params", DTYPE_F32, 2, {3, 768}}}, NULL, MODEL_KIND_EMBEDDING, "kohya", "sd1"},
    {{{"<cat>", DTYPE_F32, 1, {1024}}}, NULL, MODEL_KIND_EMBEDDING, "diffusers", "sd2"},
    // of a model of another width
    {{{"<cat>", DTYPE_F32, 2, {1, 256}}}, NULL, MODEL_KIND_EMBEDDING, "diffusers", "other"},
    {{{"cat", DTYPE_F32, 1, {768}}, {"cat_1", DTYPE_F32, 1, {768}}},
     NULL,
     MODEL_KIND_EMBEDDING,
     "diffusers",
     "sd1"},
    {{{"<cat>", DTYPE_F32, 1, {32}}, {"<cat>_1", DTYPE_F32, 1, {32}}},
     NULL,
     MODEL_KIND_EMBEDDING,
     "diffusers",
     "other"},
    {{{"cat", DTYPE_F32, 1, {32}}, {"cat_1", DTYPE_F32, 1, {32}}},
     NULL,
     MODEL_KIND_OTHER,
     "other",
     NULL},
    {{{"<cat>", DTYPE_F32, 1, {32}}, {"<dog>", DTYPE_F32, 1, {32}}},
     NULL,
     MODEL_KIND_OTHER,
     "other",
     NULL},
    {{{"<cat>", DTYPE_F32, 4, {3, 3, 3, 32}}}, NULL, MODEL_KIND_OTHER, "other", NULL},
    {{{"clip_g", DTYPE_F32, 2, {2, 1280}}, {"clip_l", DTYPE_F32, 2, {2, 768}}},
     NULL,
     MODEL_KIND_EMBEDDING,
     "sdxl",
     "sdxl"},
    {{{"model.diffusion_model.input_blocks.0.0.weight", DTYPE_F16, 4, {320, 4, 3, 3}},
      {"model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
       DTYPE_F16,
       2,
       {320, 768}}},
     NULL,
     MODEL_KIND_CHECKPOINT,
     "compvis",
     "sd1"},
    {{{"input_blocks.0.0.weight", DTYPE_F16, 4, {320, 4, 3, 3}}},
     NULL,
     MODEL_KIND_PART,
     "compvis",
     NULL},
    {{{"embeddings.token_embedding.weight", DTYPE_F16, 2, {9, 768}},
      {"final_layer_norm.bias", DTYPE_F16, 1, {768}}},
     NULL,
     MODEL_KIND_PART,
     "diffusers",
     "sd1"},
    {{{"layer.weight", DTYPE_F32, 2, {3, 5}}}, NULL, MODEL_KIND_OTHER, "other", NULL},
};

static void test_files(void)
{
    char *folder = temporary_folder_create();

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        size_t n = files[i].entries[1].name == NULL ? 1 : 2;
        g_autofree char *path = write_file(folder, files[i].entries, n, files[i].metadata);
        g_autoptr(GError) error = NULL;
        struct model_info info;
        g_assert_true(model_kind_examine(path, &info, &error));
        g_assert_no_error(error);
        g_assert_cmpint(info.kind, ==, files[i].kind);
        g_assert_cmpstr(info.format, ==, files[i].format);
        g_assert_cmpstr(info.family, ==, files[i].family);
        g_assert_cmpint(info.tensors, ==, n);
    }
    temporary_folder_remove(folder);
}

static void test_counts(void)
{
    g_autofree char *subject = fixture_path("sd1-subject-elementwise.safetensors");
    g_autofree char *folder = fixture_path("sd2");
    g_autoptr(GError) error = NULL;
    struct model_info info;

    g_assert_true(model_kind_examine(subject, &info, &error));
    g_assert_cmpstr(model_kind_word(info.kind), ==, "subject");
    g_assert_cmpint(info.tensors, ==, 203);
    g_assert_cmpint(info.bytes, ==, 36096);
    g_assert_true(model_kind_examine(folder, &info, &error));
    g_assert_cmpstr(model_kind_word(info.kind), ==, "model");
    g_assert_cmpstr(info.format, ==, "diffusers");
    g_assert_cmpstr(info.family, ==, "other");
    g_assert_cmpint(info.tensors, ==, 304 + 36 + 180); // shards once, no variant besides
}

// described and not opened: GGUF; refused: what cannot be read, folders of something
// else
static void test_others(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(GError) error = NULL;
    struct model_info info;

    write_text(folder, "file", "PK\x03\x04 and so on");
    g_assert_false(model_kind_examine(path, &info, &error));
    g_clear_error(&error);
    write_text(folder, "file", "GGUF and so on");
    g_assert_true(model_kind_examine(path, &info, &error));
    g_assert_cmpint(info.kind, ==, MODEL_KIND_GGUF);
    write_text(folder, "file", "something else");
    g_assert_false(model_kind_examine(path, &info, &error));
    g_clear_error(&error);
    g_assert_false(model_kind_examine(folder, &info, &error));
    g_assert_nonnull(strstr(error->message, "model_index.json"));

    // svdiff-pytorch's folder
    g_autofree char *subject = fixture_path("sd1-subject-scalar.safetensors");
    g_autofree char *shifts = g_build_filename(folder, "spectral_shifts.safetensors", NULL);
    copy_tree(subject, shifts);
    g_clear_error(&error);
    g_assert_true(model_kind_examine(folder, &info, &error));
    g_assert_cmpint(info.kind, ==, MODEL_KIND_SUBJECT);
    temporary_folder_remove(folder);
}

// the marks of a single file, with a bias whose values alternate between +-deviation
static char *write_marks(const char *folder, int64_t width, int64_t channels, float deviation,
                         const char *extra)
{
    const struct safetensors_entry entries[] = {
        {"model.diffusion_model.input_blocks.0.0.weight", DTYPE_F16, 4, {1, channels, 3, 3}},
        {"model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
         DTYPE_F16,
         2,
         {1, width}},
        {"model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias",
         DTYPE_F32,
         1,
         {320}},
        {extra == NULL ? "extra" : extra, DTYPE_F32, 1, {1}},
    };
    char *path = g_build_filename(folder, "file.safetensors", NULL);
    g_autoptr(safetensors_writer) writer =
        safetensors_writer_create(path, entries, G_N_ELEMENTS(entries), NULL, NULL, NULL);
    float values[2048];

    for (int i = 0; i < 2048; i++) {
        values[i] = i % 2 == 0 ? deviation : -deviation;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_assert_true(safetensors_writer_put(writer, entries[i].name, values, NULL));
    }
    g_assert_true(safetensors_writer_commit(writer, NULL));
    return path;
}

struct inferred {
    struct unet_config unet;
    struct text_config text;
    struct vae_config vae;
    struct schedule_config schedule;
};

static bool infer(const char *path, struct inferred *out)
{
    g_autoptr(weight_files) weights = weight_files_open_file(path, NULL);

    return compvis_config_infer(weights, &out->unet, &out->text, &out->vae, &out->schedule, NULL);
}

static void test_infer(void)
{
    char *folder = temporary_folder_create();
    struct inferred is;

    g_autofree char *path = write_marks(folder, 768, 4, 0.2f, NULL);
    g_assert_true(infer(path, &is));
    g_assert_cmpint(is.unet.heads[2], ==, 8);
    g_assert_cmpint(is.text.layers, ==, 12);
    g_assert_cmpint(is.schedule.prediction_type, ==, PREDICTION_EPSILON);
    g_assert_cmpint(is.unet.sample_size, ==, 64);
    g_assert_false(is.unet.use_linear_projection);

    g_free(write_marks(folder, 1024, 4, 0.08f, NULL));
    g_assert_true(infer(path, &is));
    g_assert_cmpint(is.unet.heads[2], ==, 20);
    g_assert_cmpint(is.text.layers, ==, 23);
    g_assert_true(is.unet.use_linear_projection);
    g_assert_cmpint(is.schedule.prediction_type, ==, PREDICTION_EPSILON);
    g_assert_cmpint(is.unet.sample_size, ==, 64);

    g_free(write_marks(folder, 1024, 4, 0.1f, "ztsnr"));
    g_assert_true(infer(path, &is));
    g_assert_cmpint(is.schedule.prediction_type, ==, PREDICTION_V);
    g_assert_true(is.schedule.rescale_betas_zero_snr);
    g_assert_cmpint(is.unet.sample_size, ==, 96);

    g_free(write_marks(folder, 768, 9, 0, "v_pred"));
    g_assert_true(infer(path, &is));
    g_assert_cmpint(is.schedule.prediction_type, ==, PREDICTION_V);
    g_assert_cmpint(is.unet.in_channels, ==, 9);

    g_free(write_marks(folder, 1280, 4, 0, NULL));
    g_assert_false(infer(path, &is));
    temporary_folder_remove(folder);
}

static void test_names(void)
{
    g_assert_cmpstr(model_family_name("sd1"), ==, "Stable Diffusion 1.x");
    g_assert_cmpstr(model_family_name("sdxl-refiner"), ==, "Stable Diffusion XL refiner");
    g_assert_cmpstr(model_family_name("other"), ==, "other");
    g_assert_null(model_family_name(NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model_kind/files", test_files);
    g_test_add_func("/model_kind/counts", test_counts);
    g_test_add_func("/model_kind/others", test_others);
    g_test_add_func("/model_kind/infer", test_infer);
    g_test_add_func("/model_kind/names", test_names);
    return g_test_run();
}
