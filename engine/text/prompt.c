/* Placeholders in prompts; see prompt.h. */
#include "engine/text/prompt.h"

#include "engine/base/error.h"

#include <string.h>

#define TEXT_MAX 10000 // characters
#define ANY      (-1)  // "[V]": the first, or whoever is spoken of

bool prompt_check(const char *option, const char *text, GError **error)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        return error_usage(error, "The text of %s is not valid UTF-8; type it in a UTF-8 terminal.",
                           option);
    }
    if (g_utf8_strlen(text, -1) > TEXT_MAX) {
        return error_usage(error, "The text of %s has more than %d characters; shorten it.", option,
                           TEXT_MAX);
    }
    return true;
}

// the number k of a "[Vk]" at `at`, ANY for "[V]", 0 when there is none; *length of what was read
static int placeholder_at(const char *at, size_t *length)
{
    const char *end = at + 2;
    int number = 0;

    if (at[0] != '[' || at[1] != 'V') {
        return 0;
    }
    while (g_ascii_isdigit(*end) && number < 1000) {
        number = 10 * number + g_ascii_digit_value(*end++);
    }
    if (*end != ']') {
        return 0;
    }
    *length = (size_t)(end + 1 - at);
    return end == at + 2 ? ANY : number;
}

// words[k - 1] for [Vk] where there is such a word, or `every` for all
static char *replace(const char *text, const char *const *words, int n, const char *every)
{
    GString *result = g_string_new(NULL);

    while (*text != '\0') {
        size_t length = 0;
        const int number = placeholder_at(text, &length), k = number == ANY ? 1 : number;
        const char *own = k >= 1 && k <= n ? words[k - 1] : NULL;
        const char *word = number != 0 && every != NULL ? every : own;
        if (word != NULL) {
            g_string_append(result, word);
            text += length;
        } else {
            g_string_append_c(result, *text++);
        }
    }
    return g_string_free(result, FALSE);
}

char *prompt_replace(const char *text, const char *const *placeholders, int n)
{
    return replace(text, placeholders, n, NULL);
}

char *prompt_with(const char *text, const char *word)
{
    return replace(text, NULL, 0, word);
}

// "a [V] insect" leaves "an insect": the article belonged to the word that went
static void mend_article(GString *before, char next)
{
    const size_t n = before->len;
    const bool article = n >= 2 && before->str[n - 1] == ' ' &&
                         g_ascii_tolower(before->str[n - 2]) == 'a' &&
                         (n == 2 || before->str[n - 3] == ' ');

    if (article && next != '\0' && strchr("aeiouAEIOU", next) != NULL) {
        g_string_insert_c(before, (gssize)n - 1, 'n');
    }
}

char *prompt_without(const char *text)
{
    GString *result = g_string_new(NULL);

    while (*text != '\0') {
        size_t length = 0;
        if (placeholder_at(text, &length) != 0) {
            text += length;
            // one of the two blanks around it goes, too
            text += *text == ' ' && (result->len == 0 || result->str[result->len - 1] == ' ');
            mend_article(result, *text);
        } else {
            g_string_append_c(result, *text++);
        }
    }
    return g_strstrip(g_string_free(result, FALSE));
}

char *prompt_classes(const char *text, const char *const *classes, int n)
{
    GString *result = g_string_new(NULL);

    while (*text != '\0') {
        size_t length = 0;
        const int number = placeholder_at(text, &length), k = number == ANY ? 1 : number;
        const char *own = number != 0 && k <= n ? classes[k - 1] : NULL;
        // "[V] dog" is a dog already
        const char *behind = text + length + (text[length] == ' ');
        if (own != NULL && !g_str_has_prefix(behind, own)) {
            g_string_append(result, own);
            text += length;
        } else {
            g_string_append_c(result, *text++);
        }
    }
    g_autofree char *marked = g_string_free(result, FALSE);
    return prompt_without(marked);
}

gsize prompt_mark_length(const char *text)
{
    size_t length = 0;

    return placeholder_at(text, &length) != 0 ? length : 0;
}

int prompt_has_placeholder(const char *text)
{
    size_t length;

    for (; *text != '\0'; text++) {
        if (placeholder_at(text, &length) != 0) {
            return true;
        }
    }
    return false;
}

int prompt_foreign_placeholder(const char *text, int own)
{
    size_t length;

    for (; *text != '\0'; text++) {
        const int number = placeholder_at(text, &length);
        if (number > 0 && number != own) {
            return number;
        }
    }
    return 0;
}
