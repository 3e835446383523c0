/* bpe.h: byte-level byte pair encoding with an end-of-word mark, as CLIP uses it.
 *
 * A vocabulary writes each of the 256 bytes as one printable character (GPT-2's table) and marks
 * the end of a word with "</w>": "cat" starts as the symbols c, a, t</w>. Merges, in order of rank,
 * join neighbouring symbols until none applies. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPE_WORD_END "</w>"
#define BPE_MAX_ID   ((1 << 24) - 1)

struct bpe;

// one token of a word and how many bytes of the word it stands for
struct bpe_piece {
    int32_t id;
    uint32_t length;
};

/* ids: texts of the vocabulary -> their ids (GINT_TO_POINTER, 0 to BPE_MAX_ID); a reference is
 * taken. merges: left, right, left, right, ... in order of rank, read only now. unknown: the token
 * for symbols that the vocabulary lacks, may be absent from it when none is lacking. what names the
 * vocabulary in messages. NULL with an error when a merge names or makes something that the
 * vocabulary lacks. Free with bpe_free. */
struct bpe *bpe_new(GHashTable *ids, const GPtrArray *merges, const char *unknown, const char *what,
                    GError **error);
void bpe_free(struct bpe *bpe);

/* The id of a text of the vocabulary, as the vocabulary writes it ("cat</w>"), or -1. */
int32_t bpe_id(const struct bpe *bpe, const char *text);

/* The vocabulary, to walk over; it belongs to bpe. */
GHashTable *bpe_vocabulary(const struct bpe *bpe);

/* Whether id is what unknown symbols become, and some can occur. */
bool bpe_is_unknown(const struct bpe *bpe, int32_t id);

/* Appends the pieces of a word of length > 0 bytes to pieces (of struct bpe_piece). Takes
 * length * log(length) steps. */
void bpe_encode(const struct bpe *bpe, const char *word, size_t length, GArray *pieces);
