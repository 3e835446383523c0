/* LoRA files: names, ranks, and that up times down is the change of the weight. */
#include "engine/base/json.h"
#include "engine/subject/lora_export.h"
#include "tests/merge_fixture.h"

#define SUBJECT "sd1-subject-elementwise.safetensors"

// o without its file and name
static safetensors *export_as(const struct merge_fixture *f, struct lora_options o,
                              struct lora_kept *kept)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(f->folder, "lora.safetensors", NULL);

    o.output = path;
    o.base = "sd1";
    g_assert_true(lora_export(&f->merge, &o, kept, &error));
    g_assert_no_error(error);
    safetensors *file = safetensors_open(path, &error);
    g_assert_no_error(error);
    return file;
}

static safetensors *export_file(const struct merge_fixture *f, int rank, int rank_conv,
                                struct lora_kept *kept)
{
    return export_as(f, (struct lora_options){.rank = rank, .rank_conv = rank_conv}, kept);
}

static float *read_leaf(const safetensors *file, const char *module, const char *leaf,
                        const struct safetensors_tensor **tensor)
{
    g_autofree char *name = g_strconcat(module, leaf, NULL);
    const struct safetensors_tensor *t = safetensors_find(file, name);

    g_assert_nonnull(t);
    float *values = g_new(float, t->values);
    g_assert_true(safetensors_read_f32(file, t, values, NULL));
    *tensor = t;
    return values;
}

// scale * up down, [out, in kh kw] in PyTorch's order
static double *multiply_scaled(const safetensors *file, const char *module, const char *up_leaf,
                               const char *down_leaf, double alpha)
{
    const struct safetensors_tensor *u, *d;
    g_autofree float *up = read_leaf(file, module, up_leaf, &u);
    g_autofree float *down = read_leaf(file, module, down_leaf, &d);
    const int64_t out = u->shape[0], rank = d->shape[0], columns = d->values / rank;
    double *product = g_new0(double, out *columns);

    g_assert_cmpint(u->values, ==, out * rank);
    for (int64_t o = 0; o < out; o++) {
        for (int64_t k = 0; k < rank; k++) {
            for (int64_t i = 0; i < columns; i++) {
                product[o * columns + i] += (alpha != 0 ? alpha / (double)rank : 1) *
                                            up[o * rank + k] * down[k * columns + i];
            }
        }
    }
    return product;
}

static double *multiply(const safetensors *file, const char *module)
{
    const struct safetensors_tensor *a;
    g_autofree float *alpha = read_leaf(file, module, ".alpha", &a);

    g_assert_cmpint(a->n_dims, ==, 0);
    return multiply_scaled(file, module, ".lora_up.weight", ".lora_down.weight", alpha[0]);
}

// W' - W of a tensor of the model
static double *change_of(const struct merge_fixture *f, size_t index, int64_t *n)
{
    const struct checkpoint *c = f->session->checkpoint;
    *n = model_tensor_values(checkpoint_at(c, index));
    g_autofree float *before = g_new(float, *n), *after = g_new(float, *n);
    double *change = g_new(double, *n);

    g_assert_true(checkpoint_read_part(c, index, 0, *n, before, NULL));
    g_assert_true(merge_read(&f->merge, index, after, NULL));
    for (int64_t i = 0; i < *n; i++) {
        change[i] = (double)after[i] - before[i];
    }
    return change;
}

static double square(const double *x, const double *y, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += (x[i] - (y != NULL ? y[i] : 0)) * (x[i] - (y != NULL ? y[i] : 0));
    }
    return sum;
}

