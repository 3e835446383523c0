/* Marks in prompts; see prompt_marks.h. */
#include "engine/text/prompt_marks.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

// what of text matches first, or NULL
static char *first_match(const char *pattern, const char *text)
{
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_RAW, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    g_regex_match(regex, text, 0, &match);
    return g_match_info_fetch(match, 0);
}

char *prompt_mark_placeholder(const char *text)
{
    return first_match("\\[V\\d*\\]", text);
}

// the bracket that the one at `end` closes, or NULL
static const char *opening(const char *text, const char *end)
{
    int depth = 0;

    for (const char *at = end; at >= text; at--) {
        depth += *at == ')' ? 1 : *at == '(' ? -1 : 0;
        if (depth == 0) {
            return at;
        }
    }
    return NULL;
}

/* Whether ": 1.5" ends before `end`; *begin: at its colon. Two whole numbers, "(at 10:30)", are a
 * time or a ratio. */
static bool number_before(const char *text, const char *end, const char **begin)
{
    const char *at = end;
    bool digits = false, point = false;

    for (; at > text && (g_ascii_isdigit(at[-1]) || strchr(" .+-", at[-1]) != NULL); at--) {
        digits = digits || g_ascii_isdigit(at[-1]);
        point = point || !(g_ascii_isdigit(at[-1]) || at[-1] == ' ');
    }
    *begin = at - 1;
    return digits && at - text > 1 && at[-1] == ':' && (point || !g_ascii_isdigit(at[-2]));
}

char *prompt_mark_weight(const char *text)
{
    for (const char *end = strchr(text, ')'); end != NULL; end = strchr(end + 1, ')')) {
        const char *colon;
        const char *begin = number_before(text, end, &colon) ? opening(text, end) : NULL;
        if (begin != NULL && begin < colon) {
            return g_strndup(begin, (gsize)(end + 1 - begin));
        }
    }
    return NULL;
}

char *prompt_mark_lora(const char *text)
{
    return first_match("<(lora|lyco|hypernet|embedding|ti) *:[^<>]*>", text);
}
