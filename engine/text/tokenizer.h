/* tokenizer.h: prompts to token ids, as transformers 5's CLIPTokenizer gives them.
 *
 *   g_autoptr(tokenizer) t = tokenizer_open("model/tokenizer", NULL, false, &error);
 *   int32_t ids[77];
 *   g_autofree char *left_out = NULL;
 *   if (!t || !tokenizer_encode(t, "a photo of a cat", 77, ids, &left_out, &error)) ...
 *
 * A tokenizer is read only after opening; several threads may use one. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// longer prompts are refused, and more marks on one letter
#define TOKENIZER_MAX_TEXT  (1 << 20)
#define TOKENIZER_MAX_MARKS 1024

struct tokenizer;

// the bytes of one file; data NULL: there is none
struct tokenizer_file {
    const char *data;
    size_t length;
};

/* The files of a tokenizer folder. Either whole, or vocabulary and merges have to be there; whole
 * goes before the two, as in transformers. */
struct tokenizer_files {
    union {
        struct {
            struct tokenizer_file whole;      // tokenizer.json
            struct tokenizer_file vocabulary; // vocab.json
            struct tokenizer_file merges;     // merges.txt
            struct tokenizer_file config;     // tokenizer_config.json
            struct tokenizer_file special;    // special_tokens_map.json
            struct tokenizer_file added;      // added_tokens.json
        };
        struct tokenizer_file all[6];
    };
    const char *pad; // the padding token where they say none; NULL: <|endoftext|>
    bool pad_counts; // before what they say
};

/* Opens the folder tokenizer/ of a diffusers model. NULL with an error that names the file. pad and
 * pad_counts as above. */
struct tokenizer *tokenizer_open(const char *folder, const char *pad, bool pad_counts,
                                 GError **error);

/* The same from memory; folder is for messages alone. Nothing of files is kept. */
struct tokenizer *tokenizer_from_files(const struct tokenizer_files *files, const char *folder,
                                       GError **error);

/* A word that stands for n tokens from `id` on, which no file of the tokenizer has: the vectors of a
 * textual inversion. Found where no letter or digit touches its ends, in capitals or not. */
struct tokenizer_word {
    const char *text;
    int32_t id;
    int n;
};

/* The same tokenizer with words of its own; both are borrowed. Owned by the caller. */
struct tokenizer *tokenizer_with_words(const struct tokenizer *t,
                                       const struct tokenizer_word *words, int n);

/* How many tokens follow one another from this one on as a word's own; 1 for all other tokens. */
int tokenizer_word_length(const struct tokenizer *t, int32_t id);

void tokenizer_free(struct tokenizer *t);

typedef struct tokenizer tokenizer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tokenizer, tokenizer_free)

/* Fills ids [length] with the beginning token, those of text, the end token and padding. A text
 * that is too long is cut; *left_out (may be NULL) receives what of it found no place, as it was
 * written (caller frees), or NULL. False with an error when text is not UTF-8 or beyond the limits
 * above, or length is below 2; then nothing is set. */
bool tokenizer_encode(const struct tokenizer *t, const char *text, int length, int32_t *ids,
                      char **left_out, GError **error);

/* All tokens of a text, without beginning, end and padding: int32_t, to be freed with g_array_unref. NULL with
 * an error as above. */
GArray *tokenizer_pieces(const struct tokenizer *t, const char *text, GError **error);

/* Fills ids [length] with the beginning token, these n, at most length - 2, the end token and padding. */
void tokenizer_frame(const struct tokenizer *t, const int32_t *pieces, int n, int length,
                     int32_t *ids);

/* The id of a text that is exactly one token, as a prompt would have it ("sks", "<|endoftext|>");
 * -1 for anything else. */
int32_t tokenizer_id(const struct tokenizer *t, const char *text);

/* Whether text is one ordinary word of the vocabulary, fit to stand for a subject in a prompt: one
 * token, and not one of the added ones. */
bool tokenizer_is_word(const struct tokenizer *t, const char *text);

/* Up to count words that can stand for subjects because hardly any text has them: short ones of
 * letters a to z that the merges made last, those without vowels first. NULL-terminated, best
 * first; caller frees with g_strfreev. */
char **tokenizer_rare_words(const struct tokenizer *t, int count);

// the token that ends a prompt
int32_t tokenizer_eos(const struct tokenizer *t);