static void test_full_rank(void)
{
    const struct lora_options all = {.rank = 4096, .rank_conv = 4096};
    struct merge_fixture f;
    struct lora_kept kept;
    int modules = 0, kernels_3x3 = 0, text = 0;

    merge_fixture_open(&f, "sd1", SUBJECT, 1.5);
    const struct checkpoint *c = f.session->checkpoint;
    g_autoptr(safetensors) file = export_file(&f, 4096, 4096, &kept);
    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        int rank;
        g_autofree char *module = t->component != MODEL_VAE ? lora_module(t, &all, &rank) : NULL;
        if (module == NULL) {
            continue;
        }
        int64_t n;
        g_autofree double *wanted = change_of(&f, i, &n), *got = multiply(file, module);
        g_assert_cmpfloat(sqrt(square(got, wanted, n)), <, 1e-5 * sqrt(square(wanted, NULL, n)));
        modules++;
        kernels_3x3 += t->n_dims == 4 && t->shape[2] == 3;
        text += t->component == MODEL_TEXT_ENCODER;
    }
    g_assert_cmpint(kept.modules, ==, modules);
    g_assert_cmpint(3 * modules, ==, (int)safetensors_count(file));
    g_assert_cmpint(kernels_3x3, >, 10);
    g_assert_cmpint(text, >, 10);
    // nothing is lost but what has no place
    g_assert_cmpfloat(fabs(kept.share + kept.without_place - 1), <, 1e-6);
    g_assert_cmpfloat(kept.without_place, >, 0.01);
    merge_fixture_close(&f);
}

static int64_t setting(JsonObject *settings, const char *pattern, const char *module,
                       const char *otherwise)
{
    const char *key = g_str_has_prefix(module, "unet.") ? "unet" : "text_encoder";
    g_autofree char *name = g_strdup_printf("%s.%s", key, pattern);
    g_autofree char *common = g_strdup_printf("%s.%s", key, otherwise);
    const char *path = module + strlen(key) + 1;
    path += g_str_has_prefix(path, "text_model.") ? strlen("text_model.") : 0;
    JsonObject *object = json_object_has_member(settings, name)
                             ? json_object_get_object_member(settings, name)
                             : NULL;

    return object != NULL && json_object_has_member(object, path)
               ? json_object_get_int_member(object, path)
               : json_object_get_int_member(settings, common);
}

/* In diffusers' names every matrix and kernel of the UNet has a place, and each module's rank and alpha are
 * those that PEFT's settings say. */
static void test_diffusers(void)
{
    static const struct lora_options ranks[] = {
        {.rank = 4096, .rank_conv = 4096, .keys = LORA_KEYS_DIFFUSERS},
        {.rank = 3, .rank_conv = 5, .keys = LORA_KEYS_DIFFUSERS}};
    struct merge_fixture f;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    const struct checkpoint *c = f.session->checkpoint;
    for (size_t r = 0; r < G_N_ELEMENTS(ranks); r++) {
        struct lora_kept kept;
        int modules = 0;
        g_autoptr(safetensors) file = export_as(&f, ranks[r], &kept);
        const char *text = safetensors_metadata(file, "lora_adapter_metadata");
        g_autoptr(JsonNode) root = json_parse_strict(text, strlen(text), "settings", NULL);
        JsonObject *settings = json_root_object(root, "settings", NULL);
        for (size_t i = 0; i < checkpoint_count(c); i++) {
            const struct model_tensor *t = checkpoint_at(c, i);
            int rank;
            int64_t n;
            g_autofree char *module =
                t->component != MODEL_VAE ? lora_module(t, &ranks[r], &rank) : NULL;
            if (module == NULL) {
                g_assert_true(t->component != MODEL_UNET || t->n_dims < 2);
                continue;
            }
            g_autofree double *wanted = change_of(&f, i, &n);
            g_autofree double *got =
                multiply_scaled(file, module, ".lora_B.weight", ".lora_A.weight", 0);
            const struct safetensors_tensor *down;
            g_autofree float *values = read_leaf(file, module, ".lora_A.weight", &down);
            g_assert_cmpint(setting(settings, "rank_pattern", module, "r"), ==, down->shape[0]);
            g_assert_cmpint(setting(settings, "alpha_pattern", module, "lora_alpha"), ==,
                            down->shape[0]);
            if (r == 0) {
                g_assert_cmpfloat(sqrt(square(got, wanted, n)), <,
                                  1e-5 * sqrt(square(wanted, NULL, n)));
            }
            modules++;
        }
        g_assert_cmpint(kept.modules, ==, modules);
        g_assert_cmpint(2 * modules, ==, (int)safetensors_count(file));
    }
    merge_fixture_close(&f);
}

