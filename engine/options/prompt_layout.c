/* Lines of prompts; see prompt_layout.h. */
#include "engine/options/prompt_layout.h"

#include <string.h>

#define ENCODING "\357\273\277" // of UTF-8, with which some editors begin a file

char **prompt_layout_lines(const char *text)
{
    const bool marked = g_str_has_prefix(text, ENCODING);
    char **lines = g_strsplit(text + (marked ? strlen(ENCODING) : 0), "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_strstrip(*line);
    }
    return lines;
}

bool prompt_layout_is_none(const char *line)
{
    return *line == '\0' || *line == '#';
}

const char *prompt_layout_options(const char *line)
{
    for (const char *at = line; (at = strstr(at, "--")) != NULL; at += 2) {
        if ((at == line || g_ascii_isspace(at[-1])) && g_ascii_isalpha(at[2])) {
            return at;
        }
    }
    return line + strlen(line);
}
