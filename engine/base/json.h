/* json.h: JSON texts of models, read strictly.
 *
 *   g_autoptr(JsonNode) root = json_read_file(path, 1 << 20, &error);
 *   JsonObject *config = root ? json_root_object(root, path, &error) : NULL;
 *   int64_t heads = 8;
 *   if (!config || !json_get_int(config, path, "heads", JSON_OPTIONAL, 1, 64, &heads, &error)) ...
 *
 * json-glib's parser takes more than JSON (comments, names given twice, integers beyond 64 bits),
 * so the text is read here and json-glib keeps the tree. Refused: all that RFC 8259 does not allow,
 * text that is not UTF-8, a name given twice in one object, U+0000 in a string, half of a surrogate
 * pair, more than JSON_MAX_DEPTH levels and more than JSON_MAX_VALUES values.
 * One thing more is read: -Infinity, which Python's json writes (lambda_min_clipped of schedulers).
 *
 * "what" names the text in messages: the path of its file. */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH  64
#define JSON_MAX_VALUES (1 << 20)

/* Reads length bytes of text. Returns a tree that the caller frees (json_node_unref), or NULL with
 * an error that names what, line and column. Whole numbers are G_TYPE_INT64 nodes; those beyond 64
 * bits and all others are G_TYPE_DOUBLE. */
JsonNode *json_parse_strict(const char *data, size_t length, const char *what, GError **error);

/* Reads the file path, of at most limit bytes, as json_parse_strict. */
JsonNode *json_read_file(const char *path, size_t limit, GError **error);

/* The object at the root (owned by root), or NULL with an error when it is something else. */
JsonObject *json_root_object(JsonNode *root, const char *what, GError **error);

/* What a node is, owned by it; NULL for NULL and for everything else. */
const char *json_text_of(JsonNode *node);
JsonArray *json_list_of(JsonNode *node);

/* Whether a member has to be there. Null counts as absent, as in Python's configurations. */
enum json_need {
    JSON_REQUIRED, // absent is an error
    JSON_OPTIONAL, // absent leaves *value as it is: put the default there first
};

/* One member of object, of exactly this kind: true and *value set, or false with an error that
 * names what and key. Nothing is converted, except whole numbers where json_get_double is asked.
 * Numbers are from low to high, both allowed. */
bool json_get_int(JsonObject *object, const char *what, const char *key, enum json_need need,
                  int64_t low, int64_t high, int64_t *value, GError **error);
bool json_get_double(JsonObject *object, const char *what, const char *key, enum json_need need,
                     double low, double high, double *value, GError **error);
bool json_get_bool(JsonObject *object, const char *what, const char *key, enum json_need need,
                   bool *value, GError **error);

/* As above; *value belongs to object. */
bool json_get_string(JsonObject *object, const char *what, const char *key, enum json_need need,
                     const char **value, GError **error);
bool json_get_object(JsonObject *object, const char *what, const char *key, enum json_need need,
                     JsonObject **value, GError **error);
bool json_get_array(JsonObject *object, const char *what, const char *key, enum json_need need,
                    JsonArray **value, GError **error);

/* A list of at most capacity whole numbers from low to high; *count receives how many. Absent and
 * optional: values and *count stay as they are. */
bool json_get_int_array(JsonObject *object, const char *what, const char *key, enum json_need need,
                        int64_t low, int64_t high, int64_t *values, size_t capacity, size_t *count,
                        GError **error);
