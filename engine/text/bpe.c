/* Byte-level byte pair encoding: the merges of a word in order of rank.
 *
 * A word is a linked list of symbols in one array; a sorted sequence (a balanced tree) holds the
 * merges that could be done. Doing one changes two neighbouring pairs, whose merges are
 * added; entries that no longer fit are dropped when they come up. A word of n bytes costs n log n
 * steps, where scanning for the best pair again and again would cost n * n. */
#include "engine/text/bpe.h"

#include "engine/base/error.h"

#include <stdlib.h>
#include <string.h>

// pair: left id << 32 | right id; it becomes id
struct merge {
    uint64_t pair;
    uint32_t rank;
    int32_t id;
};

struct bpe {
    GHashTable *ids;
    struct merge *merges; // sorted by pair, each pair once
    size_t merge_count;
    int32_t symbols[2][256]; // id of a byte, [1]: at the end of a word
    int32_t unknown;         // -1: every byte has its symbol
};

// a symbol of a word that is being merged; removed: length 0
struct symbol {
    int32_t id, previous, next;
    uint32_t length;
};

// a merge that could be done at a symbol and the one behind it
struct candidate {
    uint32_t rank, position;
    int32_t id;
};

// GPT-2's character for a byte: itself where it prints, else one from U+0100 on
static gunichar byte_character(int byte)
{
    if (byte <= 0x20) {
        return 0x100 + (gunichar)byte;
    }
    if (byte >= 0x7F && byte <= 0xA0) {
        return 0x121 + (gunichar)(byte - 0x7F);
    }
    return byte == 0xAD ? 0x143 : (gunichar)byte;
}

int32_t bpe_id(const struct bpe *bpe, const char *text)
{
    gpointer id;
    // id 0 is a token like any other, so that a missing key cannot be told by NULL
    return g_hash_table_lookup_extended(bpe->ids, text, NULL, &id) ? GPOINTER_TO_INT(id) : -1;
}

GHashTable *bpe_vocabulary(const struct bpe *bpe)
{
    return bpe->ids;
}

bool bpe_is_unknown(const struct bpe *bpe, int32_t id)
{
    return id >= 0 && id == bpe->unknown;
}

// the ids of all bytes; what is lacking becomes the unknown token
static bool find_symbols(struct bpe *bpe, const char *unknown, const char *what, GError **error)
{
    bpe->unknown = -1;
    // the first 256 stand inside a word, the rest at its end, where CLIP's symbols carry </w>
    for (int i = 0; i < 2 * 256; i++) {
        char text[6 + sizeof BPE_WORD_END] = "";
        g_unichar_to_utf8(byte_character(i % 256), text);
        if (i >= 256) {
            strcat(text, BPE_WORD_END);
        }
        int32_t id = bpe_id(bpe, text);
        if (id < 0) {
            // a small vocabulary need not have all bytes; transformers takes the unknown token
            id = bpe->unknown = bpe_id(bpe, unknown);
        }
        if (id < 0) {
            return error_failed(
                error,
                "%s: the vocabulary lacks both the symbol \"%s\" of byte %d and the unknown "
                "token \"%s\".",
                what, text, i % 256, unknown);
        }
        bpe->symbols[i / 256][i % 256] = id;
    }
    return true;
}

// by pair, then by rank
static int compare_merges(const void *a, const void *b)
{
    const struct merge *x = a, *y = b;
    if (x->pair != y->pair) {
        return x->pair < y->pair ? -1 : 1;
    }
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static uint64_t make_pair(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static bool resolve_merge(const struct bpe *bpe, const char *left, const char *right,
                          struct merge *merge, const char *what, GError **error)
{
    g_autofree char *both = g_strconcat(left, right, NULL);
    int32_t left_id = bpe_id(bpe, left), right_id = bpe_id(bpe, right);

    merge->id = bpe_id(bpe, both);
    // a pair with an id of -1 is never looked up: the error below ends the reading
    merge->pair = make_pair(left_id, right_id);
    if (left_id >= 0 && right_id >= 0 && merge->id >= 0) {
        return true;
    }
    return error_failed(error,
                        "%s: merge %u lacks \"%s\" in the vocabulary; vocabulary and merges do not "
                        "belong together.",
                        what, merge->rank + 1,
                        left_id < 0    ? left
                        : right_id < 0 ? right
                                       : both);
}

// fills bpe->merges; of a pair that is given twice the later rank counts
static bool resolve_merges(struct bpe *bpe, const GPtrArray *merges, const char *what,
                           GError **error)
{
    size_t count = merges->len / 2, kept = 0;
    struct merge *all = bpe->merges = g_new(struct merge, MAX(count, 1));

    for (size_t i = 0; i < count; i++) {
        // the rank is the line's place in merges.txt: what was merged most often comes first
        all[i].rank = (uint32_t)i;
        if (!resolve_merge(bpe, merges->pdata[2 * i], merges->pdata[2 * i + 1], &all[i], what,
                           error)) {
            return false;
        }
    }
    // sorted by pair for bsearch; equal pairs stand together, the later line last, which is the one
    // that a dictionary filled line by line would keep
    qsort(all, count, sizeof *all, compare_merges);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || all[i].pair != all[i + 1].pair) {
            all[kept++] = all[i];
        }
    }
    bpe->merge_count = kept;
    return true;
}

