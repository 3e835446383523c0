/* added_tokens.h: tokens that a tokenizer recognises whole, before words are split: <|endoftext|>,
 * the padding token, names of textual inversions. */
#pragma once

#include "engine/text/bpe.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDED_TOKENS_MAX  4096
#define ADDED_TOKENS_SIZE 1024 // bytes of one

// how a token is recognised and, for the comparison of two, how its file described it
enum added_flags {
    ADDED_NORMALIZED = 1,  // in the normalised text; otherwise in the text as written
    ADDED_SINGLE_WORD = 2, // only where no letter or digit touches it
    ADDED_LEFT_STRIP = 4,  // blanks around it are dropped: they make no token anyway
    ADDED_RIGHT_STRIP = 8,
    ADDED_SPECIAL = 16,
    ADDED_PLAIN = 32, // described by its text alone
};

struct added_token {
    char *content; // as a prompt has it
    unsigned flags;
    char *pattern; // what is searched for
    int32_t id;
};

struct added_tokens;

struct added_tokens *added_tokens_new(void);
void added_tokens_free(struct added_tokens *tokens);

/* Notes a token that a file declares, in the order in which transformers meets them. One that
 * equals another already noted, flags and all, is ignored. An empty one too. */
void added_tokens_note(struct added_tokens *tokens, const char *content, unsigned flags);

/* Gives every token its id: that of the vocabulary, or the next number behind it. Of several with
 * one content the last decides how it is recognised. False with an error when there are too many.
 */
bool added_tokens_resolve(struct added_tokens *tokens, const struct bpe *bpe, const char *what,
                          GError **error);

/* After that: the id of a content, or -1; whether one has this id. */
int32_t added_tokens_id(const struct added_tokens *tokens, const char *content);
bool added_tokens_holds(const struct added_tokens *tokens, int32_t id);

/* The first token in text[from .. length], of those with normalized or without; among several at
 * one place the longest. NULL: none. *start, *stop: where it stands, in bytes. */
const struct added_token *added_tokens_find(const struct added_tokens *tokens, bool normalized,
                                            const char *text, size_t length, size_t from,
                                            size_t *start, size_t *stop);
