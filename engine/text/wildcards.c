/* Choices in prompts; see wildcards.h. */
#include "engine/text/wildcards.h"

#include "engine/base/error.h"
#include "engine/base/noise.h"

#include <string.h>

// no person writes so many, and each is a call deeper
#define DEPTH_MAX 50

// what is read, and how far
struct walk {
    const char *option, *at;
    uint64_t seed;
    int number;   // of the text
    uint64_t met; // choices so far
    bool chosen;  // whether one was
};

static bool take_choice(struct walk *w, GString *out, int depth, GError **error);

// up to the | or } that ends it inside a choice, else to the end
static bool take_text(struct walk *w, GString *out, int depth, GError **error)
{
    while (*w->at != '\0' && !(depth > 0 && (*w->at == '|' || *w->at == '}'))) {
        if (*w->at == '{') {
            if (!take_choice(w, out, depth + 1, error)) {
                return false;
            }
            continue;
        }
        // a character behind a backslash begins and ends nothing
        const gsize n = w->at[0] == '\\' && w->at[1] != '\0' ? 2 : 1;
        g_string_append_len(out, w->at, (gssize)n);
        w->at += n;
    }
    return true;
}

// the texts between the bars, owned; NULL with an error
static GPtrArray *take_texts(struct walk *w, int depth, GError **error)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    do {
        GString *one = g_string_new(NULL);
        w->at++; // the { or | before it
        const bool good = take_text(w, one, depth, error);
        g_ptr_array_add(texts, g_string_free(one, FALSE));
        if (!good) {
            return NULL;
        }
    } while (*w->at == '|');
    return g_steal_pointer(&texts);
}

static bool take_choice(struct walk *w, GString *out, int depth, GError **error)
{
    const char *begin = w->at;
    const uint64_t own = w->met++;

    if (depth > DEPTH_MAX) {
        return error_usage(error, "%s has more than %d { within each other; take fewer.", w->option,
                           DEPTH_MAX);
    }
    g_autoptr(GPtrArray) texts = take_texts(w, depth, error);
    if (texts == NULL) {
        return false;
    }
    const bool closed = *w->at == '}';
    w->at += closed;
    if (texts->len == 1) {
        // no choice at all
        g_string_append_printf(out, "{%s%s", (const char *)texts->pdata[0], closed ? "}" : "");
        return true;
    }
    if (!closed) {
        g_autofree char *some = g_utf8_substring(begin, 0, MIN(40, g_utf8_strlen(begin, -1)));
        return error_usage(
            error, "'%s' in %s is not closed with }; write \\{ where the character is meant.", some,
            w->option);
    }
    w->chosen = true;
    const int k = noise_integer(w->seed, NOISE_WILDCARD, (uint64_t)w->number, own, (int)texts->len);
    g_string_append(out, texts->pdata[k]);
    return true;
}

static char *choose(struct walk *w, const char *text, GError **error)
{
    GString *out = g_string_new(NULL);

    w->at = text;
    const bool good = take_text(w, out, 0, error);
    return g_string_free(out, !good);
}

bool wildcards_any(const char *text)
{
    struct walk w = {.option = ""};
    g_autoptr(GError) error = NULL;

    // characters are counted for the sentence; what is no text has none
    if (!g_utf8_validate(text, -1, NULL)) {
        return false;
    }
    g_autofree char *chosen = choose(&w, text, &error);
    // what is wrong is told when it is read again
    return w.chosen || chosen == NULL;
}

char *wildcards_plain(const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            g_string_append_c(out, *at++);
        } else if (*at == '{') {
            g_string_append_c(out, '\\');
        }
        g_string_append_c(out, *at);
    }
    return g_string_free(out, FALSE);
}

char *wildcards_choose(const char *option, const char *text, uint64_t seed, int number,
                       GError **error)
{
    struct walk w = {.option = option, .seed = seed, .number = number};

    if (!g_utf8_validate(text, -1, NULL)) {
        // told by who reads the text itself
        return g_strdup(text);
    }
    return choose(&w, text, error);
}
