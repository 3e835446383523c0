/* embedding_file.h: textual inversions: vectors that stand for a word of prompts.
 *
 *   A1111 .pt                  string_to_param.* [n, width]
 *   kohya .safetensors         emb_params [n, width]
 *   diffusers                  TOKEN [width] or [n, width]; of several TOKEN, TOKEN_1, TOKEN_2 ...
 *   in an adapter's file       bundle_emb.NAME.string_to_param.*
 *
 * Without a word of its own a file is called by its name. */
#pragma once

#include "engine/base/safetensors.h"
#include "engine/svdiff.h"
#include "engine/text/tokenizer.h"

// begins the names of tensors that are embeddings in an adapter's file
#define EMBEDDING_BUNDLE "bundle_emb."

struct embedding_list {
    GArray *words;   // struct tokenizer_word, whose texts are owned
    GArray *vectors; // float [sum of all n, width], from the first id on
    int width;
    int32_t first; // id of the first: the model's own number of tokens
};

/* For a model with so many tokens of this width. To be closed in any case. */
void embedding_list_create(struct embedding_list *l, int tokens, int width);
void embedding_list_close(struct embedding_list *l); // accepts a zeroed one

/* Adds the vectors of a file. False with a sentence for what is none, of another width (which says the
 * family it is for), no numbers, or a word that is there. */
bool embedding_list_add(struct embedding_list *l, const struct svdiff_embedding *wanted,
                        GError **error);

/* The same of those that lie in an adapter's file, which may have none. One whose word is there is left out, which
 * is told. */
bool embedding_list_add_bundle(struct embedding_list *l, const struct safetensors *file,
                               void (*tell)(void *user, const char *sentence), void *user,
                               GError **error);

/* Adds a word whose n vectors are zeros, to be learned. */
void embedding_list_add_word(struct embedding_list *l, const char *word, int n);

// how many lie in an adapter's file
int embedding_bundle_count(const struct safetensors *file);

// how many vectors there are
int embedding_list_count(const struct embedding_list *l);
