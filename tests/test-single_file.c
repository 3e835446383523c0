/* One file of a model's true size with nothing beside it: Stable Diffusion 1 and 2 in the CompVis
 * layout, all headers and no disk (the values are a hole). It opens, reads prompts with CLIP's
 * vocabulary and the padding of its family, and knows its size. */
#include "engine/model/compvis.h"
#include "engine/model/compvis_config.h"
#include "engine/session/session.h"
#include "tests/temporary_folder.h"

#include <string.h>
#include <unistd.h>

#define UNET COMPVIS_UNET_PREFIX

// the header that is being written, and the bytes of values so far
struct file {
    GString *header;
    int64_t bytes;
    GHashTable *names;
};

static void add_tensor(struct file *f, const char *name, const int64_t *shape, int n_dims)
{
    g_autofree char *sides = safetensors_shape_text(shape, n_dims);
    int64_t bytes = 2;

    if (!g_hash_table_add(f->names, g_strdup(name))) {
        return; // query, key and value are one
    }
    for (int i = 0; i < n_dims; i++) {
        bytes *= shape[i];
    }
    g_string_append_printf(
        f->header,
        "%s\"%s\":{\"dtype\":\"F16\",\"shape\":%s,\"data_offsets\":[%" G_GINT64_FORMAT
        ",%" G_GINT64_FORMAT "]}",
        f->header->len > 1 ? "," : "", name, sides, f->bytes, f->bytes + bytes);
    f->bytes += bytes;
}

static void add_text(struct file *f, const struct model_tensor *tensor, bool sd2)
{
    int third = -1;
    g_autofree char *inner = sd2 ? compvis_openclip_name(tensor->name, &third) : NULL;
    g_autofree char *name = g_strconcat(sd2 ? COMPVIS_OPENCLIP_PREFIX : COMPVIS_CLIP_PREFIX,
                                        sd2 ? inner : tensor->name, NULL);
    const int64_t shape[] = {(third >= 0 ? 3 : 1) * tensor->shape[0], tensor->shape[1]};

    add_tensor(f, name, shape, tensor->n_dims);
}

// all tensors of the three networks
static void add_networks(struct file *f, const struct unet_config *unet,
                         const struct text_config *text, const struct vae_config *vae, bool sd2)
{
    GPtrArray *const lists[] = {model_tensors_of_unet(unet), model_tensors_of_text_encoder(text),
                                model_tensors_of_vae(vae)};

    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        for (guint k = 0; k < lists[i]->len; k++) {
            const struct model_tensor *tensor = lists[i]->pdata[k];
            if (i == MODEL_TEXT_ENCODER) {
                add_text(f, tensor, sd2);
                continue;
            }
            g_autofree char *inner = i == MODEL_UNET ? compvis_unet_name(tensor->name, unet)
                                                     : compvis_vae_name(tensor->name, vae);
            g_autofree char *name =
                g_strconcat(i == MODEL_UNET ? UNET : COMPVIS_VAE_PREFIX, inner, NULL);
            add_tensor(f, name, tensor->shape, tensor->n_dims);
        }
        g_ptr_array_unref(lists[i]);
    }
}

static void write_file(const struct file *f, const char *path)
{
    const uint64_t length = GUINT64_TO_LE((uint64_t)f->header->len);
    FILE *out = fopen(path, "wb");

    g_assert_nonnull(out);
    g_assert_cmpint(fwrite(&length, 8, 1, out), ==, 1);
    g_assert_cmpint(fwrite(f->header->str, f->header->len, 1, out), ==, 1);
    g_assert_cmpint(fclose(out), ==, 0);
    g_assert_cmpint(truncate(path, 8 + (off_t)f->header->len + f->bytes), ==, 0);
}

/* The configs of a family by what tells it, as the engine infers them; the number of all tensors is
 * compared with what is known. */
static char *make_file(const char *folder, bool sd2, const char *mark)
{
    char *path = g_build_filename(folder, "model.safetensors", NULL);
    struct file f = {g_string_new("{"), 0,
                     g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    const int64_t cross[] = {320, sd2 ? 1024 : 768}, first[] = {320, 4, 3, 3};
    struct unet_config unet;
    struct text_config text;
    struct vae_config vae;
    struct schedule_config noise;
    g_autoptr(GError) error = NULL;

    add_tensor(&f, UNET "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", cross, 2);
    add_tensor(&f, UNET "input_blocks.0.0.weight", first, 4);
    g_string_append_c(f.header, '}');
    write_file(&f, path);
    g_autoptr(weight_files) weights = weight_files_open_file(path, &error);
    g_assert_no_error(error);
    g_assert_true(compvis_config_infer(weights, &unet, &text, &vae, &noise, &error));
    g_string_truncate(f.header, f.header->len - 1);
    if (mark != NULL) {
        add_tensor(&f, mark, first, 0);
    }
    add_networks(&f, &unet, &text, &vae, sd2);
    g_string_append_c(f.header, '}');
    g_assert_cmpint(g_hash_table_size(f.names), ==,
                    (sd2 ? 686 + 248 + 280 : 686 + 248 + 196) + (mark != NULL));
    write_file(&f, path);
    g_string_free(f.header, TRUE);
    g_hash_table_unref(f.names);
    return path;
}

static void warn(void *user, const char *sentence)
{
    g_ptr_array_add(user, g_strdup(sentence));
}

static void check_model(bool sd2, const char *mark, enum svdiff_prediction asked,
                        enum prediction_type prediction, int size)
{
    char *folder = temporary_folder_create();
    g_autofree char *path = make_file(folder, sd2, mark);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    const struct svdiff_options options = {
        .model = path, .prediction = asked, .warn = warn, .user = warnings};
    const int32_t pad = sd2 ? 0 : 49407, expected[] = {49406, 320, 2368, 49407, pad};
    g_autoptr(GError) error = NULL;
    g_autoptr(svdiff) s = svdiff_open(&options, &error);

    g_assert_no_error(error);
    g_assert_cmpint(warnings->len, ==, 0);
    int32_t ids[77];
    g_assert_true(tokenizer_encode(s->tokenizer, "A cat", 77, ids, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(ids, sizeof expected, expected, sizeof expected);
    g_assert_cmpint(ids[76], ==, pad);
    g_assert_cmpint(checkpoint_schedule_config(s->checkpoint)->prediction_type, ==, prediction);
    g_assert_cmpint(svdiff_learn_defaults(s).size, ==, size);
    g_assert_cmpint(svdiff_generate_defaults(s).width, ==, size);
    temporary_folder_remove(folder);
}

static void test_sd1(void)
{
    check_model(false, NULL, SVDIFF_PREDICTION_MODEL, PREDICTION_EPSILON, 512);
    check_model(false, NULL, SVDIFF_PREDICTION_V, PREDICTION_V, 512);
    check_model(false, "v_pred", SVDIFF_PREDICTION_MODEL, PREDICTION_V, 512);
    check_model(false, "v_pred", SVDIFF_PREDICTION_EPSILON, PREDICTION_EPSILON, 512);
}

static void test_sd2(void)
{
    check_model(true, NULL, SVDIFF_PREDICTION_MODEL, PREDICTION_EPSILON, 512);
    check_model(true, NULL, SVDIFF_PREDICTION_V, PREDICTION_V, 768);
    check_model(true, "v_pred", SVDIFF_PREDICTION_MODEL, PREDICTION_V, 768);
    check_model(true, "v_pred", SVDIFF_PREDICTION_EPSILON, PREDICTION_EPSILON, 512);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/single_file/sd1", test_sd1);
    g_test_add_func("/single_file/sd2", test_sd2);
    return g_test_run();
}
