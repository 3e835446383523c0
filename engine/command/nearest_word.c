/* Misspelt words; see nearest_word.h. */
#include "engine/command/nearest_word.h"

#include <string.h>

#define WORD_MAX 40 // letters

// letters to be inserted, left out or replaced between two words (Levenshtein)
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1];
    const size_t n = strlen(b);

    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t replaced =
                diagonal + (g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]));
            diagonal = row[j];
            row[j] = MIN(replaced, 1 + MIN(row[j], row[j - 1]));
        }
    }
    return row[n];
}

const char *nearest_word(const char *typed, const char *const *words)
{
    const size_t length = strlen(typed);
    // a third of the letters may be wrong, so that nothing unlike is proposed
    size_t best = length / 3 + 1;
    const char *found = NULL;

    for (const char *const *word = words; length <= WORD_MAX && *word != NULL; word++) {
        const size_t d = strlen(*word) <= WORD_MAX ? distance(typed, *word) : best;
        if (d < best) {
            best = d;
            found = *word;
        }
    }
    // else a word that begins so: --neg for --negative
    for (const char *const *word = words; length >= 3 && found == NULL && *word != NULL; word++) {
        found = g_ascii_strncasecmp(*word, typed, length) == 0 ? *word : NULL;
    }
    return found;
}
