/* Configs of models: the fixtures', the defaults, the kinds a key may have, and every feature that
 * must be refused by name. */
#include "engine/network/model_config.h"

#include "engine/base/error.h"
#include "engine/model/schedule_config.h"
#include "tests/memory_file.h"

#include <math.h>
#include <string.h>

static char *fixture(const char *name)
{
    return g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures", "models", name, NULL);
}

static void test_unet(void)
{
    g_autofree char *path = fixture("sd2/unet/config.json");
    g_autoptr(GError) error = NULL;
    struct unet_config config;

    g_assert_true(unet_config_read(path, &config, &error));
    g_assert_no_error(error);
    g_assert_cmpint(config.n_levels, ==, 2);
    g_assert_cmpint(config.block_out_channels[1], ==, 20);
    g_assert_cmpint(config.heads[0], ==, 2);
    g_assert_cmpint(config.heads[1], ==, 4);
    g_assert_cmpint(config.sample_size, ==, 16);
    g_assert_cmpint(config.cross_attention_dim, ==, 40);
    g_assert_cmpint(config.norm_num_groups, ==, 4);
    g_assert_true(config.down_cross[0] && !config.down_cross[1]);
    g_assert_true(!config.up_cross[0] && config.up_cross[1]);
    g_assert_true(config.has_mid && config.use_linear_projection && config.flip_sin_to_cos);
    g_assert_cmpfloat(config.norm_eps, ==, 1e-5);
    g_assert_cmpint(config.transformer_layers[0], ==, 1);
}

static bool parse_unet(const char *json, struct unet_config *config, GError **error)
{
    char path[MEMORY_FILE_PATH];
    const int memory = memory_file(json, strlen(json), path);
    const bool good = unet_config_read(path, config, error);

    close(memory);
    return good;
}

static bool parse_text(const char *json, struct text_config *config, GError **error)
{
    char path[MEMORY_FILE_PATH];
    const int memory = memory_file(json, strlen(json), path);
    const bool good = text_config_read(path, config, error);

    close(memory);
    return good;
}

static bool parse_vae(const char *json, struct vae_config *config, GError **error)
{
    char path[MEMORY_FILE_PATH];
    const int memory = memory_file(json, strlen(json), path);
    const bool good = vae_config_read(path, config, error);

    close(memory);
    return good;
}

static bool parse_schedule(const char *json, struct schedule_config *config, double **betas,
                           GError **error)
{
    char path[MEMORY_FILE_PATH];
    const int memory = memory_file(json, strlen(json), path);
    const bool good = schedule_config_read(path, config, betas, error);

    close(memory);
    return good;
}

static void test_unet_defaults(void)
{
    g_autoptr(GError) error = NULL;
    struct unet_config config;

    g_assert_true(parse_unet("{\"foreign\":[1,{}],\"dropout\":0.1}", &config, &error));
    g_assert_no_error(error);
    g_assert_cmpint(config.n_levels, ==, 4);
    g_assert_cmpint(config.block_out_channels[3], ==, 1280);
    g_assert_cmpint(config.layers_per_block, ==, 2);
    g_assert_cmpint(config.heads[3], ==, 8);
    g_assert_cmpint(config.cross_attention_dim, ==, 1280);
    g_assert_cmpint(config.sample_size, ==, 64);
    g_assert_true(config.down_cross[2] && !config.down_cross[3]);
    g_assert_true(!config.up_cross[0] && config.up_cross[1] && config.up_cross[3]);
    g_assert_true(config.has_mid && !config.use_linear_projection);
}

static void test_unet_lists(void)
{
    g_autoptr(GError) error = NULL;
    struct unet_config config;

    g_assert_true(parse_unet("{\"block_out_channels\":[32,64],\"layers_per_block\":[1,1],"
                             "\"down_block_types\":[\"DownBlock2D\",\"CrossAttnDownBlock2D\"],"
                             "\"up_block_types\":[\"CrossAttnUpBlock2D\",\"UpBlock2D\"],"
                             "\"cross_attention_dim\":[24,24],\"attention_head_dim\":[5,4],"
                             "\"transformer_layers_per_block\":[1,2],\"sample_size\":[48,32],"
                             "\"mid_block_type\":null,\"num_attention_heads\":[4,8],"
                             "\"norm_num_groups\":8,\"mid_block_scale_factor\":1.0,"
                             "\"upcast_attention\":true}",
                             &config, &error));
    g_assert_no_error(error);
    g_assert_cmpint(config.layers_per_block, ==, 1);
    g_assert_cmpint(config.cross_attention_dim, ==, 24);
    g_assert_cmpint(config.transformer_layers[1], ==, 2);
    g_assert_cmpint(config.heads[1], ==, 8);
    g_assert_cmpint(config.sample_size, ==, 32);
    g_assert_false(config.has_mid);
}