// changes of gains are written whole, and counted as kept
static void test_norms(void)
{
    const struct lora_options o = {.rank = 4096, .rank_conv = 4096, .norms = true};
    struct merge_fixture f;
    struct lora_kept with, without;
    int norms = 0;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    const struct checkpoint *c = f.session->checkpoint;
    g_autoptr(safetensors) plain = export_file(&f, 4096, 4096, &without);
    g_autoptr(safetensors) file = export_as(&f, o, &with);
    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        int64_t n;
        if (!t->shifts || t->n_dims != 1) {
            continue;
        }
        const struct safetensors_tensor *w, *b;
        g_autofree double *wanted = change_of(&f, i, &n);
        g_autofree char *module = g_strdelimit(
            g_strconcat(t->component == MODEL_UNET ? "lora_unet_" : "lora_te_", t->module, NULL),
            ".", '_');
        g_autofree float *weight = read_leaf(file, module, ".w_norm", &w);
        g_autofree float *bias = read_leaf(file, module, ".b_norm", &b);
        g_assert_cmpint(w->values, ==, n);
        g_assert_cmpint(b->values, ==, n);
        for (int64_t k = 0; k < n; k++) {
            g_assert_cmpfloat(weight[k], ==, (float)wanted[k]);
            g_assert_cmpfloat(bias[k], ==, 0);
        }
        norms++;
    }
    g_assert_cmpint(norms, >, 30);
    g_assert_cmpint(with.modules, ==, without.modules + norms);
    g_assert_cmpfloat(with.without_place, <, without.without_place);
    g_assert_cmpfloat(fabs(with.share + with.without_place - 1), <, 1e-6);
    g_assert_cmpstr(safetensors_metadata(file, "ss_network_module"), ==, "lycoris.kohya");
    merge_fixture_close(&f);
}

/* Programs that read one alpha for all modules are right: ranks that no weight has, and others for
 * 3x3 kernels, change factors and nothing else. Ranks differ, and so do not all factors. */
static void test_one_alpha(void)
{
    static const struct lora_options ranks[] = {{.rank = 4096, .rank_conv = 4096},
                                                {.rank = 24, .rank_conv = 5},
                                                {.rank = 3, .rank_conv = 70}};
    struct merge_fixture f;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    for (size_t r = 0; r < G_N_ELEMENTS(ranks); r++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
        g_autoptr(safetensors) file = export_file(&f, ranks[r].rank, ranks[r].rank_conv, NULL);
        for (size_t i = 0; i < safetensors_count(file); i++) {
            const struct safetensors_tensor *t = safetensors_at(file, i);
            float alpha;
            if (g_str_has_suffix(t->name, ".alpha")) {
                g_assert_true(safetensors_read_f32(file, t, &alpha, NULL));
                g_assert_cmpfloat(alpha, ==, ranks[r].rank);
            } else if (g_str_has_suffix(t->name, ".lora_down.weight")) {
                g_hash_table_add(seen, GINT_TO_POINTER((int)t->shape[0]));
            }
        }
        g_assert_cmpuint(g_hash_table_size(seen), >, 1);
    }
    merge_fixture_close(&f);
}

/* The share that is told is what is there: over all weights with a shift, |W' - W|^2 less what is
 * missing from it. */
