/* Defaults of a model: svdiff.json of its folder, else those of Stable Diffusion. The file has
 * objects "learn", "generate" and "edit", with the options' words and underscores for their
 * hyphens:
 *
 *   {"learn": {"steps": 300, "learning_rate": 0.005}, "generate": {"steps": 25}} */
#include "engine/learn/mixing/learn_layout.h"
#include "engine/session.h"

#include "engine/base/json.h"

#include <math.h>
#include <string.h>

#define FILE_MAX (1 << 16)

/* The object `part` of svdiff.json; NULL when there is none. *root owns it. */
static JsonObject *defaults_of(const svdiff *s, const char *part, JsonNode **root, char **path)
{
    g_autoptr(GError) error = NULL;
    JsonObject *object = NULL;

    *root = NULL;
    *path = NULL;
    if (s == NULL) {
        return NULL;
    }
    *path = g_build_filename(s->options.model, "svdiff.json", NULL);
    if (!g_file_test(*path, G_FILE_TEST_IS_REGULAR)) {
        return NULL;
    }
    *root = json_read_file(*path, FILE_MAX, &error);
    JsonObject *all = *root != NULL ? json_root_object(*root, *path, &error) : NULL;
    if (all == NULL || !json_get_object(all, *path, part, JSON_OPTIONAL, &object, &error)) {
        session_warn(s, "%s", error->message);
    }
    return object;
}

static void take_int(const svdiff *s, JsonObject *o, const char *path, const char *key,
                     int64_t high, int *value)
{
    g_autoptr(GError) error = NULL;
    int64_t number = *value;

    if (o != NULL && !json_get_int(o, path, key, JSON_OPTIONAL, 0, high, &number, &error)) {
        session_warn(s, "%s", error->message);
    }
    *value = (int)number;
}

static void take_double(const svdiff *s, JsonObject *o, const char *path, const char *key,
                        double *value)
{
    g_autoptr(GError) error = NULL;

    if (o != NULL && !json_get_double(o, path, key, JSON_OPTIONAL, value, &error)) {
        session_warn(s, "%s", error->message);
    }
}

// one of words, separated by "|": its index is the value less `first`
static void take_word(const svdiff *s, JsonObject *o, const char *path, const char *key,
                      const char *words, int first, int *value)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) list = g_strsplit(words, "|", -1);
    const char *text = NULL;

    if (o != NULL && !json_get_string(o, path, key, JSON_OPTIONAL, &text, &error)) {
        session_warn(s, "%s", error->message);
    }
    for (int i = 0; text != NULL; i++) {
        if (list[i] == NULL) {
            session_warn(s, "%s: \"%s\" must be %s.", path, key, words);
            return;
        }
        if (strcmp(list[i], text) == 0) {
            *value = first + i;
            return;
        }
    }
}

static void take_bool(const svdiff *s, JsonObject *o, const char *path, const char *key,
                      bool *value)
{
    g_autoptr(GError) error = NULL;

    if (o != NULL && !json_get_bool(o, path, key, JSON_OPTIONAL, value, &error)) {
        session_warn(s, "%s", error->message);
    }
}

// pixels a side that the model was made for
static int native_size(const svdiff *s)
{
    if (s == NULL) {
        return 512;
    }
    return checkpoint_unet_config(s->checkpoint)->sample_size *
           autoencoder_factor(checkpoint_vae_config(s->checkpoint));
}

static void take_mixing(const svdiff *s, JsonObject *json, const char *path,
                        struct svdiff_learn_options *o)
{
    int layers = (int)o->unmix_layers, maps = (int)o->unmix_maps;
    int layouts = (int)o->cut_mix_layouts;

    take_word(s, json, path, "cut_mix_layouts", LAYOUT_CHOICES, LAYOUTS_HALVES, &layouts);
    take_double(s, json, path, "unmix_weight", &o->unmix_weight);
    take_int(s, json, path, "unmix_grid", 4096, &o->unmix_grid);
    take_word(s, json, path, "unmix_layers", "down|up|both", UNMIX_DOWN, &layers);
    take_word(s, json, path, "unmix_maps", "plain|mean|max", UNMIX_PLAIN, &maps);
    o->cut_mix_layouts = (enum layout_choice)layouts;
    o->unmix_layers = (enum unmix_layers)layers;
    o->unmix_maps = (enum unmix_maps)maps;
}

int svdiff_learn_steps(int one, int n)
{
    return (int)MIN((int64_t)one * (n + 1) / 2, G_MAXINT);
}