// what must be refused and the words that its sentence has
struct refused {
    const char *json, *what;
};

static const struct refused unet_refused[] = {
    {"{\"class_embed_type\":\"projection\"}", "\"class_embed_type\" is projection"},
    {"{\"addition_embed_type\":\"text_time\"}", "\"addition_embed_type\" is text_time"},
    {"{\"time_cond_proj_dim\":256}", "\"time_cond_proj_dim\" is 256"},
    {"{\"act_fn\":\"gelu\"}", "\"act_fn\" is gelu"},
    {"{\"resnet_time_scale_shift\":\"scale_shift\"}", "\"resnet_time_scale_shift\""},
    {"{\"dual_cross_attention\":true}", "\"dual_cross_attention\" is true"},
    {"{\"encoder_hid_dim\":4096}", "\"encoder_hid_dim\""},
    {"{\"only_cross_attention\":[true,false,false,false]}", "\"only_cross_attention\" is a list"},
    {"{\"center_input_sample\":true}", "\"center_input_sample\""},
    {"{\"downsample_padding\":0}", "\"downsample_padding\" is 0"},
    {"{\"mid_block_type\":\"UNetMidBlock2DSimpleCrossAttn\"}", "\"mid_block_type\""},
    {"{\"mid_block_scale_factor\":1.414}", "\"mid_block_scale_factor\" is 1.414"},
    {"{\"conv_in_kernel\":1}", "\"conv_in_kernel\""},
    {"{\"time_embedding_type\":\"fourier\"}", "\"time_embedding_type\""},
    {"{\"attention_type\":\"gated\"}", "\"attention_type\""},
    {"{\"_class_name\":\"UNet3DConditionModel\"}", "\"_class_name\""},
    {"{\"down_block_types\":[\"AttnDownBlock2D\",\"DownBlock2D\",\"DownBlock2D\",\"DownBlock2D\"]}",
     "has AttnDownBlock2D"},
    {"{\"down_block_types\":[\"DownBlock2D\"]}", "4 entries"},
    {"{\"up_block_types\":[1,2,3,4]}", "no text"},
    {"{\"up_block_types\":[[],2,3,4]}", "no text"},
    {"{\"block_out_channels\":[]}", "1 to 8"},
    {"{\"block_out_channels\":[8,8,8,8,8,8,8,8,8]}", "1 to 8"},
    {"{\"block_out_channels\":320}", "1 to 8"},
    {"{\"block_out_channels\":[320,640,1280,0]}", "block_out_channels"},
    {"{\"block_out_channels\":[320,640,1280,1e3]}", "block_out_channels"},
    {"{\"block_out_channels\":[320,640,1280,1281]}", "32 groups"},
    {"{\"attention_head_dim\":7}", "7 heads"},
    {"{\"attention_head_dim\":[8,8]}", "4 entries"},
    {"{\"attention_head_dim\":0}", "attention_head_dim"},
    {"{\"layers_per_block\":[1,2,2,2]}", "the same for all levels"},
    {"{\"layers_per_block\":\"2\"}", "layers_per_block"},
    {"{\"transformer_layers_per_block\":[[1],1,1,1]}", "transformer_layers_per_block"},
    {"{\"norm_num_groups\":null}", "norm_num_groups"},
    {"{\"norm_eps\":-1}", "norm_eps"},
    {"{\"norm_eps\":-Infinity}", "norm_eps"},
    {"{\"in_channels\":4,\"in_channels\":9}", "twice"},
    {"{\"sample_size\":4294967296}", "sample_size"},
    {"[]", "object"},
    {"", "JSON"},
};