static void test_share(void)
{
    const struct lora_options o = {.rank = 2, .rank_conv = 0};
    struct merge_fixture f;
    struct lora_kept kept, more;
    double all = 0, missing = 0;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    const struct checkpoint *c = f.session->checkpoint;
    g_autoptr(safetensors) file = export_file(&f, 2, 0, &kept);
    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        int rank;
        int64_t n;
        if (!t->shifts) {
            continue;
        }
        g_autofree double *wanted = change_of(&f, i, &n);
        g_autofree char *module = lora_module(t, &o, &rank);
        g_autofree double *got = module != NULL ? multiply(file, module) : NULL;
        all += square(wanted, NULL, n);
        missing += square(wanted, got, n);
    }
    g_assert_cmpfloat(fabs(kept.share - (1 - missing / all)), <, 1e-5);
    g_autoptr(safetensors) second = export_file(&f, 8, 0, &more);
    g_assert_cmpfloat(more.share, >, kept.share);
    g_assert_cmpfloat(more.share, <, 1 - more.without_place + 1e-9);
    merge_fixture_close(&f);
}

static void test_names(void)
{
    static const struct {
        enum model_component component;
        const char *name;
        int n_dims;
        int64_t shape[4];
        const char *module;
        int rank;
    } rows[] = {
        {MODEL_UNET,
         "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0.weight",
         2,
         {8, 8},
         "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_out_0",
         5},
        {MODEL_UNET,
         "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj.weight",
         2,
         {8, 8},
         "lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_0_proj",
         5},
        {MODEL_UNET,
         "up_blocks.1.attentions.2.proj_in.weight",
         4,
         {8, 8, 1, 1},
         "lora_unet_up_blocks_1_attentions_2_proj_in",
         5},
        {MODEL_UNET,
         "down_blocks.0.resnets.1.conv2.weight",
         4,
         {8, 8, 3, 3},
         "lora_unet_down_blocks_0_resnets_1_conv2",
         3},
        {MODEL_UNET,
         "down_blocks.0.resnets.1.time_emb_proj.weight",
         2,
         {8, 8},
         "lora_unet_down_blocks_0_resnets_1_time_emb_proj",
         5},
        {MODEL_UNET,
         "up_blocks.0.upsamplers.0.conv.weight",
         4,
         {8, 8, 3, 3},
         "lora_unet_up_blocks_0_upsamplers_0_conv",
         3},
        {MODEL_TEXT_ENCODER,
         "text_model.encoder.layers.0.self_attn.q_proj.weight",
         2,
         {8, 8},
         "lora_te_text_model_encoder_layers_0_self_attn_q_proj",
         5},
        {MODEL_TEXT_ENCODER,
         "text_model.encoder.layers.1.mlp.fc2.weight",
         2,
         {8, 8},
         "lora_te_text_model_encoder_layers_1_mlp_fc2",
         5},
        {MODEL_TEXT_ENCODER, "text_model.embeddings.token_embedding.weight", 2, {8, 8}, NULL, 0},
        {MODEL_UNET, "conv_in.weight", 4, {8, 8, 3, 3}, NULL, 0},
        {MODEL_UNET, "time_embedding.linear_1.weight", 2, {8, 8}, NULL, 0},
        {MODEL_UNET, "mid_block.attentions.0.norm.weight", 1, {8}, NULL, 0},
    };
    const struct lora_options o = {.rank = 5, .rank_conv = 3};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct model_tensor t = {
            .component = rows[i].component, .name = (char *)rows[i].name, .n_dims = rows[i].n_dims};
        g_autofree char *inside = g_strndup(t.name, strlen(t.name) - strlen(".weight"));
        int rank = 0;
        t.module = inside;
        memcpy(t.shape, rows[i].shape, sizeof t.shape);
        g_autofree char *module = lora_module(&t, &o, &rank);
        g_assert_cmpstr(module, ==, rows[i].module);
        g_assert_cmpint(rank, ==, rows[i].rank);
    }
}

