/* text_encoder/config.json; see model_config.h. */
#include "engine/network/model_config.h"

#include "engine/base/config_reader.h"

#include <string.h>

#define MAX_WIDTH 65536

// other kinds of text encoders compute something else
static const struct config_fixed fixed[] = {
    {"model_type", "clip_text_model|clip"},
    {"hidden_act", "quick_gelu|gelu"},
};

// all three have the same text transformer
static const char *const known_classes[] = {"CLIPTextModel", "CLIPTextModelWithProjection",
                                            "CLIPModel", NULL};

// "architectures" is a list with the class the weights were saved from
static void check_class(struct config_reader *r)
{
    JsonArray *array = NULL;

    if (r->failed ||
        !json_get_array(r->object, r->what, "architectures", JSON_OPTIONAL, &array, r->error)) {
        r->failed = true;
        return;
    }
    for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        const char *name = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
        if (name == NULL || !g_strv_contains(known_classes, name)) {
            config_fail(r, "the text encoder is a %s, only CLIPTextModel is supported",
                        name == NULL ? "thing without a name" : name);
        }
    }
}

// ids that the config may give as null or as a list; the tokenizer's own files decide
static int token_id(struct config_reader *r, const char *key, int fallback)
{
    JsonNode *node = r->failed ? NULL : json_object_get_member(r->object, key);
    bool plain = node != NULL && JSON_NODE_HOLDS_VALUE(node);

    return plain ? config_int(r, key, -1, G_MAXINT, fallback) : fallback;
}

static void fill(struct config_reader *r, struct text_config *config)
{
    *config = (struct text_config){0};
    JsonObject *inner = NULL; // a whole CLIP model keeps the text encoder's part under this key
    if (!r->failed &&
        json_get_object(r->object, r->what, "text_config", JSON_OPTIONAL, &inner, NULL) &&
        inner != NULL && !json_object_has_member(r->object, "hidden_size")) {
        r->object = inner;
        r->advice = "CLIP as OpenAI or OpenCLIP published it";
    }
    // from here on of the part alone, where there is one
    config_check(r, fixed, G_N_ELEMENTS(fixed));
    check_class(r);
    config->vocabulary = config_int(r, "vocab_size", 1, 1 << 24, 49408);
    config->width = config_int(r, "hidden_size", 1, MAX_WIDTH, 512);
    config->intermediate = config_int(r, "intermediate_size", 1, 4 * MAX_WIDTH, 2048);
    config->layers = config_int(r, "num_hidden_layers", 1, 256, 12);
    config->heads = config_int(r, "num_attention_heads", 1, 1024, 8);
    // 3: a beginning, a word and an end
    config->positions = config_int(r, "max_position_embeddings", 3, 4096, 77);
    // OpenAI's CLIP; OpenCLIP's has the exact one
    config->quick_gelu = strcmp(config_text(r, "hidden_act", "quick_gelu"), "quick_gelu") == 0;
    config->layer_norm_eps = config_double(r, "layer_norm_eps", 0, 1, 1e-5);
    config->pad = token_id(r, "pad_token_id", 1);
    config->bos = token_id(r, "bos_token_id", 49406);
    config->eos = token_id(r, "eos_token_id", 49407);
    if (!r->failed && config->width % config->heads != 0) {
        config_fail(r, "\"hidden_size\" is %d, which %d heads do not divide", config->width,
                    config->heads);
    }
}

bool text_config_read(const char *path, struct text_config *config, GError **error)
{
    struct config_reader reader;

    config_reader_open(&reader, path, error);
    fill(&reader, config);
    return config_reader_finish(&reader);
}
