/* Words as they are typed; see typed_words.h. */
#include "engine/command/typed_words.h"

#include <stdbool.h>
#include <string.h>

#define MORE "--image+" // a hidden option of learn

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

char **typed_words(int argc, char **argv)
{
    // only its --image takes several values
    const bool learning = strcmp(argv[0], "learn") == 0;
    GPtrArray *all = g_ptr_array_new();
    int values = 0; // of an --image that the words before this one began; 0: none did

    for (int i = 0; i < argc; i++) {
        const bool option = argv[i][0] == '-' && argv[i][1] != '\0';
        if (values > 0 && !option && ++values > 2) {
            g_ptr_array_add(all, g_strdup(MORE));
        }
        g_ptr_array_add(all, take_word(argv[i]));
        if (option) {
            values = !learning                               ? 0
                     : strcmp(argv[i], "--image") == 0       ? 1
                     : g_str_has_prefix(argv[i], "--image=") ? 2
                                                             : 0;
        }
    }
    g_ptr_array_add(all, NULL);
    return (char **)g_ptr_array_free(all, FALSE);
}