struct bpe *bpe_new(GHashTable *ids, const GPtrArray *merges, const char *unknown, const char *what,
                    GError **error)
{
    struct bpe *bpe = g_new0(struct bpe, 1);

    // shared with the caller, who looks up added tokens in it
    bpe->ids = g_hash_table_ref(ids);
    if (!find_symbols(bpe, unknown, what, error) || !resolve_merges(bpe, merges, what, error)) {
        bpe_free(bpe);
        return NULL;
    }
    return bpe;
}

void bpe_free(struct bpe *bpe)
{
    if (bpe) {
        g_hash_table_unref(bpe->ids);
        g_free(bpe->merges);
        g_free(bpe);
    }
}

static int compare_pair(const void *key, const void *item)
{
    uint64_t pair = *(const uint64_t *)key, other = ((const struct merge *)item)->pair;
    return pair < other ? -1 : pair > other;
}

static const struct merge *find_merge(const struct bpe *bpe, int32_t left, int32_t right)
{
    uint64_t pair = make_pair(left, right);
    return bsearch(&pair, bpe->merges, bpe->merge_count, sizeof *bpe->merges, compare_pair);
}

// lowest rank first, then leftmost
static int compare_candidates(const void *a, const void *b, void *user)
{
    const struct candidate *x = a, *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return x->position < y->position ? -1 : x->position > y->position;
}

// adds the merge of the symbol at position with its next one, if there is one
static void propose(const struct bpe *bpe, const struct symbol *symbols, int32_t position,
                    GSequence *candidates)
{
    if (position < 0 || symbols[position].next < 0) {
        return;
    }
    const struct merge *merge =
        find_merge(bpe, symbols[position].id, symbols[symbols[position].next].id);
    if (merge) {
        const struct candidate added = {merge->rank, (uint32_t)position, merge->id};
        g_sequence_insert_sorted(candidates, g_memdup2(&added, sizeof added), compare_candidates,
                                 NULL);
    }
}

// whether the candidate still describes what stands at its position
static bool is_current(const struct bpe *bpe, const struct symbol *symbols, struct candidate c)
{
    const struct symbol *left = &symbols[c.position];
    // it was merged into its left neighbour, or its right neighbour went
    if (left->length == 0 || left->next < 0) {
        return false;
    }
    const struct merge *merge = find_merge(bpe, left->id, symbols[left->next].id);
    // either neighbour may have become another symbol since it was added
    return merge && merge->id == c.id;
}

static void merge_symbols(const struct bpe *bpe, struct symbol *symbols, int32_t count)
{
    g_autoptr(GSequence) candidates = g_sequence_new(g_free);

    // at the beginning every pair of neighbours that the vocabulary knows is a candidate
    for (int32_t i = 0; i < count; i++) {
        propose(bpe, symbols, i, candidates);
    }
    while (!g_sequence_is_empty(candidates)) {
        GSequenceIter *first = g_sequence_get_begin_iter(candidates);
        const struct candidate best = *(const struct candidate *)g_sequence_get(first);
        g_sequence_remove(first);
        if (!is_current(bpe, symbols, best)) {
            continue;
        }
        // the right symbol is taken into the left one, whose place in the array stays
        struct symbol *left = &symbols[best.position], *right = &symbols[left->next];
        left->id = best.id;
        left->length += right->length;
        left->next = right->next;
        right->length = 0;
        if (left->next >= 0) {
            symbols[left->next].previous = (int32_t)best.position;
        }
        // only the two pairs that the new symbol is part of can have become possible
        propose(bpe, symbols, left->previous, candidates);
        propose(bpe, symbols, (int32_t)best.position, candidates);
    }
}

void bpe_encode(const struct bpe *bpe, const char *word, size_t length, GArray *pieces)
{
    g_autofree struct symbol *symbols = g_new(struct symbol, length);
    int32_t count = (int32_t)length;

    // one symbol a byte, linked in order; the last one is that of a word's end
    for (int32_t i = 0; i < count; i++) {
        int32_t id = bpe->symbols[i + 1 == count][(unsigned char)word[i]];
        symbols[i] = (struct symbol){id, i - 1, i + 1 < count ? i + 1 : -1, 1};
    }
    merge_symbols(bpe, symbols, count);
    // symbol 0 is never removed, because what is merged goes to the left
    for (int32_t i = 0; i >= 0; i = symbols[i].next) {
        struct bpe_piece piece = {symbols[i].id, symbols[i].length};
        g_array_append_val(pieces, piece);
    }
}