struct svdiff_learn_options svdiff_learn_defaults(const svdiff *s)
{
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *path = NULL;
    JsonObject *json = defaults_of(s, "learn", &root, &path);
    struct svdiff_learn_options o = {.steps = 500,
                                     .rate = 1e-3,
                                     .rate_1d = 1e-6,
                                     .weight_decay = 0.01,
                                     .clip = 1,
                                     .accumulate = 1,
                                     .batch = 1,
                                     .size = native_size(s),
                                     .mask_weight = 0.1,
                                     .cut_mix = 0.6,
                                     .unmix_weight = 0.04,
                                     .unmix_grid = 16,
                                     .unmix_layers = UNMIX_DOWN,
                                     .unmix_maps = UNMIX_MEAN,
                                     .apart_pictures = 2,
                                     .prior_weight = 1,
                                     .text_encoder = true};

    take_int(s, json, path, "steps", 1000000, &o.steps);
    take_double(s, json, path, "learning_rate", &o.rate);
    take_double(s, json, path, "learning_rate_1d", &o.rate_1d);
    take_double(s, json, path, "placeholder_rate", &o.placeholder_rate);
    take_int(s, json, path, "warm_up", 1000000, &o.warm_up);
    take_double(s, json, path, "min_snr", &o.min_snr);
    take_double(s, json, path, "weight_decay", &o.weight_decay);
    take_double(s, json, path, "clip", &o.clip);
    take_int(s, json, path, "batch", 64, &o.batch);
    take_int(s, json, path, "accumulate", 1024, &o.accumulate);
    take_bool(s, json, path, "flip", &o.flip);
    take_double(s, json, path, "mask_weight", &o.mask_weight);
    take_double(s, json, path, "cut_mix", &o.cut_mix);
    take_mixing(s, json, path, &o);
    take_double(s, json, path, "prior_weight", &o.prior_weight);
    take_int(s, json, path, "prior_images", 10000, &o.prior_images);
    take_bool(s, json, path, "text_encoder", &o.text_encoder);
    return o;
}

struct svdiff_generate_options svdiff_generate_defaults(const svdiff *s)
{
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *path = NULL;
    JsonObject *json = defaults_of(s, "generate", &root, &path);
    struct svdiff_generate_options o = {.prompt = "",
                                        .negative = "",
                                        .steps = 50,
                                        .guidance = 7.5,
                                        .sampler = SAMPLER_DDIM,
                                        .spacing = SAMPLER_SPACING_MODEL,
                                        .width = native_size(s),
                                        .height = native_size(s),
                                        .count = 1,
                                        .strength = 0.75,
                                        .feather = -1};

    take_int(s, json, path, "steps", 1000, &o.steps);
    take_double(s, json, path, "guidance", &o.guidance);
    return o;
}

static void take_structure(const svdiff *s, JsonObject *json, const char *path,
                           struct svdiff_edit_options *o)
{
    const double usual = 0.75;
    double structure = usual;

    take_double(s, json, path, "structure", &structure);
    if (!(structure >= 0 && structure <= 1)) {
        session_warn(s, "%s: \"structure\" is %g; it can be from 0 to 1.", path, structure);
        structure = usual;
    }
    svdiff_edit_structure(o, structure);
}

struct svdiff_edit_options svdiff_edit_defaults(const svdiff *s)
{
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *path = NULL;
    JsonObject *json = defaults_of(s, "edit", &root, &path);
    const struct svdiff_learn_options learn = svdiff_learn_defaults(s);
    const struct svdiff_generate_options generate = svdiff_generate_defaults(s);
    struct svdiff_edit_options o = {.prompt = "",
                                    .negative = "",
                                    .learn_steps = learn.steps,
                                    .rate = learn.rate,
                                    .rate_1d = learn.rate_1d,
                                    .steps = generate.steps,
                                    .guidance = 3,
                                    .width = generate.width,
                                    .height = generate.height,
                                    .count = 1};

    take_structure(s, json, path, &o);
    take_int(s, json, path, "learn_steps", 1000000, &o.learn_steps);
    take_int(s, json, path, "refine", SVDIFF_REFINE_MAX, &o.refine);
    take_int(s, json, path, "fit", SVDIFF_FIT_MAX, &o.fit);
    take_double(s, json, path, "learning_rate", &o.rate);
    take_double(s, json, path, "learning_rate_1d", &o.rate_1d);
    take_int(s, json, path, "steps", 1000, &o.steps);
    take_double(s, json, path, "guidance", &o.guidance);
    return o;
}
