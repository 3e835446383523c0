/* Arguments from a JSON array; see arguments_file.h. */
#include "engine/command/arguments_file.h"

#include "engine/base/error.h"
#include "engine/base/json.h"

#include <string.h>

// bytes; a command line of a few paths and prompts has hundreds
#define FILE_MAX (1 << 20)

static bool append_file(GPtrArray *all, const char *path, GError **error)
{
    g_autoptr(JsonNode) root = json_read_file(path, FILE_MAX, error);

    if (root == NULL) {
        return false;
    }
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(root) ? json_node_get_array(root) : NULL;
    for (guint i = 0; array != NULL && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        // numbers, too, are texts on a command line; nothing is converted
        if (json_node_get_value_type(node) != G_TYPE_STRING) {
            array = NULL;
            break;
        }
        g_ptr_array_add(all, json_node_dup_string(node));
    }
    // at the root, or for one of its elements
    if (array == NULL) {
        error_failed(error, "%s: must be a JSON array of strings, the arguments.", path);
    }
    return array != NULL;
}

char **arguments_expand(int argc, char **argv, GError **error)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < argc; i++) {
        // what a file gives is not looked at again: files do not nest
        if (strcmp(argv[i], "--arguments") != 0) {
            g_ptr_array_add(all, g_strdup(argv[i]));
        } else if (i + 1 == argc) {
            error_usage(error, "--arguments needs the name of a file; see --help.");
            g_ptr_array_unref(all);
            return NULL;
        } else if (!append_file(all, argv[++i], error)) {
            g_ptr_array_unref(all);
            return NULL;
        }
    }
    g_ptr_array_add(all, NULL);
    return (char **)g_ptr_array_free(all, FALSE);
}
