/* Words that speak of subjects; see subject_names.h.
 *
 * A text is read from left to right; where a word begins, the longest name or thing that stands
 * there counts. Case does not, and the '-' and '_' of files' names are blanks. */
#include "engine/subject/subject_names.h"

#include "engine/text/wording.h"
#include "engine/text/prompt.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

// words at which the thing has been named
static const char *const ends[] = {"on",    "in",      "at",       "with",    "under",
                                   "above", "below",   "beside",   "near",    "by",
                                   "and",   "against", "standing", "sitting", "lying",
                                   "front", "over",    "from",     "behind",  "inside"};

struct subject {
    const char *name; // as in subject_name
    char *article;    // before the [V] of its prompt: "a", "an", or NULL
    char *thing;
    bool used;
};

/* ---- prompts ---- */

// bytes of other scripts count as letters: they are part of a word
static bool is_letter(char c)
{
    return g_ascii_isalnum(c) || (c & 0x80) != 0 || c == '\'';
}

static bool is_end(const char *word, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (strlen(ends[i]) == length && g_ascii_strncasecmp(ends[i], word, length) == 0) {
            return true;
        }
    }
    return false;
}

// the bracket of its first [V], which follows a text that tells what it is; NULL without one
static const char *find_mark(const char *prompt)
{
    for (const char *at = strstr(prompt, "[V"); at != NULL; at = strstr(at + 1, "[V")) {
        if (prompt_has_placeholder(at) && at[strspn(at + 2, "0123456789") + 2] == ']') {
            return at;
        }
    }
    return NULL;
}

char *subject_names_thing(const char *prompt)
{
    const char *mark = find_mark(prompt);
    const char *first = mark != NULL ? strchr(mark, ']') + 1 : "";
    const char *end = first += strspn(first, " -");

    for (const char *word = first; is_letter(*word);) {
        size_t length = 0;
        // "t-shirt" is one word
        while (is_letter(word[length]) || (word[length] == '-' && is_letter(word[length + 1]))) {
            length++;
        }
        if (is_end(word, length)) {
            break;
        }
        end = word + length;
        word = end + strspn(end, " ");
    }
    return g_strndup(first, (gsize)(end - first));
}

// "a" or "an" right before the [V], or NULL
static char *article_of(const char *prompt)
{
    const char *mark = find_mark(prompt);
    g_autofree char *before = g_strndup(prompt, mark != NULL ? (gsize)(mark - prompt) : 0);
    const char *blank = strrchr(g_strchomp(before), ' ');
    const char *word = blank != NULL ? blank + 1 : before;

    return g_ascii_strcasecmp(word, "a") == 0 || g_ascii_strcasecmp(word, "an") == 0
               ? g_strdup(word)
               : NULL;
}

/* ---- a text ---- */

static bool same_character(char a, char b)
{
    // strchr finds the final 0, too
    const bool blank = strchr("-_ ", a) != NULL && a != '\0';

    return blank ? strchr("-_ ", b) != NULL && b != '\0' : g_ascii_tolower(a) == g_ascii_tolower(b);
}

// whether these words stand at a place of the text
static bool stands_at(const char *text, const char *words)
{
    size_t i = 0;

    while (words[i] != '\0' && text[i] != '\0' && same_character(words[i], text[i])) {
        i++;
    }
    return i > 0 && words[i] == '\0' && !is_letter(text[i]);
}

/* The subject of the longest words at a place: one that was not named yet before one that was.
 * *length of the words; -1: none */
static int find_subject(const char *at, const struct subject *s, int n, size_t *length)
{
    int found = -1;

    *length = 0;
    for (int i = 0; i < n; i++) {
        const char *const words[] = {s[i].name != NULL ? s[i].name : "", s[i].thing};
        for (int k = 0; k < 2; k++) {
            const size_t size = strlen(words[k]);
            const bool better =
                size > *length || (size == *length && found >= 0 && s[found].used && !s[i].used);
            if (better && stands_at(at, words[k])) {
                found = i;
                *length = size;
            }
        }
    }
    return found;
}

// the article before the subject becomes the one that its prompt has
static void mend_article(GString *before, const char *article)
{
    const char *text = before->str;
    const size_t n = before->len;
    const size_t end = n > 0 && text[n - 1] == ' ' ? n - 1 : n;
    size_t start = end;

    while (start > 0 && is_letter(text[start - 1])) {
        start--;
    }
    const size_t length = end - start;
    if (article == NULL || end == n || length == 0 || length > 2 ||
        g_ascii_tolower(text[start]) != 'a' ||
        (length == 2 && g_ascii_tolower(text[start + 1]) != 'n')) {
        return;
    }
    // the first letter keeps its case
    g_string_erase(before, (gssize)start + 1, (gssize)length - 1);
    g_string_insert(before, (gssize)start + 1, article + 1);
}

static void put_subject(GString *to, struct subject *s, int number, const char *words,
                        size_t length)
{
    // "fox" stays behind its [V]; "rex" is replaced by what rex is
    const bool is_thing = strlen(s->thing) == length && stands_at(words, s->thing);

    mend_article(to, s->article);
    g_string_append_printf(to, "[V%d]", number);
    if (is_thing) {
        g_string_append_printf(to, " %.*s", (int)length, words);
    } else if (s->thing[0] != '\0') {
        g_string_append_printf(to, " %s", s->thing);
    }
    s->used = true;
}

static char *put(const char *text, struct subject *s, int n)
{
    GString *to = g_string_new(NULL);

    for (const char *at = text; *at != '\0';) {
        size_t length = 0;
        // "foxglove" and "firefox" speak of no fox
        const bool begins = at == text || !is_letter(at[-1]);
        const int found = begins ? find_subject(at, s, n, &length) : -1;
        if (found >= 0) {
            put_subject(to, &s[found], found + 1, at, length);
            at += length;
        } else {
            g_string_append_c(to, *at++);
        }
    }
    return g_string_free(to, FALSE);
}

char *subject_names_put(const char *text, const struct subject_name *names, int n)
{
    struct subject *s = g_new0(struct subject, MAX(n, 1));

    if (prompt_has_placeholder(text)) {
        g_free(s);
        return g_strdup(text);
    }
    for (int i = 0; i < n; i++) {
        // a subject that does not say how it was learned has a name at most
        const char *prompt = names[i].prompt != NULL ? names[i].prompt : "";
        s[i] =
            (struct subject){names[i].name, article_of(prompt), subject_names_thing(prompt), false};
    }
    char *result = put(text, s, n);
    for (int i = 0; i < n; i++) {
        g_free(s[i].article);
        g_free(s[i].thing);
    }
    g_free(s);
    return result;
}
