/* One run over the keys of a config; see config_reader.h. */
#include "engine/base/config_reader.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

#define MAX_BYTES (1 << 20)

void config_fail(struct config_reader *reader, const char *format, ...)
{
    va_list list;

    // the first problem is the cause; what follows it may be its consequence
    if (reader->failed) {
        return;
    }
    va_start(list, format);
    g_autofree char *problem = g_strdup_vprintf(format, list);
    va_end(list);
    reader->failed = !error_failed(reader->error, "%s: %s.", reader->what, problem);
}

void config_reader_open(struct config_reader *reader, const char *path, GError **error)
{
    // real ones have a few hundred bytes
    JsonNode *root = json_read_file(path, MAX_BYTES, error);

    *reader = (struct config_reader){.root = root, .what = path, .error = error};
    if (root != NULL) {
        reader->object = json_root_object(root, path, error);
    }
    // the error is set; whoever reads on gets fallbacks and is told at the end
    reader->failed = reader->object == NULL;
}

bool config_reader_finish(struct config_reader *reader)
{
    g_clear_pointer(&reader->root, json_node_unref);
    reader->object = NULL;
    return !reader->failed;
}

bool config_is_null(struct config_reader *reader, const char *key)
{
    JsonNode *node = reader->failed ? NULL : json_object_get_member(reader->object, key);

    // other readers take null for absent; a few keys say by it that a part does not exist
    return node != NULL && json_node_is_null(node);
}

// a value as the tables of config_check spell it; newly allocated
static char *spell(JsonNode *node)
{
    if (json_node_is_null(node)) {
        return g_strdup("null");
    }
    if (!JSON_NODE_HOLDS_VALUE(node)) {
        return g_strdup(JSON_NODE_HOLDS_OBJECT(node) ? "a table" : "a list");
    }
    if (json_text_of(node) != NULL) {
        return json_node_dup_string(node);
    }
    if (json_node_get_value_type(node) == G_TYPE_BOOLEAN) {
        return g_strdup(json_node_get_boolean(node) ? "true" : "false");
    }
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    // 9 digits tell any two floats apart; a whole number has no point
    return g_strdup(g_ascii_formatd(number, sizeof(number), "%.9g", json_node_get_double(node)));
}

void config_check(struct config_reader *reader, const struct config_fixed *table, size_t n)
{
    for (size_t i = 0; i < n && !reader->failed; i++) {
        JsonNode *node = json_object_get_member(reader->object, table[i].key);
        // absent is diffusers' own default, which is what the engine does
        if (node == NULL) {
            continue;
        }
        g_autofree char *value = spell(node);
        // few keys are looked at, and once a model: nothing is gained by keeping them split
        g_auto(GStrv) allowed = g_strsplit(table[i].allowed, "|", -1);
        if (!g_strv_contains((const char *const *)allowed, value)) {
            g_autofree char *list = g_strjoinv(" or ", allowed);
            config_fail(reader, "\"%s\" is %s, only %s is supported; use %s", table[i].key, value,
                        list,
                        reader->advice != NULL ? reader->advice
                                               : "a plain Stable Diffusion 1.x or 2.x model");
        }
    }
}

int config_int(struct config_reader *reader, const char *key, int low, int high, int fallback)
{
    int64_t value = fallback;

    reader->failed =
        // absent: the value stays the fallback
        reader->failed || !json_get_int(reader->object, reader->what, key, JSON_OPTIONAL, low, high,
                                        &value, reader->error);
    return (int)value;
}

bool config_bool(struct config_reader *reader, const char *key, bool fallback)
{
    bool value = fallback;

    reader->failed = reader->failed || !json_get_bool(reader->object, reader->what, key,
                                                      JSON_OPTIONAL, &value, reader->error);
    return value;
}

double config_double(struct config_reader *reader, const char *key, double low, double high,
                     double fallback)
{
    double value = fallback;

    reader->failed =
        reader->failed || !json_get_double(reader->object, reader->what, key, JSON_OPTIONAL, low,
                                           high, &value, reader->error);
    return value;
}

const char *config_text(struct config_reader *reader, const char *key, const char *fallback)
{
    const char *value = fallback;

    reader->failed = reader->failed || !json_get_string(reader->object, reader->what, key,
                                                        JSON_OPTIONAL, &value, reader->error);
    return value;
}

int config_choice(struct config_reader *reader, const char *key, const char *const *choices,
                  int fallback)
{
    const char *value = config_text(reader, key, NULL);

    if (value == NULL) {
        return fallback;
    }
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(value, choices[i]) == 0) {
            return i;
        }
    }
    // all that would do, so that nobody has to guess
    g_autofree char *list = g_strjoinv(", ", (char **)choices);
    config_fail(reader, "\"%s\" is %s, only these are supported: %s", key, value, list);
    return fallback;
}

void config_levels(struct config_reader *reader, const char *key, int low, int high, int fallback,
                   int n, int *values)
{
    JsonNode *node = reader->failed ? NULL : json_object_get_member(reader->object, key);
    g_autofree int64_t *list = g_new0(int64_t, n);
    size_t count = 0;

    if (json_list_of(node) == NULL) {
        // diffusers repeats a single number for every level
        const int value = config_int(reader, key, low, high, fallback);
        for (int i = 0; i < n; i++) {
            values[i] = value;
        }
        return;
    }
    if (!json_get_int_array(reader->object, reader->what, key, JSON_REQUIRED, low, high, list,
                            (size_t)n, &count, reader->error)) {
        reader->failed = true;
    } else if (count != (size_t)n) {
        // fewer would leave levels without a value
        config_fail(reader, "\"%s\" must have %d entries, one a level", key, n);
    }
    for (int i = 0; i < n; i++) {
        values[i] = (int)list[i];
    }
}

int config_same(struct config_reader *reader, const char *key, int low, int high, int fallback,
                int n)
{
    g_autofree int *values = g_new(int, n);

    config_levels(reader, key, low, high, fallback, n, values);
    // the engine has one number here, whatever form the file gives it
    for (int i = 1; i < n; i++) {
        if (values[i] != values[0]) {
            config_fail(reader, "\"%s\" must be the same for all levels", key);
        }
    }
    return values[0];
}
