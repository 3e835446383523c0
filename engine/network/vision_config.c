/* "vision_config" of a CLIP model's config.json; see model_config.h. */
#include "engine/network/model_config.h"

#include "engine/base/config_reader.h"

#define MAX_WIDTH 65536

// the object with the vision transformer's part, from here on
static void enter(struct config_reader *r)
{
    JsonObject *inner = NULL;

    if (r->failed ||
        !json_get_object(r->object, r->what, "vision_config", JSON_OPTIONAL, &inner, r->error)) {
        r->failed = true;
    } else if (inner == NULL) {
        config_fail(r, "there is no \"vision_config\", so that it is none of a CLIP model with a "
                       "vision tower; name the folder of a whole one");
    } else {
        r->object = inner;
    }
}

static void check_sizes(struct config_reader *r, const struct vision_config *c)
{
    if (c->width % c->heads != 0) {
        config_fail(r, "\"hidden_size\" is %d, which %d heads do not divide", c->width, c->heads);
    }
    if (c->size % c->patch != 0) {
        config_fail(r, "\"image_size\" is %d, which patches of %d pixels do not divide", c->size,
                    c->patch);
    }
}

static void fill(struct config_reader *r, struct vision_config *c)
{
    static const char *const activations[] = {"quick_gelu", "gelu", NULL};

    *c = (struct vision_config){.projection = config_int(r, "projection_dim", 1, MAX_WIDTH, 512)};
    enter(r);
    c->width = config_int(r, "hidden_size", 1, MAX_WIDTH, 768);
    c->intermediate = config_int(r, "intermediate_size", 1, 4 * MAX_WIDTH, 3072);
    c->layers = config_int(r, "num_hidden_layers", 1, 256, 12);
    c->heads = config_int(r, "num_attention_heads", 1, 1024, 12);
    c->size = config_int(r, "image_size", 1, 4096, 224);
    c->patch = config_int(r, "patch_size", 1, 4096, 32);
    config_int(r, "num_channels", 3, 3, 3);
    c->quick_gelu = config_choice(r, "hidden_act", activations, 0) == 0;
    c->layer_norm_eps = config_double(r, "layer_norm_eps", 0, 1, 1e-5);
    if (!r->failed) {
        check_sizes(r, c);
    }
}

bool vision_config_read(const char *path, struct vision_config *config, GError **error)
{
    struct config_reader reader;

    config_reader_open(&reader, path, error);
    fill(&reader, config);
    return config_reader_finish(&reader);
}
