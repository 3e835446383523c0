/* Words as they are typed; see typed_words.h. */
#include "engine/command/typed_words.h"

#include "engine/base/error.h"
#include "engine/base/json.h"

#include <stdbool.h>
#include <string.h>

#define MORE "--image+" // a hidden option of learn
// bytes; a command line of a few paths and prompts has hundreds
#define FILE_MAX (1 << 20)

// "--output=~/a" or "--output=~"; texts may begin so
static bool has_home(const char *word)
{
    const char *equals = strchr(word, '=');

    if (!g_str_has_prefix(word, "--") || equals == NULL || equals[1] != '~' ||
        (equals[2] != '/' && equals[2] != '\0')) {
        return false;
    }
    // a shell expands "~" only at the beginning of a word
    g_autofree char *name = g_strndup(word, (gsize)(equals - word));
    return !g_str_has_suffix(name, "prompt") && strcmp(name, "--negative") != 0 &&
           strcmp(name, "--target") != 0;
}

static char *take_word(const char *word)
{
    if (!has_home(word)) {
        return g_strdup(word);
    }
    const char *equals = strchr(word, '=');
    return g_strdup_printf("%.*s%s%s", (int)(equals + 1 - word), word, g_get_home_dir(),
                           equals + 2);
}

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

// how many values an --image has at this option: its own with '=', or none yet; 0: no --image
static int values_at(const char *option)
{
    if (g_str_has_prefix(option, "--image=")) {
        return 2;
    }
    return strcmp(option, "--image") == 0 ? 1 : 0;
}

char **typed_words(int argc, char **argv, GError **error)
{
    // only learn's --image takes several values
    const bool learning = strcmp(argv[0], "learn") == 0;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    int values = 0; // of an --image that the words before this one began; 0: none did

    for (int i = 0; i < argc; i++) {
        const bool option = argv[i][0] == '-' && argv[i][1] != '\0';
        if (strcmp(argv[i], "--arguments") == 0) {
            if (i + 1 == argc) {
                error_usage(error, "--arguments needs the name of a file; see --help.");
                return NULL;
            }
            if (!append_file(all, argv[++i], error)) {
                return NULL;
            }
            values = 0;
            continue;
        }
        if (values > 0 && !option && ++values > 2) {
            g_ptr_array_add(all, g_strdup(MORE));
        }
        g_ptr_array_add(all, take_word(argv[i]));
        if (option) {
            values = learning ? values_at(argv[i]) : 0;
        }
    }
    g_ptr_array_add(all, NULL);
    return (char **)g_ptr_array_steal(all, NULL);
}
