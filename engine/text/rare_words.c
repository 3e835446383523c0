/* Words that can stand for a subject: entries of the vocabulary that hardly any text has.
 *
 * Merges are made in the order of frequency, so the last ids are the rarest. What has no vowel is
 * no word of a language, and three letters are the shortest that are seldom an abbreviation
 * everybody knows. Every candidate is encoded to prove that a prompt really gives it as one token.
 */
#include "engine/text/tokenizer_files.h"

#include <stdlib.h>
#include <string.h>

#define SHORTEST 3
#define LONGEST  5

struct candidate {
    const char *text; // of the vocabulary, with BPE_WORD_END
    int32_t id;
    bool vowel, short_enough;
};

// known to mean something to models or people
static const char *const meaningful[] = {"sks", "fck", "sht", "wtf", "nsfw", "xxx", NULL};

// whether a text of the vocabulary is a short word of small letters
static bool describe(const char *text, int32_t id, struct candidate *candidate)
{
    size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");

    if (letters < SHORTEST || letters > LONGEST || strcmp(text + letters, BPE_WORD_END) != 0) {
        return false;
    }
    bool vowel = strcspn(text, "aeiouy") < letters;
    *candidate = (struct candidate){text, id, vowel, letters == SHORTEST};
    return true;
}

// no vowels first, then three letters, then the last id
static int compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->vowel != y->vowel) {
        return x->vowel - y->vowel;
    }
    if (x->short_enough != y->short_enough) {
        return y->short_enough - x->short_enough;
    }
    return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

static GArray *find_candidates(const struct tokenizer *t)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(struct candidate));
    GHashTableIter iter;
    gpointer text, id;

    g_hash_table_iter_init(&iter, bpe_vocabulary(t->bpe));
    while (g_hash_table_iter_next(&iter, &text, &id)) {
        struct candidate candidate;
        if (describe(text, GPOINTER_TO_INT(id), &candidate)) {
            g_array_append_val(found, candidate);
        }
    }
    g_array_sort(found, compare);
    return found;
}

char **tokenizer_rare_words(const struct tokenizer *t, int count)
{
    g_autoptr(GArray) candidates = find_candidates(t);
    GPtrArray *words = g_ptr_array_new();

    for (guint i = 0; i < candidates->len && (int)words->len < count; i++) {
        const char *text = g_array_index(candidates, struct candidate, i).text;
        g_autofree char *word = g_strndup(text, strlen(text) - strlen(BPE_WORD_END));
        if (!g_strv_contains(meaningful, word) && tokenizer_is_word(t, word)) {
            g_ptr_array_add(words, g_steal_pointer(&word));
        }
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}