// without rank_conv the residual blocks stay out, and the metadata says what programs look for
static void test_plain(void)
{
    struct merge_fixture f;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    g_autoptr(safetensors) file = export_file(&f, 4, 0, NULL);
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *t = safetensors_at(file, i);
        g_assert_null(strstr(t->name, "_resnets_"));
        g_assert_null(strstr(t->name, "samplers_"));
        if (g_str_has_suffix(t->name, ".lora_down.weight")) {
            g_assert_cmpint(t->shape[0], ==, 4);
        }
    }
    g_assert_cmpstr(safetensors_metadata(file, "ss_network_module"), ==, "networks.lora");
    g_assert_cmpstr(safetensors_metadata(file, "ss_network_dim"), ==, "4");
    g_assert_cmpstr(safetensors_metadata(file, "ss_base_model_version"), ==, "sd_v1");
    g_assert_null(safetensors_metadata(file, "ss_network_args"));
    g_assert_cmpstr(safetensors_metadata(file, "modelspec.title"), ==, "SVDiff subject");
    g_assert_cmpstr(safetensors_metadata(file, "modelspec.resolution"), ==, "128x128");
    merge_fixture_close(&f);
}

/* What a subject's file says of its learning is in the header, and so is the SHA-256 of all that follows
 * it. */
static void test_header(void)
{
    static const char *const said[][3] = {
        {"prompt", "a photo of [V] dog", NULL},
        {"placeholder", "sks", NULL},
        {"steps", "300", "ss_steps"},
        {"seed", "7", "ss_seed"},
        {"learning_rate", "0.001", "ss_learning_rate"},
        {"preview", "iVBORw0KGgo=", NULL},
    };
    struct merge_fixture f;
    gsize size;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        subject_set_metadata(f.subjects.items[0].subject, said[i][0], said[i][1]);
    }
    g_autoptr(safetensors) file = export_file(&f, 4, 0, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        if (said[i][2] != NULL) {
            g_assert_cmpstr(safetensors_metadata(file, said[i][2]), ==, said[i][1]);
        }
    }
    g_assert_cmpstr(safetensors_metadata(file, "modelspec.trigger_phrase"), ==, "sks dog");
    g_assert_cmpstr(safetensors_metadata(file, "ss_tag_frequency"), ==,
                    "{\"svdiff\":{\"sks dog\":1}}");
    g_assert_cmpstr(safetensors_metadata(file, "modelspec.thumbnail"), ==,
                    "data:image/png;base64,iVBORw0KGgo=");

    g_autofree char *bytes = NULL;
    g_assert_true(g_file_get_contents(safetensors_path(file), &bytes, &size, NULL));
    guint64 length;
    memcpy(&length, bytes, sizeof length);
    const gsize start = 8 + (gsize)GUINT64_FROM_LE(length);
    g_autofree char *sum =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes + start, size - start);
    g_autofree char *prefixed = g_strconcat("0x", sum, NULL);
    g_assert_cmpstr(safetensors_metadata(file, "sshs_model_hash"), ==, sum);
    g_assert_cmpstr(safetensors_metadata(file, "modelspec.hash_sha256"), ==, prefixed);
    merge_fixture_close(&f);
}

// a subject of norms alone has no place; no file appears
static void test_no_place(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(subject_file) norms = subject_create();
    struct bake_subject one = {.subject = norms, .scale = 1};
    struct merge_fixture f;

    merge_fixture_open(&f, "sd1", SUBJECT, 1);
    subject_set_shift(norms, "conv_norm_out.delta", (const float[]){0.5f}, 1);
    f.merge.bake.subjects = &one;
    g_autofree char *path = g_build_filename(f.folder, "lora.safetensors", NULL);
    const struct lora_options o = {.output = path, .rank = 4, .base = "sd1"};
    g_assert_false(lora_export(&f.merge, &o, NULL, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    merge_fixture_close(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lora-export/full-rank", test_full_rank);
    g_test_add_func("/lora-export/one-alpha", test_one_alpha);
    g_test_add_func("/lora-export/diffusers", test_diffusers);
    g_test_add_func("/lora-export/norms", test_norms);
    g_test_add_func("/lora-export/header", test_header);
    g_test_add_func("/lora-export/share", test_share);
    g_test_add_func("/lora-export/names", test_names);
    g_test_add_func("/lora-export/plain", test_plain);
    g_test_add_func("/lora-export/no-place", test_no_place);
    return g_test_run();
}