static void test_unet_refused(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(unet_refused); i++) {
        g_autoptr(GError) error = NULL;
        struct unet_config config;
        g_assert_false(parse_unet(unet_refused[i].json, &config, &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
        g_test_message("%s", error->message);
        g_assert_true(g_str_has_prefix(error->message, "/proc/self/fd/"));
        g_assert_nonnull(strstr(error->message, unet_refused[i].what));
    }
}

static void test_text(void)
{
    g_autofree char *path = fixture("sd2/text_encoder/config.json");
    g_autoptr(GError) error = NULL;
    struct text_config config;

    g_assert_true(text_config_read(path, &config, &error));
    g_assert_no_error(error);
    g_assert_cmpint(config.vocabulary, ==, 833);
    g_assert_cmpint(config.width, ==, 40);
    g_assert_cmpint(config.layers, ==, 2);
    g_assert_cmpint(config.heads, ==, 4);
    g_assert_cmpint(config.intermediate, ==, 96);
    g_assert_cmpint(config.positions, ==, 77);
    g_assert_false(config.quick_gelu);
    g_assert_cmpint(config.eos, ==, 832);

    static const char whole[] = "{\"model_type\":\"clip\",\"text_config\":{\"hidden_size\":16,"
                                "\"num_attention_heads\":2,\"eos_token_id\":[3,4]}}";
    g_assert_true(parse_text(whole, &config, &error));
    g_assert_cmpint(config.width, ==, 16);
    g_assert_cmpint(config.layers, ==, 12);
    g_assert_true(config.quick_gelu);
}

static const struct refused text_refused[] = {
    {"{\"hidden_act\":\"gelu_new\"}", "\"hidden_act\" is gelu_new, only quick_gelu or gelu is "
                                      "supported; use a plain Stable Diffusion"},
    // of a whole CLIP model
    {"{\"text_config\":{\"hidden_act\":\"relu\"}}",
     "\"hidden_act\" is relu, only quick_gelu or gelu is supported; use CLIP as OpenAI or "
     "OpenCLIP"},
    {"{\"model_type\":\"t5\"}", "\"model_type\" is t5"},
    {"{\"architectures\":[\"RobertaSeriesModelWithTransformation\"]}", "RobertaSeries"},
    {"{\"architectures\":[[]]}", "without a name"},
    {"{\"architectures\":7}", "architectures"},
    {"{\"num_attention_heads\":7}", "7 heads"},
    {"{\"vocab_size\":-1}", "vocab_size"},
    {"{\"max_position_embeddings\":1e9}", "max_position_embeddings"},
    {"{\"layer_norm_eps\":\"1e-5\"}", "layer_norm_eps"},
};

static void test_text_refused(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(text_refused); i++) {
        g_autoptr(GError) error = NULL;
        struct text_config config;
        const char *json = text_refused[i].json;
        g_assert_false(parse_text(json, &config, &error));
        g_assert_nonnull(strstr(error->message, text_refused[i].what));
    }
}

static void test_vae(void)
{
    g_autofree char *path = fixture("sd2/vae/config.json");
    g_autoptr(GError) error = NULL;
    struct vae_config config;

    g_assert_true(vae_config_read(path, &config, &error));
    g_assert_no_error(error);
    g_assert_cmpint(config.n_levels, ==, 4);
    g_assert_cmpint(config.block_out_channels[3], ==, 12);
    g_assert_cmpint(config.latent_channels, ==, 4);
    g_assert_cmpint(config.layers_per_block, ==, 1);
    g_assert_cmpint(config.sample_size, ==, 128);
    g_assert_cmpfloat(config.scaling_factor, ==, 0.18215);
    g_assert_cmpfloat(config.shift_factor, ==, 0);
    g_assert_true(config.use_quant_conv && config.use_post_quant_conv &&
                  config.mid_block_add_attention);
}

static const struct refused vae_refused[] = {
    {"{\"_class_name\":\"AutoencoderTiny\"}", "AutoencoderTiny"},
    {"{\"latents_mean\":[0,0,0,0]}", "\"latents_mean\" is a list"},
    {"{\"down_block_types\":[\"AttnDownEncoderBlock2D\"]}", "AttnDownEncoderBlock2D"},
    {"{\"up_block_types\":[\"UpDecoderBlock2D\",\"UpDecoderBlock2D\"]}", "1 entries"},
    {"{\"in_channels\":4}", "only 3"},
    {"{\"scaling_factor\":0}", "scaling_factor"},
    {"{\"block_out_channels\":[60]}", "32 groups"},
    {"{\"act_fn\":\"relu\"}", "act_fn"},
};

static void test_vae_refused(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(vae_refused); i++) {
        g_autoptr(GError) error = NULL;
        struct vae_config config;
        const char *json = vae_refused[i].json;
        g_assert_false(parse_vae(json, &config, &error));
        g_assert_nonnull(strstr(error->message, vae_refused[i].what));
    }
}

