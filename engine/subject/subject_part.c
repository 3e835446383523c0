/* A part of a subject; see subject_part.h. */
#include "engine/subject/subject_part.h"

#include "engine/base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {"keep=", "only=", "without="};
enum key { KEEP, ONLY, WITHOUT, KEYS };

static enum key key_of(const char *text)
{
    int key = 0;

    while (key < KEYS && !g_str_has_prefix(text, keys[key])) {
        key++;
    }
    return (enum key)key;
}

// a name may have colons, too: the part is what says a key from one of them on to the end
const char *subject_part_at(const char *name)
{
    const char *first = NULL;

    for (const char *at = name + strlen(name); at > name; at--) {
        if (*at != ':') {
            continue;
        }
        if (key_of(at + 1) == KEYS) {
            break;
        }
        first = at;
    }
    return first;
}

static bool take_keep(struct subject_part *part, const char *text, GError **error)
{
    char *end;
    const gint64 keep = g_ascii_strtoll(text, &end, 10);

    if (end == text || *end != '\0' || keep < 1 || keep > G_MAXINT) {
        return error_usage(error,
                           "keep=%s tells how many values of each layer are kept; say a whole "
                           "number from 1 on.",
                           text);
    }
    part->keep = (int)keep;
    return true;
}

// words in a name, which anything may stand around
static bool take_patterns(char ***patterns, const char *key, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    for (char **word = words; *word != NULL || word == words; word++) {
        if (*word == NULL || (*word)[0] == '\0') {
            return error_usage(error,
                               "%s%s names no layers; say parts of their names with commas "
                               "between them, such as %sdown,mid.",
                               key, text, key);
        }
        char *pattern = g_strconcat("*", *word, "*", NULL);
        g_free(*word);
        *word = pattern;
    }
    g_strfreev(*patterns);
    *patterns = g_steal_pointer(&words);
    return true;
}

static bool take_one(struct subject_part *part, const char *text, GError **error)
{
    const enum key key = key_of(text);

    if (key == KEYS) {
        return error_usage(error, "'%s' is no part of a subject; say keep=, only= or without=.",
                           text);
    }
    const char *value = text + strlen(keys[key]);
    return key == KEEP
               ? take_keep(part, value, error)
               : take_patterns(key == ONLY ? &part->only : &part->without, keys[key], value, error);
}

bool subject_part_parse(const char *text, struct subject_part *part, GError **error)
{
    *part = (struct subject_part){0};
    if (text == NULL) {
        return true;
    }
    g_auto(GStrv) parts = g_strsplit(text + 1, ":", -1);
    for (char **one = parts; *one != NULL; one++) {
        if (!take_one(part, *one, error)) {
            return false;
        }
    }
    return true;
}

void subject_part_clear(struct subject_part *part)
{
    g_strfreev(part->only);
    g_strfreev(part->without);
    *part = (struct subject_part){0};
}

static bool any_in(char *const *patterns, const char *name)
{
    for (; *patterns != NULL; patterns++) {
        if (g_pattern_match_simple(*patterns, name)) {
            return true;
        }
    }
    return false;
}

bool subject_part_has(const struct subject_part *part, const char *name)
{
    return (part->only == NULL || any_in(part->only, name)) &&
           (part->without == NULL || !any_in(part->without, name));
}

static int larger_first(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

// the smallest magnitude that is kept, and how many that are just as large
static float least_kept(int keep, const float *values, int n, int *equal)
{
    g_autofree float *sorted = g_new(float, n);

    for (int i = 0; i < n; i++) {
        sorted[i] = fabsf(values[i]);
    }
    qsort(sorted, (size_t)n, sizeof *sorted, larger_first);
    *equal = 0;
    for (int i = keep - 1; i >= 0 && sorted[i] == sorted[keep - 1]; i--) {
        (*equal)++;
    }
    return sorted[keep - 1];
}

void subject_part_add(const struct subject_part *part, const float *values, int n, double scale,
                      double *sum)
{
    int equal = n;
    const float least =
        part->keep > 0 && part->keep < n ? least_kept(part->keep, values, n, &equal) : 0;

    for (int i = 0; i < n; i++) {
        const float size = fabsf(values[i]);
        if (size > least || (size == least && equal-- > 0)) {
            sum[i] += scale * values[i];
        }
    }
}

// the first pattern that is in none of the names, or NULL
static const char *unmatched(char *const *patterns, const char *const *names)
{
    for (; patterns != NULL && *patterns != NULL; patterns++) {
        const char *const *name = names;
        while (*name != NULL && !g_pattern_match_simple(*patterns, *name)) {
            name++;
        }
        if (*name == NULL) {
            return *patterns;
        }
    }
    return NULL;
}

bool subject_part_check(const struct subject_part *part, const char *const *names, const char *file,
                        GError **error)
{
    const char *pattern = unmatched(part->only, names);

    pattern = pattern != NULL ? pattern : unmatched(part->without, names);
    if (pattern == NULL) {
        return true;
    }
    return error_failed(
        error, "No layer that %s changes has '%.*s' in its name; they are called as %s is.", file,
        (int)strlen(pattern) - 2, pattern + 1, names[0] != NULL ? names[0] : "none");
}
