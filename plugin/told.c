/* Reading what the command tells; see told.h. */
#include "plugin/told.h"

#include <stdbool.h>
#include <string.h>

JsonObject *told_object(JsonParser *parser, const char *text)
{
    JsonNode *root = text != NULL && json_parser_load_from_data(parser, text, -1, NULL)
                         ? json_parser_get_root(parser)
                         : NULL;

    return root != NULL && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
}

// what is at the path; NULL: nothing
// only objects have names in them
static JsonNode *find(JsonObject *o, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    JsonNode *node = NULL;

    for (char **name = names; *name != NULL && o != NULL; name++) {
        node = json_object_get_member(o, *name);
        o = node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        if (o == NULL && name[1] != NULL) {
            return NULL;
        }
    }
    return node;
}

JsonObject *told_part(JsonObject *o, const char *path)
{
    JsonNode *node = find(o, path);

    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

const char *told_text(JsonObject *o, const char *path)
{
    JsonNode *node = find(o, path);

    return node != NULL && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

double told_number(JsonObject *o, const char *path, double standard)
{
    JsonNode *node = find(o, path);

    // whole numbers, too; a text is 0
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : standard;
}

JsonArray *told_list(JsonObject *o, const char *path)
{
    JsonNode *node = find(o, path);

    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

char **told_texts(JsonObject *o, const char *path)
{
    JsonArray *list = told_list(o, path);
    const guint n = list != NULL ? json_array_get_length(list) : 0;
    char **texts = g_new0(char *, n + 1);

    for (guint i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(list, i);
        const bool is_text = json_node_get_value_type(node) == G_TYPE_STRING;
        texts[i] = g_strdup(is_text ? json_node_get_string(node) : "");
    }
    return texts;
}

// libraries write before it; the sentence is the last thing that is said
const char *told_last_line(char *text)
{
    g_strchomp(text);
    const char *line = strrchr(text, '\n');

    return line != NULL ? line + 1 : text;
}