static void test_schedule(void)
{
    g_autofree char *path = fixture("sd2/scheduler/scheduler_config.json");
    g_autoptr(GError) error = NULL;
    struct schedule_config config;
    double *betas = NULL;

    g_assert_true(schedule_config_read(path, &config, &betas, &error));
    g_assert_no_error(error);
    g_assert_null(betas);
    g_assert_cmpint(config.num_train_timesteps, ==, 1000);
    g_assert_cmpfloat(config.beta_start, ==, 0.00085);
    g_assert_cmpfloat(config.beta_end, ==, 0.012);
    g_assert_cmpint(config.beta_schedule, ==, BETA_SCALED_LINEAR);
    g_assert_cmpint(config.prediction_type, ==, PREDICTION_V);
    g_assert_cmpint(config.timestep_spacing, ==, TIMESTEPS_DEFAULT);
    g_assert_cmpint(config.steps_offset, ==, 1);
    g_assert_true(!config.clip_sample && !config.set_alpha_to_one);
    g_assert_true(config.solver_plus_plus && !config.solver_heun && config.lower_order_final);
}

// as diffusers writes a DPM-Solver's config, with Python's -Infinity; and a list of betas
static void test_schedule_solver(void)
{
    static const char json[] =
        "{\"_class_name\":\"DPMSolverMultistepScheduler\",\"num_train_timesteps\":3,"
        "\"trained_betas\":[0.1,0.2,1],\"lambda_min_clipped\":-Infinity,\"solver_order\":3,"
        "\"algorithm_type\":\"sde-dpmsolver++\",\"solver_type\":\"heun\",\"euler_at_final\":true,"
        "\"final_sigmas_type\":\"sigma_min\",\"timestep_spacing\":\"trailing\","
        "\"use_karras_sigmas\":true,\"thresholding\":true,\"variance_type\":null}";
    g_autoptr(GError) error = NULL;
    struct schedule_config config;
    g_autofree double *betas = NULL;

    g_assert_true(parse_schedule(json, &config, &betas, &error));
    g_assert_no_error(error);
    g_assert_true(config.trained_betas == betas && betas[1] == 0.2 && betas[2] == 1);
    g_assert_true(isinf(config.lambda_min_clipped));
    g_assert_true(config.solver_heun && !config.solver_plus_plus && config.euler_at_final);
    g_assert_cmpint(config.solver_order, ==, 3);
    g_assert_true(config.final_sigma_min && config.thresholding);
    g_assert_cmpint(config.sigmas, ==, SIGMAS_KARRAS);
    g_assert_cmpint(config.timestep_spacing, ==, TIMESTEPS_TRAILING);
    g_assert_true(config.clip_sample && config.set_alpha_to_one);
}

static const struct refused schedule_refused[] = {
    {"{\"_class_name\":\"FlowMatchEulerDiscreteScheduler\"}", "FlowMatch"},
    {"{\"beta_schedule\":\"sigmoid\"}", "\"beta_schedule\" is sigmoid"},
    {"{\"prediction_type\":\"flow_prediction\"}", "\"prediction_type\" is flow_prediction"},
    {"{\"trained_betas\":[0.1]}", "1000 entries"},
    {"{\"num_train_timesteps\":2,\"trained_betas\":[0.1,\"x\"]}", "trained_betas"},
    {"{\"num_train_timesteps\":2,\"trained_betas\":[0.1,2]}", "trained_betas"},
    {"{\"num_train_timesteps\":0}", "num_train_timesteps"},
    {"{\"beta_start\":0}", "beta_start"},
    {"{\"timestep_spacing\":\"even\"}", "timestep_spacing"},
    {"{\"use_flow_sigmas\":true}", "use_flow_sigmas"},
    {"{\"use_karras_sigmas\":true,\"use_beta_sigmas\":true}", "use_beta_sigmas"},
    {"{\"steps_offset\":-1}", "steps_offset"},
};

static void test_schedule_refused(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(schedule_refused); i++) {
        g_autoptr(GError) error = NULL;
        struct schedule_config config;
        double *betas = NULL;
        const char *json = schedule_refused[i].json;
        g_assert_false(parse_schedule(json, &config, &betas, &error));
        g_assert_null(betas);
        g_assert_nonnull(strstr(error->message, schedule_refused[i].what));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model_config/unet", test_unet);
    g_test_add_func("/model_config/unet-defaults", test_unet_defaults);
    g_test_add_func("/model_config/unet-lists", test_unet_lists);
    g_test_add_func("/model_config/unet-refused", test_unet_refused);
    g_test_add_func("/model_config/text", test_text);
    g_test_add_func("/model_config/text-refused", test_text_refused);
    g_test_add_func("/model_config/vae", test_vae);
    g_test_add_func("/model_config/vae-refused", test_vae_refused);
    g_test_add_func("/model_config/schedule", test_schedule);
    g_test_add_func("/model_config/schedule-solver", test_schedule_solver);
    g_test_add_func("/model_config/schedule-refused", test_schedule_refused);
    return g_test_run();
}
