/* Defaults of a model: svdiff.json of its folder, else those of Stable Diffusion. The file has
 * objects "learn", "generate" and "edit", with the options' words and underscores for their
 * hyphens; in "learn" an object "quick" or "thorough" says what suits the model at that effort, and
 * one of another method's name what suits the model with that:
 *
 *   {"learn": {"steps": 300, "learning_rate": 0.005, "quick": {"steps": 90},
 *              "lora": {"learning_rate": 0.001}},
 *    "generate": {"steps": 25}} */
#include "engine/session/session.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/session/effort.h"

#include <string.h>

#define FILE_MAX (1 << 16)

/* The object `part` of svdiff.json, or the object `within` that is in it (NULL: none); NULL when
 * there is none. *root owns it. */
static JsonObject *find_part(const svdiff *s, const char *part, const char *within, JsonNode **root,
                             char **path)
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
    // a file that cannot be read is told, and Stable Diffusion's defaults stay
    *root = json_read_file(*path, FILE_MAX, &error);
    JsonObject *all = *root != NULL ? json_root_object(*root, *path, &error) : NULL;
    if (all == NULL || !json_get_object(all, *path, part, JSON_OPTIONAL, &object, &error)) {
        session_warn(s, "%s", error->message);
    } else if (within != NULL && object != NULL) {
        all = object;
        object = NULL;
        if (!json_get_object(all, *path, within, JSON_OPTIONAL, &object, &error)) {
            session_warn(s, "%s", error->message);
        }
    }
    return object;
}

// one of the option's words
static bool take_word(const struct option *o, JsonObject *json, const char *path, const char *key,
                      double *value, GError **error)
{
    const char *text = NULL;

    if (!json_get_string(json, path, key, JSON_OPTIONAL, &text, error)) {
        return false;
    }
    // absent: what is there stays
    if (text == NULL || option_word_value(o, text, value)) {
        return true;
    }
    // a sentence that lists what it can be
    g_autofree char *words = option_words(o);
    return error_failed(error, "%s: \"%s\" must be %s.", path, key, words);
}

static bool take_value(const struct option *o, JsonObject *json, const char *path, double *value,
                       GError **error)
{
    g_autofree char *key = option_key(o);
    // what is there stays where the file does not have the key
    int64_t number = (int64_t)*value;
    bool truth = *value != 0, fine;

    switch (o->kind) {
    case OPTION_INT:
        fine = json_get_int(json, path, key, JSON_OPTIONAL, (int64_t)o->low, (int64_t)o->high,
                            &number, error);
        *value = (double)number;
        return fine;
    case OPTION_BOOL:
        fine = json_get_bool(json, path, key, JSON_OPTIONAL, &truth, error);
        *value = truth;
        return fine;
    case OPTION_NUMBER:
        return json_get_double(json, path, key, JSON_OPTIONAL, o->low, o->high, value, error);
    default:
        return take_word(o, json, path, key, value, error);
    }
}

// what the model's svdiff.json says on top of what is there; what it must not say is told
static void take_part(const svdiff *s, const struct option_table *t, const char *within,
                      void *options)
{
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *path = NULL;
    JsonObject *json = find_part(s, t->job, within, &root, &path);

    for (size_t i = 0; i < t->n && json != NULL; i++) {
        const struct option *o = &t->rows[i];
        g_autoptr(GError) error = NULL;
        // other keys of the file are no concern of this, and not refused
        if (o->flags & OPTION_MODEL) {
            double value = option_get(o, options);
            if (!take_value(o, json, path, &value, &error)) {
                session_warn(s, "%s", error->message);
            }
            option_set(o, options, value);
        }
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

// those of all models, but for what depends on a model
static void set_standards(const svdiff *s, const struct option_table *t, void *options)
{
    options_set_standards(t, options);
    for (size_t i = 0; i < t->n; i++) {
        if (t->rows[i].flags & OPTION_PIXELS) {
            option_set(&t->rows[i], options, native_size(s));
        }
    }
}

// what is learned and drawn for an edit is what learning and generating take
static void set_edit_standards(const svdiff *s, struct svdiff_edit_options *o)
{
    const struct svdiff_learn_options learn = svdiff_learn_defaults(s);

    o->learn_steps = learn.steps;
    o->rate = learn.rate;
    o->rate_1d = learn.rate_1d;
    o->steps = svdiff_generate_defaults(s).steps;
}

void session_defaults(const svdiff *s, const struct option_table *t, void *options)
{
    // edits borrow from the other jobs, and one of their options sets others
    struct svdiff_edit_options *edit = t == &options_of_edit ? options : NULL;

    memset(options, 0, t->size);
    set_standards(s, t, options);
    if (edit != NULL) {
        set_edit_standards(s, edit);
    }
    take_part(s, t, NULL, options);
    if (edit != NULL) {
        svdiff_edit_structure(edit, edit->structure);
    }
}

struct svdiff_learn_options svdiff_learn_defaults(const svdiff *s)
{
    struct svdiff_learn_options o;

    session_defaults(s, &options_of_learn, &o);
    return o;
}

// as the authors' scripts have them, or diffusers'; of svdiff the table's row says it
static const double usual_rates[] = {[SVDIFF_METHOD_LORA] = 1e-4,
                                     [SVDIFF_METHOD_TEXTUAL_INVERSION] = 5e-4,
                                     [SVDIFF_METHOD_FULL] = 5e-6,
                                     [SVDIFF_METHOD_CUSTOM_DIFFUSION] = 1e-5};

struct svdiff_learn_options svdiff_learn_method(const svdiff *s, enum svdiff_method method,
                                                enum svdiff_effort effort)
{
    const struct option *row = option_find(&options_of_learn, "effort");
    struct svdiff_learn_options o = svdiff_learn_defaults(s);

    o.method = method;
    o.effort = effort;
    // what svdiff.json says besides is of svdiff
    if (method != SVDIFF_METHOD_SVDIFF) {
        o.rate = usual_rates[method];
        // all of a text encoder learns where that is asked for
        o.text_encoder = o.text_encoder && method != SVDIFF_METHOD_FULL;
        take_part(s, &options_of_learn, option_word(option_method(&options_of_learn), method), &o);
    }
    // of normal it has told already
    if (effort != SVDIFF_EFFORT_NORMAL) {
        effort_choose(&o);
    }
    if (effort != SVDIFF_EFFORT_NORMAL && method == SVDIFF_METHOD_SVDIFF) {
        take_part(s, &options_of_learn, option_word(row, effort), &o);
    }
    return o;
}

struct svdiff_learn_options svdiff_learn_effort(const svdiff *s, enum svdiff_effort effort)
{
    return svdiff_learn_method(s, SVDIFF_METHOD_SVDIFF, effort);
}

struct svdiff_generate_options svdiff_generate_defaults(const svdiff *s)
{
    struct svdiff_generate_options o;

    session_defaults(s, &options_of_generate, &o);
    return o;
}

struct svdiff_edit_options svdiff_edit_defaults(const svdiff *s)
{
    struct svdiff_edit_options o;

    session_defaults(s, &options_of_edit, &o);
    return o;
}
