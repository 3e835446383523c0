/* Preparing pictures for CLIP; see clip_pictures.h. */
#include "engine/model/clip_pictures.h"

#include "engine/base/config_reader.h"
#include "engine/base/error.h"
#include "engine/picture/picture_scale.h"

#include <math.h>

#define BICUBIC 3 // Pillow's number
#define MOST    4096

/* ---- the config ---- */

// a number of pixels: plain, or under one of the names of an object
static int read_side(struct config_reader *r, const char *key, const char *name, int fallback)
{
    JsonNode *node = r->failed ? NULL : json_object_get_member(r->object, key);

    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
        return config_int(r, key, 1, MOST, fallback);
    }
    JsonObject *outer = r->object;
    r->object = json_node_get_object(node);
    const int side = config_int(r, name, 1, MOST, 0);
    r->object = outer;
    if (side == 0) {
        config_fail(r, "\"%s\" has no \"%s\"; other sizes are not supported", key, name);
    }
    return side;
}

// one number a channel
static void read_channels(struct config_reader *r, const char *key, float values[3])
{
    JsonArray *list = NULL;

    if (r->failed || !json_get_array(r->object, r->what, key, JSON_OPTIONAL, &list, r->error)) {
        r->failed = true;
        return;
    }
    if (list != NULL && json_array_get_length(list) != 3) {
        config_fail(r, "\"%s\" has not three numbers, one a channel", key);
        return;
    }
    for (guint i = 0; list != NULL && i < 3; i++) {
        JsonNode *node = json_array_get_element(list, i);
        values[i] = JSON_NODE_HOLDS_VALUE(node) ? (float)json_node_get_double(node) : NAN;
        if (!isfinite(values[i])) {
            config_fail(r, "\"%s\" has an entry that is no number", key);
        }
    }
}

// steps that CLIP's preprocessor has, each
static void check_steps(struct config_reader *r)
{
    static const char *const steps[] = {"do_resize", "do_center_crop", "do_rescale",
                                        "do_normalize"};

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (!config_bool(r, steps[i], true)) {
            config_fail(r, "\"%s\" is false; only CLIP's own preprocessor is supported", steps[i]);
        }
    }
    if (config_int(r, "resample", 0, 5, BICUBIC) != BICUBIC) {
        config_fail(r, "\"resample\" is not %d, bicubic; only that is supported", BICUBIC);
    }
    if (fabs(255 * config_double(r, "rescale_factor", 0, 1, 1 / 255.0) - 1) > 1e-6) {
        config_fail(r, "\"rescale_factor\" is not 1 / 255; only that is supported");
    }
}

static void fill(struct config_reader *r, struct clip_pictures *c)
{
    // of OpenAI's pictures, which all CLIP models have taken over
    *c = (struct clip_pictures){.mean = {0.48145466f, 0.4578275f, 0.40821073f},
                                .deviation = {0.26862954f, 0.26130258f, 0.27577711f}};
    JsonObject *inner = NULL;
    // a processor of texts and pictures keeps the pictures' part under this key
    if (!r->failed &&
        json_get_object(r->object, r->what, "image_processor", JSON_OPTIONAL, &inner, NULL) &&
        inner != NULL) {
        r->object = inner;
    }
    check_steps(r);
    c->size = read_side(r, "size", "shortest_edge", 224);
    c->crop = read_side(r, "crop_size", "height", 224);
    if (read_side(r, "crop_size", "width", 224) != c->crop || c->crop > c->size) {
        config_fail(r, "\"crop_size\" is no square within \"size\"");
    }
    read_channels(r, "image_mean", c->mean);
    read_channels(r, "image_std", c->deviation);
    for (int i = 0; i < 3; i++) {
        if (c->deviation[i] <= 0) {
            config_fail(r, "\"image_std\" has a number that is not above 0");
        }
    }
}

bool clip_pictures_read(const char *folder, struct clip_pictures *c, GError **error)
{
    g_autofree char *own = g_build_filename(folder, "preprocessor_config.json", NULL);
    g_autofree char *both = g_build_filename(folder, "processor_config.json", NULL);
    const bool joined =
        !g_file_test(own, G_FILE_TEST_EXISTS) && g_file_test(both, G_FILE_TEST_EXISTS);
    struct config_reader reader;

    config_reader_open(&reader, joined ? both : own, error);
    fill(&reader, c);
    return config_reader_finish(&reader);
}

/* ---- a picture ---- */

float *clip_pictures_prepare(const struct clip_pictures *c, const picture *p, GError **error)
{
    static const float white[3] = {1, 1, 1};
    struct picture_frame frame = picture_frame_centre(p->width, p->height, c->size);
    g_autoptr(picture) opaque = picture_copy(p, error);

    if (opaque == NULL) {
        return NULL;
    }
    picture_flatten(opaque, white);
    // an odd rest is cut off right and below
    frame.crop_width = frame.crop_height = c->crop;
    frame.x = (frame.width - c->crop) / 2;
    frame.y = (frame.height - c->crop) / 2;
    g_autoptr(picture) cut = picture_cut_cubic(opaque, &frame, error);
    if (cut == NULL) {
        return NULL;
    }
    const size_t n = (size_t)c->crop * c->crop * 3;
    float *values = g_new(float, n);
    for (size_t i = 0; i < n; i++) {
        values[i] = (cut->pixels[i] - c->mean[i % 3]) / c->deviation[i % 3];
    }
    return values;
}
