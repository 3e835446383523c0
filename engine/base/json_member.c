/* Members of JSON objects, taken with their kind and range checked; see json.h.
 *
 * Every getter is the same three steps: find the member, check what it is, hand it out. */
#include "engine/base/json.h"

#include "engine/base/error.h"

// every refusal of a value has this form
static bool wrong(const char *what, const char *key, const char *wanted, GError **error)
{
    return error_failed(error, "%s: \"%s\" must be %s.", what, key, wanted);
}

/* A member whose value is of this type (G_TYPE_INVALID: any; the getter looks), which a sentence
 * calls `wanted`. True with *node NULL where it is absent and may be; else false with an error. */
static bool find(JsonObject *object, const char *what, const char *key, enum json_need need,
                 GType type, const char *wanted, JsonNode **node, GError **error)
{
    *node = json_object_get_member(object, key);
    if (*node == NULL || json_node_is_null(*node)) {
        *node = NULL;
        return need == JSON_OPTIONAL || error_failed(error, "%s: \"%s\" is missing.", what, key);
    }
    // json-glib would convert: a text of digits to a number, a number to a truth
    return type == G_TYPE_INVALID || json_node_get_value_type(*node) == type ||
           wrong(what, key, wanted, error);
}

// a whole number from low to high
static bool take_int(JsonNode *node, const char *what, const char *key, int64_t low, int64_t high,
                     int64_t *value, GError **error)
{
    // 8.0 is no whole number, as it is none for Python
    if (json_node_get_value_type(node) == G_TYPE_INT64) {
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

const char *json_text_of(JsonNode *node)
{
    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
                                                                   : NULL;
}

JsonArray *json_list_of(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

bool json_get_int(JsonObject *object, const char *what, const char *key, enum json_need need,
                  int64_t low, int64_t high, int64_t *value, GError **error)
{
    JsonNode *node;

    return find(object, what, key, need, G_TYPE_INVALID, NULL, &node, error) &&
           (!node || take_int(node, what, key, low, high, value, error));
}

// any number from low to high; not a number fails every comparison
static bool take_double(JsonNode *node, const char *what, const char *key, double low, double high,
                        double *value, GError **error)
{
    // Python writes 1 for 1.0 where a program gave it so
    const GType type = json_node_get_value_type(node);

    if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) {
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
    JsonNode *node;

    return find(object, what, key, need, G_TYPE_INVALID, NULL, &node, error) &&
           (!node || take_double(node, what, key, low, high, value, error));
}

bool json_get_bool(JsonObject *object, const char *what, const char *key, enum json_need need,
                   bool *value, GError **error)
{
    JsonNode *node;

    if (!find(object, what, key, need, G_TYPE_BOOLEAN, "true or false", &node, error)) {
        return false;
    }
    // absent: the default that the caller put there stays
    *value = node ? json_node_get_boolean(node) : *value;
    return true;
}

bool json_get_string(JsonObject *object, const char *what, const char *key, enum json_need need,
                     const char **value, GError **error)
{
    JsonNode *node;

    if (!find(object, what, key, need, G_TYPE_STRING, "a text", &node, error)) {
        return false;
    }
    *value = node ? json_node_get_string(node) : *value;
    return true;
}

bool json_get_object(JsonObject *object, const char *what, const char *key, enum json_need need,
                     JsonObject **value, GError **error)
{
    JsonNode *node;

    if (!find(object, what, key, need, JSON_TYPE_OBJECT, "an object", &node, error)) {
        return false;
    }
    *value = node ? json_node_get_object(node) : *value;
    return true;
}

bool json_get_array(JsonObject *object, const char *what, const char *key, enum json_need need,
                    JsonArray **value, GError **error)
{
    JsonNode *node;

    if (!find(object, what, key, need, JSON_TYPE_ARRAY, "a list", &node, error)) {
        return false;
    }
    *value = node ? json_node_get_array(node) : *value;
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
    // absent, and may be: count and values stay
    if (!array) {
        return true;
    }
    guint length = json_array_get_length(array);
    // before any value is written: the list is as long as a file wants it to be
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
