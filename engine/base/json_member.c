/* Members of JSON objects, taken with their kind and range checked; see json.h.
 *
 * Every getter is the same three steps: find the member, check what it is, hand it out. */
#include "engine/base/json.h"

#include "engine/base/error.h"

// the value of a member, or NULL: then *fine says whether it may be absent
static JsonNode *find(JsonObject *object, const char *what, const char *key, enum json_need need,
                      bool *fine, GError **error)
{
    JsonNode *node = json_object_get_member(object, key);

    if (node && !json_node_is_null(node)) {
        return node;
    }
    *fine = need == JSON_OPTIONAL;
    if (!*fine) {
        error_failed(error, "%s: \"%s\" is missing.", what, key);
    }
    return NULL;
}

static bool wrong(const char *what, const char *key, const char *wanted, GError **error)
{
    return error_failed(error, "%s: \"%s\" must be %s.", what, key, wanted);
}

static bool is_value(JsonNode *node, GType type)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

// a whole number from low to high
static bool take_int(JsonNode *node, const char *what, const char *key, int64_t low, int64_t high,
                     int64_t *value, GError **error)
{
    if (is_value(node, G_TYPE_INT64)) {
        int64_t number = json_node_get_int(node);
        if (number >= low && number <= high) {
            *value = number;
            return true;
        }
    }
    g_autofree char *wanted = g_strdup_printf(
        "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, (gint64)low, (gint64)high);
    return wrong(what, key, wanted, error);
}

JsonObject *json_root_object(JsonNode *root, const char *what, GError **error)
{
    if (JSON_NODE_HOLDS_OBJECT(root)) {
        return json_node_get_object(root);
    }
    error_failed(error, "%s: is not a JSON object.", what);
    return NULL;
}

bool json_get_int(JsonObject *object, const char *what, const char *key, enum json_need need,
                  int64_t low, int64_t high, int64_t *value, GError **error)
{
    bool fine;
    JsonNode *node = find(object, what, key, need, &fine, error);
    return node ? take_int(node, what, key, low, high, value, error) : fine;
}

// any number from low to high; not a number fails every comparison
static bool take_double(JsonNode *node, const char *what, const char *key, double low, double high,
                        double *value, GError **error)
{
    if (is_value(node, G_TYPE_INT64) || is_value(node, G_TYPE_DOUBLE)) {
        const double number = json_node_get_double(node);
        if (number >= low && number <= high) {
            *value = number;
            return true;
        }
    }
    g_autofree char *wanted = g_strdup_printf("a number from %.10g to %.10g", low, high);
    return wrong(what, key, wanted, error);
}

bool json_get_double(JsonObject *object, const char *what, const char *key, enum json_need need,
                     double low, double high, double *value, GError **error)
{
    bool fine;
    JsonNode *node = find(object, what, key, need, &fine, error);
    return node ? take_double(node, what, key, low, high, value, error) : fine;
}

bool json_get_bool(JsonObject *object, const char *what, const char *key, enum json_need need,
                   bool *value, GError **error)
{
    bool fine;
    JsonNode *node = find(object, what, key, need, &fine, error);
    if (!node) {
        return fine;
    }
    if (!is_value(node, G_TYPE_BOOLEAN)) {
        return wrong(what, key, "true or false", error);
    }
    *value = json_node_get_boolean(node);
    return true;
}

bool json_get_string(JsonObject *object, const char *what, const char *key, enum json_need need,
                     const char **value, GError **error)
{
    bool fine;
    JsonNode *node = find(object, what, key, need, &fine, error);
    if (!node) {
        return fine;
    }
    if (!is_value(node, G_TYPE_STRING)) {
        return wrong(what, key, "a text", error);
    }
    *value = json_node_get_string(node);
    return true;
}

bool json_get_object(JsonObject *object, const char *what, const char *key, enum json_need need,
                     JsonObject **value, GError **error)
{
    bool fine;
    JsonNode *node = find(object, what, key, need, &fine, error);
    if (!node) {
        return fine;
    }
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        return wrong(what, key, "an object", error);
    }
    *value = json_node_get_object(node);
    return true;
}

bool json_get_array(JsonObject *object, const char *what, const char *key, enum json_need need,
                    JsonArray **value, GError **error)
{
    bool fine;
    JsonNode *node = find(object, what, key, need, &fine, error);
    if (!node) {
        return fine;
    }
    if (!JSON_NODE_HOLDS_ARRAY(node)) {
        return wrong(what, key, "a list", error);
    }
    *value = json_node_get_array(node);
    return true;
}

bool json_get_int_array(JsonObject *object, const char *what, const char *key, enum json_need need,
                        int64_t low, int64_t high, int64_t *values, size_t capacity, size_t *count,
                        GError **error)
{
    JsonArray *array = NULL;
    if (!json_get_array(object, what, key, need, &array, error)) {
        return false;
    }
    if (!array) {
        return true;
    }
    guint length = json_array_get_length(array);
    if (length > capacity) {
        g_autofree char *wanted =
            g_strdup_printf("a list of at most %" G_GSIZE_FORMAT " whole numbers", capacity);
        return wrong(what, key, wanted, error);
    }
    for (guint i = 0; i < length; i++) {
        if (!take_int(json_array_get_element(array, i), what, key, low, high, &values[i], error)) {
            return false;
        }
    }
    *count = length;
    return true;
}
